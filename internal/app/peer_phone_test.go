package app_test

import (
	"cmp"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/sip/siptest"
	"github.com/callwright/callwright/internal/speech/speechtest"
)

// choosing is a flow that goes one way for the key 1 and another for 2.
func choosing(text string) []map[string]any {
	end := func(id, text string) map[string]any { return map[string]any{"id": id, "type": "end", "text": text} }
	return []map[string]any{
		{"id": "menu", "type": "dtmf", "text": text, "timeoutSeconds": 20, "edges": []any{
			map[string]any{"to": "sales", "digits": "1"}, map[string]any{"to": "help", "digits": "2"}, map[string]any{"to": "lost", "kind": "else"}}},
		end("sales", "sales"), end("help", "help"), end("lost", "lost"),
	}
}

// received is how many requests of a method a phone got.
func received(b *siptest.Baresip, method string) (n int) {
	for _, m := range b.Messages() {
		if m.Received && m.Is(method) {
			n++
		}
	}
	return n
}

// holds has a phone hold the call for half a second and take it back.
func holds(t *testing.T, b *siptest.Baresip) {
	t.Helper()
	for _, want := range []string{"a=recvonly", "a=sendrecv"} {
		b.Hold(want == "a=recvonly")
		last := ""
		for deadline := time.Now().Add(callLimit); !strings.Contains(last, want); time.Sleep(20 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("no answer with %s came; the last was\n%s", want, last)
			}
			for _, m := range b.Messages() {
				if m.Received && m.Is("200") && strings.HasSuffix(m.Header("CSeq"), "INVITE") {
					last = m.Text
				}
			}
		}
		time.Sleep(500 * time.Millisecond)
	}
}

// phoneCase is how a phone takes a call, and what becomes of it.
type phoneCase struct {
	name           string
	agent          domain.ID
	phone          siptest.BaresipOptions
	during         func(*testing.T, *siptest.Baresip) // the call
	status, reason string
	gets           string // "BYE" or "CANCEL" of ours, "" for neither
	said           string // last by the agent
}

// TestBaresipEndings calls phones of another maker that take the call, or do
// not, each in a way of its own. Baresip has no 603: its user is busy instead.
func TestBaresipEndings(t *testing.T) {
	t.Parallel()
	h := open(t, setup{ring: 5 * time.Second})
	const twice, question = sung + " " + sung, sung + " " + sung + " " + sung
	talks, menu := h.agent(nil, say("hello", twice, "rest"), pause("rest", 0.5, "bye"), bye("")), h.agent(nil, choosing(question)...)
	hears := func(_ *testing.T, b *siptest.Baresip) { b.HearTone(speechtest.Pitch("", twice), callLimit) }
	hangup := func(event string) func(*testing.T, *siptest.Baresip) {
		return func(_ *testing.T, b *siptest.Baresip) { b.Expect(event, 1, callLimit); b.Hangup() }
	}
	presses := func(key string) func(*testing.T, *siptest.Baresip) {
		return func(_ *testing.T, b *siptest.Baresip) {
			b.HearTone(speechtest.Pitch("", question), callLimit)
			b.Digits(key)
		}
	}
	for i, c := range []phoneCase{
		{name: "talks to the end", agent: talks, during: hears, status: "completed", reason: "flow-ended", gets: "BYE", said: twice},
		{name: "hangs up", agent: h.agent(nil, lasting(30)...), during: hangup(siptest.BaresipEstablished), status: "completed", reason: "caller-hangup"},
		{name: "refuses by hand", agent: talks, phone: siptest.BaresipOptions{Manual: true}, during: hangup(siptest.BaresipIncoming), status: "failed", reason: "busy"},
		{name: "rings on", agent: talks, phone: siptest.BaresipOptions{Manual: true}, status: "failed", reason: "no-answer", gets: "CANCEL"},
		{name: "has another number", agent: talks, phone: siptest.BaresipOptions{User: "somebody"}, status: "failed", reason: "invalid-number"},
		{name: "has another codec", agent: talks, phone: siptest.BaresipOptions{Codecs: []string{"g722"}}, status: "failed", reason: "media-not-agreed"},
		{name: "presses a key", agent: menu, during: presses("2"), status: "completed", reason: "flow-ended", gets: "BYE", said: "help"},
		{name: "presses a key by INFO", agent: menu, phone: siptest.BaresipOptions{Account: "dtmfmode=info"},
			during: presses("1"), status: "completed", reason: "flow-ended", gets: "BYE", said: "sales"},
		{name: "holds and goes on", agent: h.agent(nil, sings()...), during: func(t *testing.T, b *siptest.Baresip) {
			b.HearTone(speechtest.Pitch("", sung), callLimit)
			holds(t, b) // after which this phone's file of what it hears stays as it is
		}, status: "completed", reason: "flow-ended", gets: "BYE", said: sung},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			mine := *h
			mine.T = t
			mine.takes(c, i)
		})
	}
}

// takes calls a phone that takes the call as c says; i makes the numbers differ.
func (h *house) takes(c phoneCase, i int) {
	h.Helper()
	to := fmt.Sprintf("+120255502%02d", i)
	c.phone.User, c.phone.Hertz = cmp.Or(c.phone.User, to), 700
	b := siptest.StartBaresip(h.T, c.phone)
	from := h.number(h.trunkTo(b.Addr, nil), c.agent, i)
	id := h.place(c.agent, from, to)
	if c.during != nil {
		c.during(h.T, b)
	}
	got := h.ended(id)
	h.wants(got, c.status, c.reason)
	if c.gets != "" {
		b.Expect(siptest.BaresipClosed, 1, callLimit)
	}
	for _, method := range []string{"INVITE", "CANCEL", "BYE"} {
		want := 0
		if method == "INVITE" || method == c.gets {
			want = 1
		}
		if n := received(b, method); n != want && (n == 0 || want == 0) { // what is late is sent again
			h.Errorf("the phone got %d × %s, want %d", n, method, want)
		}
	}
	if c.status == "failed" {
		if !got.AnsweredAt.IsZero() || got.RecordingURL != "" || len(got.Turns) > 0 {
			h.Errorf("answered at %v, recording %q, turns %v; want none", got.AnsweredAt, got.RecordingURL, got.Turns)
		}
		return
	}
	if c.said == "" {
		return
	}
	if n := len(got.Turns); n == 0 || !strings.HasSuffix(got.Turns[n-1].Text, c.said) {
		h.Errorf("turns %v, want %q as the last", got.Turns, c.said)
	}
	left, right := h.recording(got)
	if n := parts(left, 8000, 700); n < 4 {
		h.Errorf("the phone's tone is in %d00 ms of the recording", n)
	}
	if hz := speechtest.Pitch("", sung); c.said == sung && parts(right, 8000, hz) < 4 {
		h.Errorf("the agent's tone is in %d00 ms of the recording", parts(right, 8000, hz))
	}
}
