package engine

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/callwright/callwright/internal/speech"
	"github.com/callwright/callwright/internal/speech/speechtest"
)

// notebook is a listener that remembers.
type notebook struct {
	mu    sync.Mutex
	heard []speech.Heard
	notes []string
	deaf  bool
}

func (n *notebook) Heard(h speech.Heard) { n.mu.Lock(); n.heard = append(n.heard, h); n.mu.Unlock() }
func (n *notebook) Note(s string)        { n.mu.Lock(); n.notes = append(n.notes, s); n.mu.Unlock() }
func (n *notebook) Deaf()                { n.mu.Lock(); n.deaf = true; n.mu.Unlock() }

func (n *notebook) told() (words string, notes string, deaf bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, h := range n.heard {
		words += h.Text
		if h.Final {
			words += "."
		}
		words += " "
	}
	return strings.TrimSpace(words), strings.Join(n.notes, "; "), n.deaf
}

// oddSTT is an engine whose parts are the test's.
type oddSTT struct {
	name  string
	open  func(ctx context.Context) (speech.Stream, error)
	opens int
}

func (s *oddSTT) Name() string { return s.name }

func (s *oddSTT) Open(ctx context.Context, _ speech.Format) (speech.Stream, error) {
	s.opens++
	return s.open(ctx)
}

// oddStream takes frames with a function of the test's.
type oddStream struct {
	*speechtest.ScriptStream
	write func([]int16) error
}

func (s oddStream) WriteFrame(pcm []int16) error { return s.write(pcm) }

func scripted(ctx context.Context, write func([]int16) error) (speech.Stream, error) {
	script := &speechtest.Script{}
	stream, err := script.Open(ctx, speech.Format{SampleRate: 8000})
	if err != nil {
		return nil, err
	}
	return oddStream{stream.(*speechtest.ScriptStream), write}, nil
}

// hearFor lets the engines hear sound for so long, in virtual time.
func hearFor(t *testing.T, d time.Duration, during func(h *hearing), engines ...speech.STT) *notebook {
	t.Helper()
	n := &notebook{}
	h := newHearing(engines, 8000, "en", slog.New(slog.DiscardHandler))
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	done := make(chan struct{})
	go func() {
		defer close(done)
		h.run(ctx, n)
	}()
	frame := make([]int16, 160)
	for range d / (20 * time.Millisecond) {
		began := time.Now()
		h.take(frame)
		if took := time.Since(began); took > 0 {
			t.Fatalf("the pacer waited %v", took)
		}
		time.Sleep(20 * time.Millisecond)
	}
	if during != nil {
		during(h)
		time.Sleep(20 * time.Millisecond)
	}
	cancel()
	<-done
	return n
}

func TestHearing(t *testing.T) {
	broken := errors.New("broken")
	lines := []speechtest.Line{{At: 200 * time.Millisecond, Text: "four"}, {At: 400 * time.Millisecond, Text: "four people", Final: true}}
	good := func() speech.STT { return &speechtest.Script{Lines: lines} }
	for _, c := range []struct {
		name    string
		engines func(t *testing.T) []speech.STT
		words   string
		notes   []string // parts of what is noted
		deaf    bool
	}{
		{"works", func(*testing.T) []speech.STT { return []speech.STT{good()} }, "four four people.", nil, false},
		{"cannot be opened", func(*testing.T) []speech.STT {
			return []speech.STT{&speechtest.Script{OpenErr: broken}, good()}
		}, "four four people.", []string{"script failed"}, false},
		{"none can be opened", func(*testing.T) []speech.STT {
			return []speech.STT{&speechtest.Script{OpenErr: broken}, &speechtest.Script{OpenErr: broken}}
		}, "", []string{"script failed", "no engine that hears is left"}, true},
		{"hangs", func(*testing.T) []speech.STT {
			return []speech.STT{&oddSTT{name: "hung", open: func(ctx context.Context) (speech.Stream, error) {
				<-ctx.Done()
				return nil, context.Cause(ctx)
			}}, good()}
		}, "four four people.", []string{"hung failed"}, false},
		{"panics", func(*testing.T) []speech.STT {
			return []speech.STT{
				&oddSTT{name: "mad", open: func(context.Context) (speech.Stream, error) { panic("no stream") }},
				&oddSTT{name: "worse", open: func(ctx context.Context) (speech.Stream, error) {
					return scripted(ctx, func([]int16) error { panic("no frames") })
				}},
				good(),
			}
		}, "four four people.", []string{"mad failed", "worse failed"}, false},
		{"breaks and comes back", func(*testing.T) []speech.STT {
			e := &oddSTT{name: "flaky"}
			e.open = func(ctx context.Context) (speech.Stream, error) {
				if e.opens == 2 {
					return good().Open(ctx, speech.Format{SampleRate: 8000})
				}
				frames := 0
				return scripted(ctx, func([]int16) error {
					if frames++; frames > 10 {
						return broken
					}
					return nil
				})
			}
			return []speech.STT{e}
		}, "four four people.", []string{"flaky failed"}, false},
		{"takes no sound", func(*testing.T) []speech.STT {
			return []speech.STT{&oddSTT{name: "slow", open: func(ctx context.Context) (speech.Stream, error) {
				return scripted(ctx, func([]int16) error { <-ctx.Done(); return ctx.Err() })
			}}}
		}, "", []string{"5.9 s of the caller were not understood"}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := hearFor(t, 8*time.Second, nil, c.engines(t)...)
				words, notes, deaf := n.told()
				if words != c.words || deaf != c.deaf {
					t.Errorf("heard %q, deaf %v; want %q, %v", words, deaf, c.words, c.deaf)
				}
				for _, want := range c.notes {
					if !strings.Contains(notes, want) {
						t.Errorf("noted %q, want %q in it", notes, want)
					}
				}
				if len(c.notes) == 0 && notes != "" {
					t.Errorf("noted %q, want nothing", notes)
				}
			})
		})
	}
}

func TestHearingIsMuted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		script := &speechtest.Script{}
		n := hearFor(t, time.Second, func(h *hearing) {
			h.mute()
			synctest.Wait()
			if err := script.Streams()[0].Hear("too late", true); err != nil {
				t.Error(err)
			}
		}, script)
		if words, notes, deaf := n.told(); words != "" || notes != "" || deaf {
			t.Errorf("heard %q, noted %q, deaf %v; want nothing of it", words, notes, deaf)
		}
		h := newHearing([]speech.STT{script}, 8000, "", slog.New(slog.DiscardHandler))
		h.mute()
		h.run(t.Context(), n) // returns
	})
}

// What goes through the ring is whole frames in order, whatever both sides do.
func TestSoundRing(t *testing.T) {
	r := &soundRing{wake: make(chan struct{}, 1)}
	const frames, size = 20_000, 160
	go func() {
		pcm := make([]int16, size)
		for i := range frames {
			for k := range pcm {
				pcm[k] = int16(i)
			}
			r.put(pcm)
		}
	}()
	got, last := 0, -1
	frame := make([]int16, size)
	for got+int(r.lost.Load())/size < frames {
		for r.take(frame) {
			if frame[0] != frame[size-1] || len(slices.Compact(slices.Clone(frame))) != 1 {
				t.Fatalf("a torn frame: %v", frame)
			}
			n := int(frame[0]) // below the wrap of int16, or behind it
			if n <= last && got < 32768 && last < 32767 {
				t.Fatalf("frame %d after %d", n, last)
			}
			last = n
			got++
		}
		if got+int(r.lost.Load())/size < frames {
			select {
			case <-r.wake:
			case <-time.After(5 * time.Second):
				t.Fatalf("%d frames of %d came, %d samples were lost", got, frames, r.lost.Load())
			}
		}
	}
}
