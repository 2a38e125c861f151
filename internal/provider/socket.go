package provider

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"

	"github.com/coder/websocket"

	"github.com/callwright/callwright/internal/audio"
	"github.com/callwright/callwright/internal/speech"
)

// tongue is how one kind of server talks over a WebSocket that carries a
// caller's sound one way and words the other.
type tongue interface {
	// dial is where a stream is opened, and with what head.
	dial(f speech.Format) (*url.URL, http.Header)
	// hello is what is sent first, goodbye what is sent last, alive what is sent
	// when there was no sound for a while; "" is nothing. All are text.
	hello(f speech.Format) string
	goodbye() string
	alive() string
	// listener reads the answers of one stream.
	listener() listener
}

// listener reads one message and returns what was understood. An error ends the
// stream.
type listener interface {
	read(message []byte) ([]speech.Heard, error)
}

// Bounds of a stream.
const (
	socketDial    = 5 * time.Second // to be connected
	socketWrite   = 5 * time.Second // for a write to be taken
	socketPing    = 5 * time.Second // between two pings, and to be answered
	socketGoodbye = 2 * time.Second // for the last words after the end
	socketHeld    = 5 * time.Second // of sound for a server that does not take it
	socketChunk   = 60 * time.Millisecond
	maxMessage    = 256 << 10
)

// socketEar is an STT over WebSockets.
type socketEar struct {
	service
	tongue tongue
}

// Name is the engine's, or as configured.
func (e *socketEar) Name() string { return e.name }

// Open connects. The stream lives until it is closed or ctx is done.
func (e *socketEar) Open(ctx context.Context, f speech.Format) (speech.Stream, error) {
	address, header := e.tongue.dial(f)
	header.Set("User-Agent", "Callwright")
	dialing, cancelDial := context.WithTimeout(ctx, socketDial)
	defer cancelDial()
	conn, resp, err := websocket.Dial(dialing, address.String(), &websocket.DialOptions{HTTPClient: e.client, HTTPHeader: header})
	if err != nil {
		if resp != nil && resp.StatusCode != http.StatusSwitchingProtocols && resp.StatusCode >= 300 {
			defer resp.Body.Close()
			return nil, e.refused(resp)
		}
		if ctx.Err() == nil && dialing.Err() != nil {
			err = &silence{after: socketDial, first: true}
			return nil, e.fault(true, err)
		}
		return nil, e.broken(ctx, err)
	}
	conn.SetReadLimit(maxMessage)
	s := &socketStream{
		ear: e, format: f, conn: conn, listener: e.tongue.listener(),
		chunk: 2 * audio.Samples(socketChunk, f.SampleRate), most: 2 * audio.Samples(socketHeld, f.SampleRate),
		wake: make(chan struct{}, 1), heard: make(chan speech.Heard, 64), closing: make(chan struct{}),
	}
	ctx, s.cancel = context.WithCancelCause(ctx)
	s.work.Go(func() { s.send(ctx) })
	s.work.Go(func() { s.receive(ctx) })
	s.work.Go(func() { s.ping(ctx) })
	go func() {
		s.work.Wait()
		_ = conn.CloseNow() // whatever it says, the stream is over
		close(s.heard)
	}()
	return s, nil
}

// socketStream is one call's stream.
type socketStream struct {
	ear      *socketEar
	format   speech.Format
	conn     *websocket.Conn
	listener listener
	cancel   context.CancelCauseFunc
	work     sync.WaitGroup
	wake     chan struct{} // there is sound to send
	heard    chan speech.Heard
	closing  chan struct{}
	chunk    int // bytes that are sent at once, at least
	most     int // bytes that wait, at most

	mu      sync.Mutex
	waiting []byte
	closed  bool // by its owner
	over    bool
	err     error
}

// SampleRate is that of the format.
func (s *socketStream) SampleRate() int { return s.format.SampleRate }

// WriteFrame queues a frame. It does not wait: of sound that the server does not
// take, the oldest is dropped.
func (s *socketStream) WriteFrame(pcm []int16) error {
	if len(pcm) != audio.FrameSize(s.format.SampleRate) {
		return fmt.Errorf("provider: a frame of %d samples at %d Hz", len(pcm), s.format.SampleRate)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.over || s.closed {
		return errStreamOver
	}
	size := 2 * len(pcm)
	if len(s.waiting)+size > s.most {
		s.waiting = s.waiting[:copy(s.waiting, s.waiting[s.most/4/size*size:])] // some at a time: it costs a copy
	}
	at := len(s.waiting)
	s.waiting = slices.Grow(s.waiting, size)[:at+size]
	audio.PutPCM(s.waiting[at:], pcm)
	if len(s.waiting) >= s.chunk {
		s.nudge()
	}
	return nil
}

var errStreamOver = errors.New("provider: the stream is over")

func (s *socketStream) nudge() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// send sends sound as it comes, and what the server wants to hear beside it.
func (s *socketStream) send(ctx context.Context) {
	if hello := s.ear.tongue.hello(s.format); hello != "" && !s.write(ctx, websocket.MessageText, []byte(hello)) {
		return
	}
	var sound []byte
	idle := time.NewTimer(socketPing)
	defer idle.Stop()
	for {
		kind := websocket.MessageBinary
		select {
		case <-ctx.Done():
			return
		case <-s.closing:
			if sound = s.take(sound); len(sound) == 0 || s.write(ctx, websocket.MessageBinary, sound) {
				s.write(ctx, websocket.MessageText, []byte(s.ear.tongue.goodbye()))
			}
			return
		case <-s.wake:
			sound = s.take(sound)
		case <-idle.C:
			kind, sound = websocket.MessageText, append(sound[:0], s.ear.tongue.alive()...)
		}
		if len(sound) > 0 && !s.write(ctx, kind, sound) {
			return
		}
		idle.Reset(socketPing)
	}
}

// take takes what waits, in the room of what was sent before.
func (s *socketStream) take(room []byte) []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := s.waiting
	s.waiting = room[:0]
	return out
}

func (s *socketStream) write(ctx context.Context, kind websocket.MessageType, data []byte) bool {
	if len(data) == 0 {
		return true
	}
	ctx, cancel := context.WithTimeout(ctx, socketWrite)
	defer cancel()
	if err := s.conn.Write(ctx, kind, data); err != nil {
		if errors.Is(ctx.Err(), context.DeadlineExceeded) {
			err = fmt.Errorf("it took no sound for %s", socketWrite)
		}
		s.end(err)
		return false
	}
	return true
}

// receive reads answers until the stream ends.
func (s *socketStream) receive(ctx context.Context) {
	for {
		_, message, err := s.conn.Read(ctx)
		if err != nil {
			if ctx.Err() != nil {
				err = context.Cause(ctx)
			}
			s.end(err)
			return
		}
		words, err := s.listener.read(message)
		for _, h := range words {
			select {
			case s.heard <- h:
			case <-ctx.Done():
				s.end(context.Cause(ctx))
				return
			}
		}
		if err != nil {
			s.end(err)
			return
		}
	}
}

// ping notices a server that is gone without a word.
func (s *socketStream) ping(ctx context.Context) {
	tick := time.NewTicker(socketPing)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		waited, cancel := context.WithTimeout(ctx, socketPing)
		err := s.conn.Ping(waited)
		late := waited.Err() != nil && ctx.Err() == nil
		cancel()
		if late {
			s.end(fmt.Errorf("it answered nothing for %s", socketPing))
			return
		}
		if err != nil {
			return // receive says why
		}
	}
}

// end ends the stream; the first reason counts. After Close there is none, and
// the end of the context is told as it is.
func (s *socketStream) end(err error) {
	s.mu.Lock()
	if !s.over {
		s.over = true
		var own *speech.Error
		switch {
		case s.closed:
		case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded), errors.As(err, &own):
			s.err = err
		default:
			s.err = s.ear.fault(true, fmt.Errorf("the stream to %s broke: %w", s.ear.base.Host, plainClose(err)))
		}
	}
	s.mu.Unlock()
	s.cancel(err)
}

// plainClose words an error of the connection as people would.
func plainClose(err error) error {
	var closed websocket.CloseError
	switch {
	case errors.As(err, &closed) && closed.Reason != "":
		return fmt.Errorf("the server closed it: %q", closed.Reason)
	case errors.As(err, &closed):
		return fmt.Errorf("the server closed it with code %d", closed.Code)
	case errors.Is(err, io.EOF):
		return errors.New("the connection was lost")
	}
	return err
}

// Heard delivers what was understood.
func (s *socketStream) Heard() <-chan speech.Heard { return s.heard }

// Err tells why the stream ended, nil when it was closed.
func (s *socketStream) Err() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}

func (s *socketStream) String() string { return s.ear.name }

// Close says goodbye. What the server has understood by then is still
// delivered, for two seconds at most.
func (s *socketStream) Close() error {
	s.mu.Lock()
	first := !s.closed
	s.closed = true
	s.mu.Unlock()
	if first {
		close(s.closing)
		time.AfterFunc(socketGoodbye, func() { s.cancel(errStreamOver) })
	}
	return nil
}
