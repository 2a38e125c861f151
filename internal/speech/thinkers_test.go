package speech_test

import (
	"context"
	"errors"
	"iter"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/callwright/callwright/internal/speech"
)

// parrot is an LLM that says its words one after the other.
type parrot struct {
	name   string
	words  []string
	delay  time.Duration // before the first
	err    error         // after the words
	panics bool
	asked  []string // models
}

func (p *parrot) Name() string     { return p.name }
func (p *parrot) Models() []string { return []string{"small", p.name + "-large"} }

func (p *parrot) Chat(ctx context.Context, req speech.Request) iter.Seq2[speech.Chunk, error] {
	p.asked = append(p.asked, req.Model)
	return func(yield func(speech.Chunk, error) bool) {
		select {
		case <-time.After(p.delay):
		case <-ctx.Done():
			yield(speech.Chunk{}, ctx.Err())
			return
		}
		if p.panics {
			panic("a fault")
		}
		for _, w := range p.words {
			if !yield(speech.Chunk{Text: w}, nil) {
				return
			}
		}
		if p.err != nil {
			yield(speech.Chunk{}, p.err)
		}
	}
}

// said is what an LLM answers, with its notes and its error.
func said(ctx context.Context, m speech.LLM) string {
	var b strings.Builder
	for chunk, err := range m.Chat(ctx, speech.Request{}) {
		if chunk.Note != "" {
			b.WriteString("(" + chunk.Note + ") ")
		}
		b.WriteString(chunk.Text)
		if err != nil {
			b.WriteString(" ! " + err.Error())
		}
	}
	return b.String()
}

func TestThinkers(t *testing.T) {
	good := func() *parrot { return &parrot{name: "good", words: []string{"Yes, ", "please."}} }
	for name, c := range map[string]struct {
		engines []speech.LLM
		want    string
		took    time.Duration
	}{
		"the first answers":               {[]speech.LLM{good(), &parrot{name: "b"}}, "Yes, please.", 0},
		"the first fails":                 {[]speech.LLM{&parrot{name: "a", err: errBroken}, good()}, "(a failed) Yes, please.", 0},
		"the first has nothing to say":    {[]speech.LLM{&parrot{name: "a"}, good()}, "(a failed) Yes, please.", 0},
		"the first panics":                {[]speech.LLM{&parrot{name: "a", panics: true}, good()}, "(a failed) Yes, please.", 0},
		"the first is late":               {[]speech.LLM{&parrot{name: "a", delay: time.Minute}, good()}, "(a was late) Yes, please.", 4 * time.Second},
		"the last may be late":            {[]speech.LLM{&parrot{name: "a", words: []string{"Yes."}, delay: time.Minute}}, "Yes.", time.Minute},
		"two fail":                        {[]speech.LLM{&parrot{name: "a", delay: time.Minute}, &parrot{name: "b", err: errBroken}, good()}, "(a was late; b failed) Yes, please.", 4 * time.Second},
		"all fail":                        {[]speech.LLM{&parrot{name: "a", err: errors.New("x")}, &parrot{name: "b", err: errBroken}}, " ! broken", 0},
		"it breaks off in the middle":     {[]speech.LLM{&parrot{name: "a", words: []string{"I am"}, err: errBroken}, good()}, "I am ! broken", 0},
		"the only one has nothing to say": {[]speech.LLM{&parrot{name: "a"}}, " ! a: " + speech.ErrNoAnswer.Error(), 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var faults int
				m := speech.NewThinkers(speech.ThinkersOptions{Engines: c.engines, OnFault: func(string, error) { faults++ }})
				start := time.Now()
				if got := said(t.Context(), m); got != c.want {
					t.Errorf("%q, want %q", got, c.want)
				}
				if took := time.Since(start); took != c.took {
					t.Errorf("it took %s, want %s", took, c.took)
				}
				if wanted := strings.Count(c.want, "failed") + strings.Count(c.want, "late") + strings.Count(c.want, "!"); faults < min(wanted, 1) {
					t.Errorf("%d faults were told", faults)
				}
			})
		})
	}
}

// An engine that failed is asked last for half a minute.
func TestThinkersRestAfterAFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := &parrot{name: "a", words: []string{"A"}, delay: 5 * time.Second}, &parrot{name: "b", words: []string{"B"}}
		m := speech.NewThinkers(speech.ThinkersOptions{Engines: []speech.LLM{a, b}})
		for range 3 {
			said(t.Context(), m)
		}
		if len(a.asked) != 1 || len(b.asked) != 3 {
			t.Errorf("asked %d and %d times", len(a.asked), len(b.asked))
		}
		a.delay = 0
		time.Sleep(31 * time.Second)
		if got := said(t.Context(), m); got != "A" {
			t.Errorf("%q after the rest", got)
		}
		// When all have failed, the one whose failure is longest ago is asked first.
		a.err, a.words, b.err, b.words = errBroken, nil, errBroken, nil
		said(t.Context(), m)
		b.err, b.words = nil, []string{"B"}
		if got := said(t.Context(), m); got != "(a failed) B" {
			t.Errorf("%q after all failed", got)
		}
	})
}

func TestThinkersStopAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := speech.NewThinkers(speech.ThinkersOptions{Engines: []speech.LLM{&parrot{name: "a", delay: time.Minute}, &parrot{name: "b", delay: time.Minute}}})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		start := time.Now()
		if got := said(ctx, m); !strings.HasSuffix(got, context.DeadlineExceeded.Error()) || time.Since(start) != time.Second {
			t.Errorf("%q after %s", got, time.Since(start))
		}
		m = speech.NewThinkers(speech.ThinkersOptions{Engines: []speech.LLM{&parrot{name: "a", words: []string{"1", "2"}}, &parrot{name: "b"}}})
		for range m.Chat(t.Context(), speech.Request{}) {
			break
		}
	})
}

func TestThinkersTakeTheWantedModel(t *testing.T) {
	a, b := &parrot{name: "a/x", words: []string{"A"}}, &parrot{name: "b/y", words: []string{"B"}}
	m := speech.NewThinkers(speech.ThinkersOptions{Engines: []speech.LLM{a, b}})
	for wanted, want := range map[string]string{"B/Y": "b/y", "b/small": "b/small", "small": "a/small", "b/y-large": "b/b/y-large"} {
		one, found := m.Model(wanted)
		if !found || one.Name() != want {
			t.Errorf("%s: %v, %v", wanted, one, found)
			continue
		}
		if got := said(t.Context(), one); got != strings.ToUpper(want[:1]) {
			t.Errorf("%s answered %q", wanted, got)
		}
	}
	if got := strings.Join(b.asked, " "); !strings.Contains(got, "small") || !strings.Contains(got, "b/y-large") {
		t.Errorf("b was asked for %q", got)
	}
	if _, found := m.Model("gpt-9"); found || m.Name() != "a/x" {
		t.Error("a model that nobody has is found")
	}
	// Another engine that answers instead is not asked for a model it does not have.
	b.err, b.words, a.asked = errBroken, nil, nil
	one, _ := m.Model("b/y-large")
	if got := said(t.Context(), one); got != "(b/y failed) A" || a.asked[0] != "" {
		t.Errorf("%q, asked for %q", got, a.asked)
	}
}
