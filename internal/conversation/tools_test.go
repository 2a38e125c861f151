package conversation_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/callwright/callwright/internal/conversation"
	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/flow"
	"github.com/callwright/callwright/internal/speech"
)

// desk is what the tools of a test do: each Do is answered after its time.
type desk struct {
	mu      sync.Mutex
	takes   time.Duration
	answers []flow.Event
	done    []string
}

func (d *desk) do(ctx context.Context, talk *conversation.Conversation, node string, do flow.Do) {
	d.mu.Lock()
	d.done = append(d.done, fmt.Sprint(do.Kind, " ", do.Args["method"], " ", do.Args["url"], do.Args["to"], " ", do.Args["body"]))
	e := flow.Event{OK: true, Value: map[string]any{"state": "sent"}}
	if len(d.answers) > 0 {
		e, d.answers = d.answers[0], d.answers[1:]
	}
	takes := d.takes
	d.mu.Unlock()
	e.Kind, e.Node = flow.Done, node
	go func() {
		select {
		case <-time.After(takes):
			talk.Post(e)
		case <-ctx.Done():
		}
	}()
}

func (d *desk) list() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return strings.Join(d.done, "; ")
}

const shop = `{"variables":{"shop":"acme"},"nodes":[
 {"id":"talk","type":"converse","text":"Welcome.","prompt":"Help.","tools":[
  {"name":"lookup","description":"Finds an order.","url":"https://{{shop}}.example/orders/{{args.order}}","method":"get","text":"I am looking it up.",
   "parameters":{"type":"object","properties":{"order":{"type":"string"}},"required":["order"]}},
  {"name":"cancel","url":"https://example.com/cancel"},
  {"name":"person","destinations":{"sales":"+15550100001","support":"+15550100002"}},
  "note"],
  "edges":[{"to":"broken","kind":"failure"}]},
 {"id":"broken","type":"end","text":"Please call again."}]}`

// history is what a request told the model, a message a line.
func history(req speech.Request) string {
	var b strings.Builder
	for _, m := range req.Messages {
		b.WriteString(m.Role + ": " + m.Text)
		for _, c := range m.Calls {
			fmt.Fprintf(&b, " → %s %s%s", c.ID, c.Name, c.Arguments)
		}
		if m.CallID != "" {
			b.WriteString(" ← " + m.CallID)
		}
		b.WriteString("\n")
	}
	return b.String()
}

func expect(t *testing.T, what, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("%s:\n%s\nwant:\n%s", what, got, want)
	}
}

// once asks for one thing and waits for the end.
func once(c *caller) {
	time.Sleep(3 * time.Second)
	c.speaks("where is order 17", 800*time.Millisecond)
}

func TestModelGoesOnWithWhatAToolAnswers(t *testing.T) {
	m := &model{answers: []answer{
		says("Let me see. ").calls("lookup", `{"order":"A 17"}`),
		says("It was sent. Goodbye.").calls("end_call", "{}"),
	}}
	d := &desk{takes: 500 * time.Millisecond}
	r, _ := playWith(t, shop, conversation.Options{Ear: true, LLM: m, Performer: &record{do: d.do}}, once)
	expect(t, "the transcript", r.said(), "agent: Welcome.\ncaller: where is order 17\nagent: Let me see.\nagent: It was sent. Goodbye.\n")
	expect(t, "the requests", d.list(), "http GET https://acme.example/orders/A%2017<nil> <nil>")
	expect(t, "the second request", history(m.asked[1]), "assistant: Welcome.\nuser: where is order 17\nassistant: Let me see.\n"+
		"assistant:  → 1 lookup{\"order\":\"A 17\"}\ntool: {\"ok\":true,\"result\":{\"state\":\"sent\"}} ← 1\n")
	if r.ended != domain.EndFlow || string(m.asked[0].Tools[0].Parameters) == "" || m.asked[0].Tools[0].Description != "Finds an order." {
		t.Errorf("ended for %s; tools %+v", r.ended, m.asked[0].Tools)
	}
}

func TestModelIsToldWhatWentWrong(t *testing.T) {
	two := says().calls("cancel", `{"order":1}`)
	two.chunks = append(two.chunks, speech.Chunk{Call: &speech.ToolCall{ID: "2", Name: "cancel", Arguments: []byte(`{"order":2}`)}})
	m := &model{answers: []answer{
		says().calls("lookup", `[]`),
		says().calls("lookup", `{"order":null}`),
		says().calls("missing", `{}`),
		says().calls("person", `{"destination":"+19005550000"}`),
		says().calls("note", `broken`),
		two,
		says("Done. Goodbye.").calls("end_call", "{}"),
	}}
	d := &desk{answers: []flow.Event{{Text: "example.com answered the request with 500"}, {OK: true, Value: "gone"}}}
	r, _ := playWith(t, shop, conversation.Options{Ear: true, LLM: m, Performer: &record{do: d.do}}, once)
	expect(t, "the requests", d.list(), "http POST https://example.com/cancel<nil> map[order:1]; http POST https://example.com/cancel<nil> map[order:2]")
	if len(m.asked) != 7 {
		t.Fatalf("the model was asked %d times; transcript:\n%s", len(m.asked), r.said())
	}
	got := history(m.asked[6])
	for _, want := range []string{
		`tool: {"error":"the arguments are not a JSON object"} ← 1`, `tool: {"error":"the arguments lack order"} ← 1`,
		`tool: {"error":"there is no tool \"missing\""} ← 1`, `there is no destination \"+19005550000\"; there are sales, support`,
		"assistant:  → 1 note{}\ntool: {\"ok\":true} ← 1",
		"assistant:  → 1 cancel{\"order\":1} → 2 cancel{\"order\":2}\n" +
			`tool: {"error":"example.com answered the request with 500","ok":false} ← 1` + "\n" + `tool: {"ok":true,"result":"gone"} ← 2`,
	} {
		if !strings.Contains(got, want) {
			t.Errorf("the model was not told %s in\n%s", want, got)
		}
	}
}

func TestModelThatCallsForEver(t *testing.T) {
	m := &model{}
	for range 20 {
		m.answers = append(m.answers, says().calls("cancel", `{}`))
	}
	d := &desk{}
	r, _ := playWith(t, shop, conversation.Options{Ear: true, LLM: m, Performer: &record{do: d.do}}, once)
	if len(m.asked) != 9 || len(m.asked[8].Tools) != 1 || !strings.HasSuffix(r.said(), "agent: I am sorry, that did not work. Please call again.\n") {
		t.Errorf("asked %d times; transcript:\n%s", len(m.asked), r.said())
	}
}

// A caller who interrupts does not make a tool do its work twice.
func TestToolOfAnAnswerThatWasCutOff(t *testing.T) {
	m := &model{answers: []answer{
		says("I cancel it now, it will take a little while. ").calls("cancel", `{"order":17}`),
		says("It is canceled. Goodbye.").calls("end_call", "{}"),
	}}
	d := &desk{takes: 6 * time.Second}
	r, _ := playWith(t, shop, conversation.Options{Ear: true, LLM: m, Performer: &record{do: d.do}}, func(c *caller) {
		once(c)
		time.Sleep(2 * time.Second)
		c.speaks("are you doing it", 800*time.Millisecond)
	})
	expect(t, "the requests", d.list(), "http POST https://example.com/cancel<nil> map[order:17]")
	if len(m.asked) != 2 {
		t.Fatalf("the model was asked %d times; transcript:\n%s", len(m.asked), r.said())
	}
	got := history(m.asked[1])
	if !strings.HasSuffix(got, "user: are you doing it\nassistant:  → 1 cancel{\"order\":17}\ntool: {\"ok\":true,\"result\":{\"state\":\"sent\"}} ← 1\n") {
		t.Errorf("the model was told\n%s", got)
	}
}

func TestToolHandsOverAfterTheWords(t *testing.T) {
	var line *record
	m := &model{answers: []answer{says("I connect you with our sales people now. ").calls("person", `{"destination":"sales"}`)}}
	d := &desk{takes: time.Second}
	line = &record{}
	said := ""
	line.do = func(ctx context.Context, talk *conversation.Conversation, node string, do flow.Do) {
		said = line.said()
		d.do(ctx, talk, node, do)
	}
	r, _ := playWith(t, shop, conversation.Options{Ear: true, LLM: m, Performer: line}, once)
	if d.list() != "transfer <nil> <nil>+15550100001 <nil>" || r.ended != domain.EndTransferred {
		t.Errorf("%s; ended for %s", d.list(), r.ended)
	}
	if !strings.HasSuffix(said, "agent: I connect you with our sales people now.\n") {
		t.Errorf("handed over after\n%s", said)
	}
}

func TestHandOverThatFails(t *testing.T) {
	m := &model{answers: []answer{
		says().calls("person", `{"destination":"support"}`),
		says("Nobody is there. Goodbye.").calls("end_call", "{}"),
	}}
	d := &desk{answers: []flow.Event{{Value: map[string]any{"error": "busy"}}}}
	r, _ := playWith(t, shop, conversation.Options{Ear: true, LLM: m, Performer: &record{do: d.do}}, once)
	if r.ended != domain.EndFlow || !strings.Contains(history(m.asked[1]), `tool: {"ok":false,"result":{"error":"busy"}} ← 1`) {
		t.Errorf("ended for %s; the model was told\n%s", r.ended, history(m.asked[1]))
	}
}

func TestFillersWhileACallerWaits(t *testing.T) {
	slow := says("It was sent. Goodbye.").calls("end_call", "{}")
	slow.pause = 4 * time.Second
	m := &model{answers: []answer{says().calls("lookup", `{"order":"17"}`), slow}}
	d := &desk{takes: 9 * time.Second}
	r, _ := playWith(t, shop, conversation.Options{Ear: true, LLM: m, Performer: &record{do: d.do}, Fillers: []string{"One moment.", "Let me see."}}, once)
	expect(t, "the transcript", r.said(), "agent: Welcome.\ncaller: where is order 17\n"+
		"agent: I am looking it up.\nagent: One moment.\nagent: It was sent. Goodbye.\n")
	if len(r.turns) != 5 {
		t.FailNow()
	}
	for i, turn := range r.turns[2:4] {
		if turn.Note != "filler" {
			t.Errorf("turn %d has the note %q", i+3, turn.Note)
		}
	}
	if wait := r.turns[2].StartMs - r.turns[1].EndMs; wait < 1500 || wait > 3700 {
		t.Errorf("the first filler came after %d ms", wait)
	}
	if got := history(m.asked[1]); strings.Contains(got, "moment") || strings.Contains(got, "looking") {
		t.Errorf("the model was told of fillers:\n%s", got)
	}
	if l := r.turns[4].Latency; l == nil || l.Fillers != 2 {
		t.Errorf("the answer's latency is %+v", l)
	}
}

func TestModelThatSaysNothingIsGivenUp(t *testing.T) {
	never := answer{chunks: []speech.Chunk{{Text: "Too late."}}, pause: time.Hour}
	m := &model{answers: []answer{never}}
	r, _ := playWith(t, shop, conversation.Options{Ear: true, LLM: m, Performer: &record{}, Fillers: []string{"One moment."}}, once)
	expect(t, "the transcript", r.said(), "agent: Welcome.\ncaller: where is order 17\nagent: One moment.\n"+
		"agent: I am sorry, that did not work. Please call again.\n")
	if wait := r.turns[3].StartMs - r.turns[1].EndMs; wait < 8000 || wait > 10500 {
		t.Errorf("it was given up after %d ms", wait)
	}
}

func TestModelThatPanicsIsAFailure(t *testing.T) {
	m := &model{answers: []answer{{err: errors.New("x"), panics: true}}}
	r, _ := playWith(t, shop, conversation.Options{Ear: true, LLM: m, Performer: &record{}}, once)
	if !strings.HasSuffix(r.said(), "agent: I am sorry, that did not work. Please call again.\n") {
		t.Errorf("transcript:\n%s", r.said())
	}
}
