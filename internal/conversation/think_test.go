package conversation_test

import (
	"context"
	"errors"
	"iter"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/speech"
)

// answer is what a scripted model gives to one request.
type answer struct {
	chunks []speech.Chunk
	pause  time.Duration // before each chunk
	err    error         // after the chunks
	panics bool          // instead
}

func says(texts ...string) answer {
	a := answer{pause: 50 * time.Millisecond}
	for _, text := range texts {
		a.chunks = append(a.chunks, speech.Chunk{Text: text})
	}
	return a
}

func (a answer) calls(name, args string) answer {
	a.chunks = append(slices.Clone(a.chunks), speech.Chunk{Call: &speech.ToolCall{ID: "1", Name: name, Arguments: []byte(args)}})
	return a
}

// model is an LLM that follows a script and remembers what it was asked.
type model struct {
	mu      sync.Mutex
	answers []answer
	asked   []speech.Request
	given   int // chunks that were taken
}

func (m *model) Name() string { return "script" }

func (m *model) Chat(ctx context.Context, req speech.Request) iter.Seq2[speech.Chunk, error] {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.asked = append(m.asked, req)
	a := answer{err: errors.New("the script is at its end")}
	if len(m.answers) > 0 {
		a, m.answers = m.answers[0], m.answers[1:]
	}
	return func(yield func(speech.Chunk, error) bool) {
		if a.panics {
			panic("a fault of the engine")
		}
		for _, c := range a.chunks {
			select {
			case <-time.After(a.pause):
			case <-ctx.Done():
				yield(speech.Chunk{}, ctx.Err())
				return
			}
			m.mu.Lock()
			m.given++
			m.mu.Unlock()
			if !yield(c, nil) {
				return
			}
		}
		if a.err != nil {
			yield(speech.Chunk{}, a.err)
		}
	}
}

// history is what the model was told with its nth request.
func (m *model) history(n int) string {
	var b strings.Builder
	for _, msg := range m.asked[n].Messages {
		b.WriteString(msg.Role + ": " + msg.Text + "\n")
	}
	return b.String()
}

const chat = `{"globalPrompt":"You are Sam.","nodes":[
 {"id":"talk","type":"converse","prompt":"Help.","tools":["lookup","transfer"],"edges":[{"to":"late","kind":"event","event":"transfer"}]},
 {"id":"late","type":"end","text":"We are closed now."}]}`

func TestModelTalksAndEndsTheCall(t *testing.T) {
	m := &model{answers: []answer{
		says("Hello, ", "this is Sam. ", "How can I help?"),
		says("That is done. ", "Goodbye.").calls("end_call", "{}"),
	}}
	r, _ := playFlow(t, chat, m, func(c *caller) {
		time.Sleep(6 * time.Second)
		c.speaks("cancel my order", 800*time.Millisecond)
	})
	want := "agent: Hello, this is Sam. How can I help?\ncaller: cancel my order\nagent: That is done. Goodbye.\n"
	if got := r.said(); got != want {
		t.Errorf("transcript:\n%s\nwant:\n%s", got, want)
	}
	if r.ended != domain.EndFlow {
		t.Errorf("ended for %q", r.ended)
	}
	if got, want := m.history(1), "assistant: Hello, this is Sam. How can I help?\nuser: cancel my order\n"; got != want {
		t.Errorf("the model was told\n%s\nwant\n%s", got, want)
	}
	var names []string
	for _, tool := range m.asked[0].Tools {
		names = append(names, tool.Name)
	}
	if got := strings.Join(names, " "); got != "lookup transfer end_call" || m.asked[0].System != "You are Sam.\n\nHelp." {
		t.Errorf("asked with the tools %q and the prompt %q", got, m.asked[0].System)
	}
}

func TestModelEndsTheCallWithoutAWord(t *testing.T) {
	m := &model{answers: []answer{says().calls("end_call", "")}}
	r, _ := playFlow(t, chat, m, func(*caller) {})
	if r.said() != "" || r.ended != domain.EndFlow {
		t.Errorf("ended for %q after\n%s", r.ended, r.said())
	}
}

func TestModelToolIsAnEventOfTheFlow(t *testing.T) {
	m := &model{answers: []answer{
		says("One moment, I connect you.").calls("transfer", `{"to":"sales"}`),
	}}
	m.answers[0].chunks = append(m.answers[0].chunks, speech.Chunk{Text: " Nobody should hear this."})
	r, _ := playFlow(t, chat, m, func(*caller) {})
	if got, want := r.said(), "agent: One moment, I connect you. We are closed now.\n"; got != want {
		t.Errorf("transcript:\n%s\nwant:\n%s", got, want)
	}
}

func TestModelToolThatNoEdgeWaitsForChangesNothing(t *testing.T) {
	a := says("Let me look.").calls("lookup", `not JSON`)
	a.chunks = append(a.chunks, speech.Chunk{Text: " It is fine. Goodbye."})
	m := &model{answers: []answer{a.calls("end_call", "{}")}}
	r, _ := playFlow(t, chat, m, func(*caller) {})
	if got := strings.ReplaceAll(r.said(), "\nagent:", ""); got != "agent: Let me look. It is fine. Goodbye.\n" || r.ended != domain.EndFlow {
		t.Errorf("ended for %q after\n%s", r.ended, r.said())
	}
}

func TestModelThatFailsEndsTheCallPolitely(t *testing.T) {
	m := &model{answers: []answer{{err: errors.New("503")}}}
	r, _ := playFlow(t, chat, m, func(*caller) {})
	if !strings.Contains(r.said(), "something went wrong. Goodbye.") || r.ended != domain.EndInternal {
		t.Errorf("ended for %q after\n%s", r.ended, r.said())
	}
}

func TestInterruptedModelStopsThinking(t *testing.T) {
	long := says(strings.Split(strings.Repeat("And there is more to say about it. |", 30), "|")...)
	long.pause = 300 * time.Millisecond
	m := &model{answers: []answer{
		long.calls("end_call", "{}"), // must not count any more
		says("Sorry. Goodbye.").calls("end_call", "{}"),
	}}
	r, _ := playFlow(t, chat, m, func(c *caller) {
		time.Sleep(3 * time.Second)
		c.speaks("please stop", 800*time.Millisecond)
	})
	if len(r.turns) != 3 || !r.turns[0].Interrupted || r.turns[1].Text != "please stop" || r.turns[2].Text != "Sorry. Goodbye." {
		t.Fatalf("transcript:\n%s", r.said())
	}
	if m.given > 20 {
		t.Errorf("%d pieces were taken from the model after it was cut off", m.given)
	}
	if got := m.history(1); got != "assistant: "+r.turns[0].Text+"\nuser: please stop\n" {
		t.Errorf("the model was told what nobody heard:\n%s", got)
	}
}

func TestModelKnowsWhatIsAboutToBeSaid(t *testing.T) {
	const greeted = `{"nodes":[{"id":"hi","type":"say","text":"Welcome to Acme.","edges":[{"to":"talk"}]},
 {"id":"talk","type":"converse","prompt":"Help."}]}`
	m := &model{answers: []answer{says("How can I help? Goodbye.").calls("end_call", "{}")}}
	r, _ := playFlow(t, greeted, m, func(*caller) {})
	if got := m.history(0); got != "assistant: Welcome to Acme.\n" {
		t.Errorf("the model was told %q", got)
	}
	if got := r.said(); got != "agent: Welcome to Acme.\nagent: How can I help? Goodbye.\n" {
		t.Errorf("transcript:\n%s", got)
	}
}
