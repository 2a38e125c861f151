package app_test

import (
	"fmt"
	"testing"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/service"
)

// TestCrowd has many simulated calls at once: each is a whole call, with its
// events and its recording.
func TestCrowd(t *testing.T) {
	t.Parallel()
	const calls = 30
	h := open(t, setup{mode: domain.Test, plan: domain.Enterprise})
	agent := h.agent(nil, say("hello", "one two three", "ask"),
		map[string]any{"id": "ask", "type": "ask", "text": "How are you?", "variable": "mood", "answer": map[string]any{"type": "text"},
			"edges": []any{map[string]any{"to": "bye"}}},
		bye("good bye"))
	var own []struct {
		ID     domain.ID
		Number string
	}
	h.must("GET", "/phone-numbers", nil, &own)
	if len(own) != 1 || own[0].Number != service.SampleNumber {
		trunk := h.sandboxTrunk()
		own = append(own[:0], struct {
			ID     domain.ID
			Number string
		}{ID: h.number(trunk, agent, 1)})
	}
	ids := make([]domain.ID, calls)
	for i := range ids {
		ids[i] = h.place(agent, own[0].ID, fmt.Sprintf("+1500777%04d", 100+i)) // people without a persona
	}
	for _, id := range ids {
		c := h.ended(id)
		h.wants(c, "completed", c.EndReason)
		if c.EndReason != "flow-ended" && c.EndReason != "caller-hangup" {
			t.Errorf("call %s ended for %s", id, c.EndReason)
		}
		if len(c.Turns) < 2 || c.Turns[1].Text != "Hello. Sorry, I cannot talk right now. Goodbye." {
			t.Errorf("call %s has the turns %v, want both sides, whole", id, c.Turns)
		}
		h.recordedWhole(c)
	}
}

// sandboxTrunk makes a trunk to the simulated phones.
func (h *house) sandboxTrunk() domain.ID {
	h.Helper()
	var made object
	h.post("/trunks", map[string]any{"name": "sandbox"}, &made)
	return made.ID
}
