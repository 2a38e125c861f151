package service_test

import (
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/flow"
	"github.com/callwright/callwright/internal/service"
	"github.com/callwright/callwright/internal/store"
	"github.com/callwright/callwright/internal/store/storetest"
)

// withSamples starts the rules on a fresh store as a server does.
func withSamples(t *testing.T, plan domain.Plan) (*service.Service, *service.FirstStart) {
	t.Helper()
	db, err := store.Open(t.Context(), store.Options{Dir: storetest.Dir(t), DSN: storetest.URL(t), Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	rules := service.New(service.Options{
		Store: db, Hooks: map[string]domain.HookDialect{"native": plainHooks{}}, Logger: slog.New(slog.DiscardHandler),
		CheckFlow: func(raw []byte) ([]byte, error) {
			graph, err := flow.Parse(raw)
			if err != nil {
				return nil, err
			}
			return graph.Canonical(), nil
		},
	})
	t.Cleanup(func() {
		rules.Close()
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	first, err := rules.FirstStart(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if plan != first.Workspace.Plan {
		t.Fatalf("the plan is %s", first.Workspace.Plan)
	}
	return rules, first
}

// TestSamples: a new store's test mode has an agent that can call, and finished
// calls of every kind; live mode has nothing.
func TestSamples(t *testing.T) {
	rules, first := withSamples(t, domain.Professional)
	in := domain.Scope{Workspace: first.Workspace.ID, Mode: domain.Test}
	calls, total, err := rules.Calls(t.Context(), in, domain.CallFilter{}, domain.Page{Limit: 50})
	if err != nil || total < 12 || len(calls) != total {
		t.Fatalf("%d of %d calls, %v", len(calls), total, err)
	}
	reasons := map[domain.EndReason]int{}
	newer := first.Workspace.CreatedAt
	for _, c := range calls {
		detail, err := rules.Call(t.Context(), in, c.ID)
		if err != nil {
			t.Fatal(err)
		}
		reasons[c.EndReason]++
		answered := !c.AnsweredAt.IsZero()
		if !c.CreatedAt.Before(newer) || c.EndedAt.After(newer) || first.Workspace.CreatedAt.Sub(c.CreatedAt) > 7*24*time.Hour {
			t.Errorf("a call of %s until %s, before one of %s", c.CreatedAt, c.EndedAt, newer)
		}
		newer = c.CreatedAt
		if c.AgentID != first.Agent.ID || !c.State.Ended() || answered != (len(detail.Turns) > 0) || answered != (c.Analysis != nil) ||
			len(detail.Attempts) != 1 || answered != (c.Duration() > 0) || c.Recording != "" {
			t.Errorf("%+v", detail)
		}
		for i, turn := range detail.Turns {
			if turn.Sequence != i+1 || turn.EndMs <= turn.StartMs || strings.ContainsAny(turn.Text, "{}") || turn.EndMs > c.Duration().Milliseconds() {
				t.Errorf("%+v", turn)
			}
		}
		if answered && (c.Analysis.Summary == "" || c.Analysis.Method != service.SampleMethod || strings.Contains(c.Analysis.Summary, "{")) {
			t.Errorf("%+v", c.Analysis)
		}
	}
	if len(reasons) < 8 {
		t.Errorf("only %v", reasons)
	}
	people, n, err := rules.Contacts(t.Context(), in, domain.ContactFilter{Tag: "sample"}, domain.Page{Limit: 50})
	if err != nil || n < 3 || len(people) != n {
		t.Errorf("%d contacts, %v", n, err)
	}
	for _, c := range people {
		if !slices.ContainsFunc(calls, func(call domain.Call) bool {
			return call.ContactID == c.ID && (call.To == c.Phone || call.From == c.Phone)
		}) {
			t.Errorf("nobody called %+v", c)
		}
	}
	inbound, _, err := rules.Calls(t.Context(), in, domain.CallFilter{Direction: domain.Inbound}, domain.Page{Limit: 5})
	if err != nil || len(inbound) == 0 || inbound[0].To != service.SampleNumber {
		t.Errorf("%+v %v", inbound, err)
	}
	placed, err := rules.PlaceCall(t.Context(), in, service.PlaceRequest{AgentID: first.Agent.ID, To: "+15005550006"}, nil)
	if err != nil || placed.From != service.SampleNumber || placed.FlowID == "" {
		t.Errorf("%+v %v", placed, err)
	}
	live := domain.Scope{Workspace: first.Workspace.ID, Mode: domain.Live}
	if _, n, err := rules.Calls(t.Context(), live, domain.CallFilter{}, domain.Page{Limit: 5}); n != 0 || err != nil {
		t.Errorf("%d calls in live mode, %v", n, err)
	}
	if _, n, err := rules.Agents(t.Context(), live, domain.Page{Limit: 5}); n != 0 || err != nil {
		t.Errorf("%d agents in live mode, %v", n, err)
	}
	again, err := rules.FirstStart(t.Context())
	if _, n, err2 := rules.Calls(t.Context(), in, domain.CallFilter{}, domain.Page{Limit: 5}); err != nil || again.Created || err2 != nil || n != total+1 {
		t.Errorf("a second start: %d calls, %v %v", n, err, err2)
	}
}

// TestSampleAgentIsFree: of a plan's agents the sample is none.
func TestSampleAgentIsFree(t *testing.T) {
	rules, first := withSamples(t, domain.Professional)
	in := domain.Scope{Workspace: first.Workspace.ID, Mode: domain.Test}
	most := domain.Professional.Limits().Agents
	for i := range most + 1 {
		_, err := rules.CreateAgent(t.Context(), in, service.AgentChange{Name: new("A"), SystemPrompt: new("p")}, nil)
		if want := map[bool]domain.Code{true: domain.CodeLimitReached}[i == most]; domain.CodeOf(err) != want {
			t.Fatalf("agent %d: %v", i+1, err)
		}
	}
	if _, n, err := rules.Agents(t.Context(), in, domain.Page{Limit: 1}); n != most+1 || err != nil {
		t.Errorf("%d agents, %v", n, err)
	}
}
