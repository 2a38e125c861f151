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
	Codec  audio.Codec    // required: what is sent; sound that comes in any codec of audio is understood
	// SampleRate is the rate of the sound inside, in hertz: that of Playout and
	// Tap. 0 is the codec's. A codec of another rate is resampled at the edge.
	SampleRate int
	Keys       *Keys           // nil for RTP that is not protected
	Control    *ControlOptions // RTCP; nil for none
	Text       *TextOptions    // real-time text, nil for none

	// EventPT is the payload type that the peer's SDP gives telephone-event/8000,
	// 0 for none: then keys are sent and heard as tones. EventInPT is that of our
	// own SDP; 0 means the same.
	EventPT, EventInPT uint8

	// Tap gets each frame of both directions in step, 20 ms at SampleRate of what
	// was heard and what was sent, silence included.
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
	Keys   *Keys          // nil for RTP that is not protected
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

	ticking sync.Mutex // held by a tick, and by Close and Together to wait for one
	out     outStream
	reports reporter
	faulted bool
	timeout mediaTimeout

	mu     sync.Mutex
	in     inStream
	voice  *outVoice // what it holds belongs to ticks
	voiceP uint8     // payload types of what is sent
	eventP uint8
	fault  error // of a reader, for the next tick
	stats  legCounts
}

type legCounts struct {
	sent      uint64
	octets    uint64 // of payload
	firstSent time.Time
	faults    uint64
}

// NewLeg starts a leg. On an error the sockets are closed.
func NewLeg(o Options) (*Leg, error) {
	if err := o.check(); err != nil {
		return nil, errors.Join(err, o.closeSockets())
	}
	now := time.Now()
	frame := audio.FrameSize(o.SampleRate)
	l := &Leg{
		o: o, playout: NewPlayout(o.SampleRate, o.OnCue, o.OnMark),
		out: outStream{
			ssrc: rand.Uint32(), seq: uint16(rand.Uint32()), timestamp: rand.Uint32(), marker: true, pcm: make([]int16, frame),
		},
		in:      inStream{buffer: NewJitterBuffer(o.SampleRate), voices: newVoices(o.SampleRate), pcm: make([]int16, frame)},
		timeout: mediaTimeout{start: o.StartTimeout, later: o.Timeout, since: now},
	}
	if err := l.SetCodec(o.Codec, o.EventPT, o.EventInPT); err != nil {
		return nil, errors.Join(err, o.closeSockets())
	}
	if err := l.SetKeys(o.Keys, o.textKeys()); err != nil {
		return nil, errors.Join(err, o.closeSockets())
	}
	var control *control
	if o.Control != nil {
		control = o.Socket.setControl(*o.Control, l.out.ssrc)
	}
	l.reports = newReporter(control, now)
	o.Socket.SetRemote(o.Remote)
	if o.Text != nil {
		l.text = newTextLeg(*o.Text)
	}
	if err := o.Pacer.Add(l); err != nil {
		return nil, errors.Join(fmt.Errorf("rtp: the pacer is closed: %w", err), o.closeSockets())
	}
	l.readers.Go(func() { l.read(o.Socket, l.arrive) })
	if control != nil && control.conn != nil {
		l.readers.Go(func() {
			for l.guarded(func() bool { return o.Socket.readControl(control) }) {
			}
		})
	}
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
	case o.SampleRate == 0:
		o.SampleRate = o.Codec.SampleRate
	case o.SampleRate%clockRate != 0 || o.SampleRate < clockRate || o.SampleRate > maxScale*clockRate:
		return fmt.Errorf("rtp: a leg works at %d or %d Hz, not %d", clockRate, maxScale*clockRate, o.SampleRate)
	}
	return nil
}

func (o *Options) textKeys() *Keys {
	if o.Text == nil {
		return nil
	}
	return o.Text.Keys
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

// SampleRate is the rate in hertz of the sound inside: that of Playout and Tap.
func (l *Leg) SampleRate() int { return l.o.SampleRate }

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
	pcm, err := tones(digits, l.o.SampleRate)
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

// Close stops the leg and closes its sockets. After it no function of Options
// is called any more; it must not be called from one. More calls do nothing.
func (l *Leg) Close() error {
	if l.closed.Swap(true) {
		return nil
	}
	l.o.Pacer.Remove(l)
	l.ticking.Lock() // a tick under way ends first
	defer l.ticking.Unlock()
	l.report(time.Now(), true)
	err := l.o.closeSockets()
	l.readers.Wait()
	return err
}

// read feeds packets of a socket to take until the socket is closed. A fault is
// reported by the next tick; reading goes on.
func (l *Leg) read(s *Socket, take func(*Packet)) {
	var p Packet
	for l.guarded(func() bool {
		err := s.ReadPacket(&p)
		switch {
		case errors.Is(err, net.ErrClosed):
			return false
		case err != nil:
			l.note(fmt.Errorf("rtp: reading from %s: %w", s.LocalAddr(), err))
			time.Sleep(readRetry)
		default:
			take(&p)
		}
		return true
	}) {
	}
}

// guarded keeps a packet that makes step panic from ending the process.
func (l *Leg) guarded(step func() bool) (more bool) {
	defer func() {
		if r := recover(); r != nil {
			l.note(fmt.Errorf("rtp: a packet caused a panic: %v", r))
			more = true
		}
	}()
	return step()
}

func (l *Leg) note(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.fault = err
}
