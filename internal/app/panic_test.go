package app_test

import (
	"context"
	"fmt"
	"iter"
	"strings"
	"testing"
	"time"

	"github.com/callwright/callwright/internal/audio"
	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/sip/siptest"
	"github.com/callwright/callwright/internal/speech"
	"github.com/callwright/callwright/internal/speech/speechtest"
)

// boom is the word at which parts of the house break in these tests.
const boom = "boom"

// brokenVoice breaks when it is to say the word.
type brokenVoice struct{ speechtest.Tone }

func (v *brokenVoice) Speak(ctx context.Context, voice, text string, out audio.Writer) error {
	if strings.Contains(text, boom) {
		panic("the voice")
	}
	return v.Tone.Speak(ctx, voice, text, out)
}

// brokenModel breaks when it is asked.
type brokenModel struct{}

func (brokenModel) Name() string { return "broken" }

func (brokenModel) Chat(context.Context, speech.Request) iter.Seq2[speech.Chunk, error] {
	panic("the model")
}

// brokenEar breaks for callers of one language.
type brokenEar struct{}

func (brokenEar) Name() string { return "broken" }

func (brokenEar) Open(_ context.Context, f speech.Format) (speech.Stream, error) {
	if f.Language == "pa" {
		panic("the ear")
	}
	return nil, fmt.Errorf("this ear is deaf")
}

// brokenObserver breaks when it is told of one turn, and of states of calls to
// some numbers.
type brokenObserver struct {
	domain.Observers
	states map[string]domain.CallState // by number
}

func (brokenObserver) TurnEnded(t *domain.Turn) {
	if t.Text == "one turn" {
		panic("a turn")
	}
}

func (o brokenObserver) CallChanged(c *domain.Call) {
	if c.State == o.states[c.To] {
		panic("a state")
	}
}

// TestPanics breaks one goroutine after the other of calls, beside others: those
// that broke fail, the others go on.
func TestPanics(t *testing.T) {
	t.Parallel()
	const others = 99
	h := open(t, setup{
		plan: domain.Enterprise, gap: 10 * time.Minute /* the peers send no sound */, voice: &brokenVoice{}, models: []speech.LLM{brokenModel{}}, stt: []speech.STT{brokenEar{}},
		observer: brokenObserver{states: map[string]domain.CallState{
			"+12025550201": domain.CallDialing, "+12025550202": domain.CallRinging, "+12025550203": domain.CallInProgress,
		}},
	})
	fast := map[string]any{"callsPerSecond": 100}
	bystander := siptest.UAS(t, siptest.Scenario{Name: siptest.Answer})
	long := h.agent(nil, lasting(120)...)
	ids := h.placeMany(long, h.number(h.trunkTo(bystander.Addr, fast), long, 1), others)
	bystander.Expect("ACK", others, 2*callLimit)

	peer := siptest.UAS(t, siptest.Scenario{Name: siptest.Answer})
	from := h.number(h.trunkTo(peer.Addr, fast), long, 2)
	var prompted object
	h.post("/agents", map[string]any{"name": "P", "systemPrompt": "Talk."}, &prompted)
	broken := []struct {
		what, to, reason string
		agent            domain.ID
	}{
		{"a turn", "+12025550200", "internal-error", h.agent(nil, say("a", "one turn", "c"), pause("c", 60, "bye"), bye(""))},
		{"the state dialing", "+12025550201", "internal-error", long},
		{"the state ringing", "+12025550202", "internal-error", long},
		{"the state in-progress", "+12025550203", "internal-error", long},
		{"the model", "+12025550204", "", prompted.ID},
		{"the voice", "+12025550205", "", h.agent(nil, say("a", "say "+boom, "c"), pause("c", 1, "bye"), bye(""))},
		{"the ear", "+12025550206", "flow-ended", h.agent(map[string]any{"language": "pa"}, lasting(1)...)},
	}
	placed := make([]domain.ID, len(broken))
	for i, c := range broken {
		placed[i] = h.place(c.agent, from, c.to)
	}
	for i, c := range broken {
		got := h.ended(placed[i])
		if c.reason != "" && got.EndReason != c.reason {
			t.Errorf("%s: the call is %s/%s, want %s; notes %q", c.what, got.Status, got.EndReason, c.reason, got.Notes)
		}
	}
	open := map[string]bool{} // calls at the peer by Call-ID
	for _, m := range peer.Messages() {
		if m.Received && m.Is("INVITE") {
			open[m.Header("Call-ID")] = true
		}
		if m.Received && (m.Is("BYE") || m.Is("CANCEL")) {
			delete(open, m.Header("Call-ID"))
		}
	}
	if len(open) > 0 {
		t.Errorf("%d calls that broke were not hung up", len(open))
	}
	for _, id := range ids {
		if c := h.read(id); c.Status != "in-progress" {
			t.Errorf("a bystander is %s/%s", c.Status, c.EndReason)
		}
	}
	if n := bystander.Received("BYE"); n != 0 {
		t.Errorf("%d bystanders were hung up", n)
	}
}
