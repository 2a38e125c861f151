package app_test

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/sip/siptest"
)

// afterIntent does something to the first call that is dialed, once its intent is
// committed and before the engine hears of that.
type afterIntent struct {
	domain.Observers // none
	house            atomic.Pointer[house]
	do               func(h *house, id domain.ID)
	once             sync.Once
}

// Committed is told of a transaction by whoever has waited for it.
func (a *afterIntent) Committed(lane domain.Lane, _ time.Duration, _ error) {
	h := a.house.Load()
	if h == nil || lane != domain.LaneDial {
		return
	}
	in := domain.Scope{Workspace: h.app.First.Workspace.ID, Mode: h.mode}
	dialed, _, err := h.app.Service.Calls(context.Background(), in, domain.CallFilter{States: []domain.CallState{domain.CallDialing}}, domain.Page{Limit: 1})
	if err != nil || len(dialed) == 0 {
		return
	}
	a.once.Do(func() { a.do(h, dialed[0].ID) }) // others wait until it is done
}

// TestNoInviteAfterOptOut has an opt-out be answered after the intent of a call
// was committed, and before its INVITE is sent: it is not. Neither is that of a
// call that is canceled then.
func TestNoInviteAfterOptOut(t *testing.T) {
	t.Parallel()
	const to = "+12025550123"
	for reason, do := range map[string]func(h *house, id domain.ID){
		"do-not-call": func(h *house, _ domain.ID) { h.post("/do-not-call", map[string]any{"number": to}, &struct{}{}) },
		"canceled":    func(h *house, id domain.ID) { h.post("/calls/"+string(id)+"/cancel", nil, &struct{}{}) },
	} {
		t.Run(reason, func(t *testing.T) {
			watch := &afterIntent{do: do}
			h := open(t, setup{observer: watch})
			carrier := siptest.UAS(t, siptest.Scenario{Name: siptest.Answer})
			from := h.number(h.trunkTo(carrier.Addr, nil), h.agent(nil, lasting(1)...), 1)
			agent := h.agent(nil, lasting(1)...)
			watch.house.Store(h)
			id := h.place(agent, from, to)
			h.wants(h.reaches(id, "failed"), "failed", reason)
			if n := carrier.Received("INVITE"); n != 0 {
				t.Errorf("%d INVITEs were sent", n)
			}
		})
	}
}
