package rtp

import (
	"fmt"
	"time"

	"github.com/callwright/callwright/internal/audio"
	pionrtp "github.com/pion/rtp"
)

// maxMissedTicks is how many ticks may be due at once and still all come.
const maxMissedTicks = int(maxCatchUp/audio.FrameDuration) + 1

// outStream is the state of the stream that is sent. Only ticks touch it.
type outStream struct {
	ssrc      uint32
	seq       uint16
	timestamp uint32
	marker    bool // the next packet of sound begins a talkspurt
	begun     time.Time
	ticks     int     // since begun, those left out included
	pcm       []int16 // a frame at the leg's rate
	packet    [headerSize + frameSamples]byte
}

// inStream is the state of the stream that is received.
type inStream struct {
	reception reception
	buffer    *JitterBuffer
	voices    voices
	tones     *audio.DTMFDetector // nil when keys come as events
	events    EventReceiver
	digits    [maxWaitingDigits]rune // for the next tick
	nDigits   int
	lastAt    time.Time
	pcm       []int16 // a frame at the leg's rate, of the tick
}

// arrive takes a packet of sound or an event.
func (l *Leg) arrive(p *Packet) {
	l.mu.Lock()
	defer l.mu.Unlock()
	in := &l.in
	in.lastAt = p.At
	in.reception.observe(&p.Header, p.At)
	if l.o.EventInPT != 0 && p.PayloadType == l.o.EventInPT {
		if key, ok := in.events.Push(p.SSRC, p.Timestamp, p.Payload); ok && in.nDigits < maxWaitingDigits {
			in.digits[in.nDigits] = key
			in.nDigits++
		}
		return
	}
	if pcm := in.voices.decode(p); len(pcm) > 0 {
		in.buffer.Push(&p.Header, pcm, p.At)
	}
}

// tickInput is what a tick takes over from the readers at once.
type tickInput struct {
	digits  [maxWaitingDigits]rune
	nDigits int
	lastAt  time.Time
	fault   error
}

// Tick is called by the Pacer and sends a packet.
func (l *Leg) Tick(now time.Time) {
	l.ticking.Lock()
	defer l.ticking.Unlock()
	if l.closed.Load() {
		return
	}
	l.mu.Lock()
	voice, voicePT, eventPT := l.voice, l.voiceP, l.eventP
	l.mu.Unlock()
	l.send(voice, voicePT, eventPT, l.hold.Load(), now)
}

// Finish is called by the Pacer after all ticks of the same time: it takes what
// came and calls the functions of Options, so that a slow one delays no packet.
func (l *Leg) Finish(now time.Time) {
	l.ticking.Lock()
	defer l.ticking.Unlock()
	if l.closed.Load() {
		return
	}
	input := l.collect(now)
	hold := l.hold.Load()
	l.playout.Fire()
	l.deliver(&input)
	if l.text != nil {
		l.text.tick(now, hold, l.o.OnText)
	}
	if l.timeout.expired(input.lastAt, hold || l.silent.Load(), now) && l.o.OnTimeout != nil {
		l.o.OnTimeout()
	}
	if l.o.Tap != nil {
		l.o.Tap(l.in.pcm, l.out.pcm)
	}
	l.report(now, false)
}

// collect takes what has come since the last tick.
func (l *Leg) collect(now time.Time) tickInput {
	l.mu.Lock()
	defer l.mu.Unlock()
	in := &l.in
	in.buffer.Pop(in.pcm, now)
	if in.tones != nil {
		if key, found := in.tones.Push(in.pcm); found && in.nDigits < maxWaitingDigits {
			in.digits[in.nDigits] = key
			in.nDigits++
		}
	}
	input := tickInput{
		digits: in.digits, nDigits: in.nDigits, lastAt: in.lastAt, fault: l.fault,
	}
	in.nDigits, l.fault = 0, nil
	return input
}

// send makes the frame to be sent and sends it, unless the call is on hold.
func (l *Leg) send(voice *outVoice, voicePT, eventPT uint8, hold bool, now time.Time) {
	out := &l.out
	timestamp := out.advance(now)
	if hold {
		clear(out.pcm)
		out.marker = true
		return
	}
	h := pionrtp.Header{Version: 2, SSRC: out.ssrc, Timestamp: timestamp, PayloadType: voicePT}
	ev := l.events.next(timestamp, out.packet[headerSize:])
	size := ev.size
	switch {
	case ev.event:
		clear(out.pcm)
		h.PayloadType, h.Timestamp, h.Marker = eventPT, ev.start, ev.marker
	case ev.busy:
		clear(out.pcm)
	default:
		l.playout.Pull(out.pcm)
	}
	if !ev.event {
		size = voice.encode(out.packet[headerSize:], out.pcm)
		h.Marker, out.marker = out.marker, false
	}
	h.SequenceNumber = out.seq
	if _, err := h.MarshalTo(out.packet[:headerSize]); err != nil {
		return
	}
	if l.o.Socket.Write(out.packet[:headerSize+size]) != nil {
		return // counted by the socket; the next frame is tried again
	}
	out.seq++
	l.mu.Lock()
	defer l.mu.Unlock()
	l.stats.sent++
	l.stats.octets += uint64(size)
	if l.stats.firstSent.IsZero() {
		l.stats.firstSent = now
	}
}

// advance returns the timestamp for a tick. Ticks that the pacer left out after
// a stall count as silence: timestamps keep in step with time (RFC 3550 §5.1).
func (o *outStream) advance(now time.Time) uint32 {
	if o.begun.IsZero() {
		o.begun = now
	}
	if missed := int(now.Sub(o.begun)/audio.FrameDuration) - o.ticks; missed > maxMissedTicks {
		o.ticks += missed
		o.timestamp += uint32(missed * frameSamples)
		o.marker = true
	}
	timestamp := o.timestamp
	o.ticks++
	o.timestamp += uint32(frameSamples)
	return timestamp
}

func (l *Leg) deliver(input *tickInput) {
	if input.fault != nil {
		l.fail(input.fault)
	}
	if l.o.OnDigit != nil {
		for _, key := range input.digits[:input.nDigits] {
			l.o.OnDigit(key)
		}
	}
}

// Fault is called by the Pacer when a tick panicked.
func (l *Leg) Fault(recovered any) {
	l.mu.Lock()
	l.stats.faults++
	l.mu.Unlock()
	l.ticking.Lock()
	defer l.ticking.Unlock()
	if !l.closed.Load() {
		l.fail(fmt.Errorf("%w: %v", ErrBroken, recovered))
	}
}

// fail reports the first fault; those after it would come fifty times a second.
func (l *Leg) fail(err error) {
	if l.faulted || l.o.OnFault == nil {
		return
	}
	l.faulted = true
	l.o.OnFault(err)
}

// mediaTimeout tells when nothing has come for too long.
type mediaTimeout struct {
	start, later time.Duration // negative: never
	since        time.Time     // counted from here, or from the last packet
	over         bool
}

// expired reports true once.
func (m *mediaTimeout) expired(last time.Time, hold bool, now time.Time) bool {
	if hold {
		m.since = now
		return false
	}
	limit := m.start
	if !last.IsZero() {
		limit = m.later
	}
	if last.After(m.since) {
		m.since = last
	}
	if m.over || limit < 0 || now.Sub(m.since) < limit {
		return false
	}
	m.over = true
	return true
}
