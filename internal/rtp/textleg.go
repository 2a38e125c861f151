package rtp

import (
	"math/rand/v2"
	"sync"
	"time"

	pionrtp "github.com/pion/rtp"
)

// textLeg is the text of a leg: a sender, a receiver and their socket.
type textLeg struct {
	socket *Socket
	sender *TextSender

	ssrc   uint32
	seq    uint16
	base   uint32 // timestamp of the sender's zero
	packet [headerSize + 3*(redHeaderSize+maxTextBlock)]byte

	mu       sync.Mutex
	receiver *TextReceiver
}

func newTextLeg(o TextOptions) *textLeg {
	o.Socket.SetRemote(o.Remote)
	return &textLeg{
		socket: o.Socket, sender: NewTextSender(o.PT, o.RedPT), receiver: NewTextReceiver(o.PT, o.RedPT),
		ssrc: rand.Uint32(), seq: uint16(rand.Uint32()), base: rand.Uint32(),
	}
}

// arrive takes a packet of text.
func (t *textLeg) arrive(p *Packet) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.receiver.Push(&p.Header, p.Payload)
}

// tick sends text that is due and hands on what came.
func (t *textLeg) tick(now time.Time, hold bool, onText func(string)) {
	if !hold && t.socket.Remote().IsValid() {
		t.send(now)
	}
	t.mu.Lock()
	text := t.receiver.Take(now)
	t.mu.Unlock()
	if text != "" && onText != nil {
		onText(text)
	}
}

func (t *textLeg) send(now time.Time) {
	p := t.sender.next(now, t.packet[headerSize:])
	if p.size == 0 {
		return
	}
	h := pionrtp.Header{
		Version: 2, SSRC: t.ssrc, SequenceNumber: t.seq, Timestamp: t.base + p.timestamp,
		PayloadType: p.pt, Marker: p.marker,
	}
	if _, err := h.MarshalTo(t.packet[:headerSize]); err != nil {
		return
	}
	// A packet that could not be sent is one that was lost: its text is sent
	// twice more.
	t.seq++
	_ = t.socket.Write(t.packet[:headerSize+p.size])
}
