package rtp

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/callwright/callwright/internal/audio"
)

// What a leg waits for media when Options does not say.
const (
	DefaultStartTimeout = 30 * time.Second
	DefaultTimeout      = 15 * time.Second
)

const (
	maxWaitingDigits = 32
	readRetry        = 10 * time.Millisecond
)

// ErrBroken is a fault after which a leg is not to be trusted: a tick of it
// panicked.
var ErrBroken = errors.New("rtp: a media tick panicked")

// Options says what a Leg is made of. All functions may be nil; they are called
// on the pacer's goroutine, one at a time, must not block and must not call
// Close. Slices are valid during the call only.
type Options struct {
	Pacer  *Pacer         // required
	Socket *Socket        // required; the leg closes it
	Remote netip.AddrPort // from SDP; may be left invalid until SetRemote
	Codec  audio.Codec    // required; sound that comes in any G.711 is understood
	Text   *TextOptions   // real-time text, nil for none

	// EventPT is the payload type that the peer's SDP gives telephone-event/8000,
	// 0 for none. EventInPT is that of our own SDP; 0 means the same.
	EventPT, EventInPT uint8

	// Tap gets each frame of both directions in step: 160 samples at 8 kHz of
	// what was heard and what was sent, silence included.
	Tap       func(in, out []int16)
	OnCue     func(text string)
	OnMark    func(id int)
	OnDigit   func(key rune)
	OnText    func(text string) // T.140 as it came: see ApplyT140
	OnTimeout func()            // once: no media came for the timeout
	OnFault   func(err error)   // once, for the first: a panic of a tick, a socket that fails

	StartTimeout time.Duration // before the first packet; 0 is DefaultStartTimeout, negative is never
	Timeout      time.Duration // after a packet; 0 is DefaultTimeout, negative is never
}

// TextOptions is the real-time text of a leg (RFC 4103).
type TextOptions struct {
	Socket *Socket        // required; the leg closes it
	Remote netip.AddrPort // from SDP
	PT     uint8          // of t140/1000
	RedPT  uint8          // of red/1000, 0 for none
}

// Leg is one side of a call's media. From NewLeg to Close it sends a packet
// every 20 ms, silence if there is nothing to say, and takes in what comes.
type Leg struct {
	o       Options
	playout *Playout
	events  EventSender
	text    *textLeg
	readers sync.WaitGroup
	closed  atomic.Bool
	hold    atomic.Bool
	silent  atomic.Bool // nothing is expected to come

	ticking sync.Mutex // held by a tick, and by Close to wait for one
	out     outStream
	inPCM   [frameSamples]int16
	faulted bool
	timeout mediaTimeout

	mu     sync.Mutex
	in     inStream
	codec  audio.Codec
	eventP uint8
	fault  error // of a reader, for the next tick
	stats  legCounts
}

type legCounts struct {
	sent      uint64
	firstSent time.Time
	faults    uint64
}

// LegStats is how a leg is doing.
type LegStats struct {
	Socket   SocketStats
	Buffer   JitterStats
	Sent     uint64        // packets of sound and events
	Received uint64        // packets that were believed
	Lost     uint64        // packets that never came (RFC 3550 A.3)
	Jitter   time.Duration // interarrival jitter (RFC 3550 A.8)
	Faults   uint64        // panics of ticks
	LastAt   time.Time     // when the last packet came; zero for none
}

// NewLeg starts a leg. On an error the sockets are closed.
func NewLeg(o Options) (*Leg, error) {
	if err := o.check(); err != nil {
		return nil, errors.Join(err, o.closeSockets())
	}
	l := &Leg{
		o: o, playout: NewPlayout(o.OnCue, o.OnMark),
		codec: o.Codec, eventP: o.EventPT,
		out: outStream{ssrc: rand.Uint32(), seq: uint16(rand.Uint32()), timestamp: rand.Uint32(), marker: true},
	}
	l.timeout = mediaTimeout{start: o.StartTimeout, later: o.Timeout, since: time.Now()}
	o.Socket.SetRemote(o.Remote)
	if o.Text != nil {
		l.text = newTextLeg(*o.Text)
	}
	if err := o.Pacer.Add(l); err != nil {
		return nil, errors.Join(fmt.Errorf("rtp: the pacer is closed: %w", err), o.closeSockets())
	}
	l.readers.Go(func() { l.read(o.Socket, l.arrive) })
	if l.text != nil {
		l.readers.Go(func() { l.read(o.Text.Socket, l.text.arrive) })
	}
	return l, nil
}

func (o *Options) check() error {
	if o.StartTimeout == 0 {
		o.StartTimeout = DefaultStartTimeout
	}
	if o.Timeout == 0 {
		o.Timeout = DefaultTimeout
	}
	if o.EventInPT == 0 {
		o.EventInPT = o.EventPT
	}
	switch {
	case o.Pacer == nil || o.Socket == nil || o.Text != nil && o.Text.Socket == nil:
		return errors.New("rtp: a leg needs a pacer and a socket for each medium")
	case o.Codec.ClockRate != clockRate:
		return fmt.Errorf("rtp: codec %q at %d Hz cannot be sent; a leg sends at %d Hz",
			o.Codec.Name, o.Codec.ClockRate, clockRate)
	}
	return nil
}

func (o *Options) closeSockets() error {
	var err error
	if o.Socket != nil {
		err = o.Socket.Close()
	}
	if o.Text != nil && o.Text.Socket != nil {
		err = errors.Join(err, o.Text.Socket.Close())
	}
	return err
}

// Playout is what the leg says.
func (l *Leg) Playout() *Playout { return l.playout }

// SendDigits sends telephone keys after those that are still being sent:
// 0-9 * # A-D, and w or , for half a second. Sound waits meanwhile. Without a
// payload type for events the tones are played as sound.
func (l *Leg) SendDigits(digits string) error {
	l.mu.Lock()
	pt := l.eventP
	l.mu.Unlock()
	if pt != 0 {
		return l.events.Send(digits)
	}
	pcm, err := tones(digits)
	if err != nil {
		return err
	}
	l.playout.Enqueue(pcm)
	return nil
}

// SendText sends real-time text; without Options.Text it does nothing.
func (l *Leg) SendText(text string) {
	if l.text != nil {
		l.text.sender.Write(text)
	}
}

// SetRemote takes the address of a new SDP, as after a re-INVITE.
func (l *Leg) SetRemote(addr netip.AddrPort) { l.o.Socket.SetRemote(addr) }

// SetTextRemote takes the address for text of a new SDP.
func (l *Leg) SetTextRemote(addr netip.AddrPort) {
	if l.text != nil {
		l.text.socket.SetRemote(addr)
	}
}

// SetCodec changes what is sent, as the peer's new SDP says: codec and payload
// type of events, 0 for none.
func (l *Leg) SetCodec(c audio.Codec, eventPT uint8) error {
	if c.ClockRate != clockRate {
		return fmt.Errorf("rtp: codec %q at %d Hz cannot be sent; a leg sends at %d Hz", c.Name, c.ClockRate, clockRate)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.codec, l.eventP = c, eventPT
	if l.o.EventInPT == 0 {
		l.o.EventInPT = eventPT
	}
	return nil
}

// Hold stops sending, sound and text, and the media timeout; Playout stays
// where it is. What still comes in is heard. Hold(false) goes on.
func (l *Leg) Hold(on bool) { l.hold.Store(on) }

// ExpectNothing stops the media timeout, and nothing else: the peer was told not
// to send. ExpectNothing(false) goes on.
func (l *Leg) ExpectNothing(on bool) { l.silent.Store(on) }

// LastReceived is when the last packet came, zero for none.
func (l *Leg) LastReceived() time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.in.lastAt
}

// FirstSent is when the first packet was sent, zero for none.
func (l *Leg) FirstSent() time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.stats.firstSent
}

// Stats returns the counts so far.
func (l *Leg) Stats() LegStats {
	socket := l.o.Socket.Stats()
	l.mu.Lock()
	defer l.mu.Unlock()
	return LegStats{
		Socket: socket, Buffer: l.in.buffer.Stats(), Sent: l.stats.sent, Received: socket.Received,
		Lost:   uint64(l.in.reception.lost()),
		Jitter: time.Duration(l.in.reception.jitter * float64(time.Second) / clockRate),
		Faults: l.stats.faults, LastAt: l.in.lastAt,
	}
}

// Close stops the leg and closes its sockets. After it no function of Options
// is called any more; it must not be called from one. More calls do nothing.
func (l *Leg) Close() error {
	if l.closed.Swap(true) {
		return nil
	}
	l.o.Pacer.Remove(l)
	err := l.o.closeSockets()
	l.readers.Wait()
	l.ticking.Lock() // a tick under way ends first
	defer l.ticking.Unlock()
	return err
}

// read feeds packets of a socket to take until the socket is closed. A fault is
// reported by the next tick; reading goes on.
func (l *Leg) read(s *Socket, take func(*Packet)) {
	var p Packet
	for {
		err := s.ReadPacket(&p)
		switch {
		case errors.Is(err, net.ErrClosed):
			return
		case err != nil:
			l.note(fmt.Errorf("rtp: reading from %s: %w", s.LocalAddr(), err))
			time.Sleep(readRetry)
		default:
			l.guard(take, &p)
		}
	}
}

// guard keeps a packet that makes take panic from ending the process.
func (l *Leg) guard(take func(*Packet), p *Packet) {
	defer func() {
		if r := recover(); r != nil {
			l.note(fmt.Errorf("rtp: a packet of %d bytes caused a panic: %v", len(p.Payload), r))
		}
	}()
	take(p)
}

func (l *Leg) note(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.fault = err
}
