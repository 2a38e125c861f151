package app_test

import (
	"bufio"
	"context"
	"encoding/binary"
	"encoding/json"
	"io"
	"math"
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/callwright/callwright/internal/speech"
)

// listener is a recogniser behind a socket: it knows some utterances by their
// sound and tells their words, late, with interims that it takes back, and some
// of them twice. What it does not know has no words.
type listener struct {
	net      net.Listener
	known    []utterance
	sessions sync.WaitGroup
}

// utterance is something that a listener knows.
type utterance struct {
	words, wrong string        // wrong is what it takes them for at first
	late         time.Duration // after the sound, until the words are final
	twice        bool
	print, first []frameprint // see fingerprint: of all of it, and of its first part
}

func newListener(t *testing.T, known ...utterance) *listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	for i, u := range known {
		known[i].first = slices.Clone(u.print[:len(u.print)*6/10])
		center(known[i].first)
	}
	s := &listener{net: l, known: known}
	s.sessions.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return // closed
			}
			s.sessions.Go(func() { s.serve(conn) })
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		s.sessions.Wait()
	})
	return s
}

// said is one line of the protocol.
type said struct {
	Text  string
	Final bool
}

// serve hears one stream: 160 samples of 16 bits a frame come in, lines of JSON
// go out.
func (s *listener) serve(conn net.Conn) {
	var late sync.WaitGroup
	defer late.Wait()
	defer func() { _ = conn.Close() }()
	var mu sync.Mutex
	tell := func(after time.Duration, what said) {
		late.Go(func() {
			time.Sleep(after)
			mu.Lock()
			defer mu.Unlock()
			_ = json.NewEncoder(conn).Encode(what) // nobody listens any more
		})
	}
	in := bufio.NewReader(conn)
	raw, frame := make([]byte, 320), make([]int16, 160)
	var heard []frameprint
	quiet := make([]int, len(s.known)) // frames until it is looked for again
	half := make([]bool, len(s.known))
	for {
		if _, err := io.ReadFull(in, raw); err != nil {
			return
		}
		for i := range frame {
			frame[i] = int16(binary.LittleEndian.Uint16(raw[2*i:]))
		}
		heard = append(heard, fingerprint(frame))
		if n := len(heard); n > 300 {
			heard = heard[n-150:]
		}
		for i, u := range s.known {
			if quiet[i]--; quiet[i] > 0 {
				continue
			}
			if like(heard, u.print) > resembles {
				quiet[i], half[i] = len(u.print), false
				tell(0, said{Text: u.words})
				tell(u.late, said{Text: u.words, Final: true})
				if u.twice {
					tell(u.late+200*time.Millisecond, said{Text: u.words, Final: true})
				}
			} else if !half[i] && len(u.print) > longEnough && like(heard, u.first) > resembles {
				half[i] = true
				tell(0, said{Text: u.wrong})
			}
		}
	}
}

// longEnough is how many frames an utterance must have for its first part to be
// known from others.
const longEnough = 40

// resembles is how like a known sound another has to be.
const resembles = 0.74

// bandsHz are where a fingerprint looks.
var bandsHz = [...]float64{200, 300, 400, 500, 650, 800, 1000, 1250, 1600, 2000, 2500, 3100}

// frameprint is how loud a frame is in each band, roughly as an ear has it.
type frameprint [len(bandsHz)]float64

func fingerprint(frame []int16) (out frameprint) {
	for b, hz := range bandsHz {
		coef := 2 * math.Cos(2*math.Pi*hz/8000)
		var s1, s2 float64
		for _, v := range frame {
			s1, s2 = float64(v)+coef*s1-s2, s1
		}
		out[b] = math.Sqrt(math.Sqrt(max(s1*s1+s2*s2-coef*s1*s2, 0)))
	}
	return out
}

// fingerprints is the print of an utterance, each band around its own mean.
func fingerprints(pcm []int16) (out []frameprint) {
	for i := 0; i+160 <= len(pcm); i += 160 {
		out = append(out, fingerprint(pcm[i:i+160]))
	}
	center(out)
	return out
}

func center(sketch []frameprint) {
	for b := range bandsHz {
		mean := 0.0
		for i := range sketch {
			mean += sketch[i][b] / float64(len(sketch))
		}
		for i := range sketch {
			sketch[i][b] -= mean
		}
	}
}

// like is the correlation, −1 to 1, of the newest that was heard with a print.
func like(heard, sketch []frameprint) float64 {
	if len(heard) < len(sketch) || len(sketch) == 0 {
		return 0
	}
	newest := heard[len(heard)-len(sketch):]
	var dot, a2, b2 float64
	var sum frameprint
	for i := range sketch {
		x, y := &newest[i], &sketch[i]
		for b := range x {
			dot += x[b] * y[b]
			a2 += x[b] * x[b]
			b2 += y[b] * y[b]
			sum[b] += x[b]
		}
	}
	for _, s := range sum {
		a2 -= s * s / float64(len(sketch))
	}
	if a2 <= 0 || b2 == 0 {
		return 0
	}
	return dot / math.Sqrt(a2*b2)
}

// Name is "socket".
func (s *listener) Name() string { return "socket" }

// Open connects a stream.
func (s *listener) Open(ctx context.Context, _ speech.Format) (speech.Stream, error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", s.net.Addr().String())
	if err != nil {
		return nil, err
	}
	stream := &listenerStream{conn: conn, heard: make(chan speech.Heard, 64), done: make(chan struct{})}
	stream.stop = context.AfterFunc(ctx, func() { _ = conn.Close() })
	go stream.read()
	return stream, nil
}

// listenerStream is the near end of the socket.
type listenerStream struct {
	conn  net.Conn
	stop  func() bool
	heard chan speech.Heard
	done  chan struct{}
}

func (s *listenerStream) read() {
	defer close(s.done)
	defer close(s.heard)
	in := json.NewDecoder(s.conn)
	for {
		var what said
		if in.Decode(&what) != nil {
			return // closed
		}
		s.heard <- speech.Heard{Text: what.Text, Final: what.Final}
	}
}

func (s *listenerStream) SampleRate() int            { return 8000 }
func (s *listenerStream) Heard() <-chan speech.Heard { return s.heard }
func (s *listenerStream) Err() error                 { return nil }
func (s *listenerStream) String() string             { return "socket" }
func (s *listenerStream) WriteFrame(pcm []int16) error {
	raw := make([]byte, 0, 2*len(pcm))
	for _, v := range pcm {
		raw = binary.LittleEndian.AppendUint16(raw, uint16(v))
	}
	_, err := s.conn.Write(raw)
	return err
}

// Close ends the stream and waits until it has.
func (s *listenerStream) Close() error {
	s.stop()
	_ = s.conn.Close()
	for range s.heard { // what nobody wants any more
	}
	<-s.done
	return nil
}
