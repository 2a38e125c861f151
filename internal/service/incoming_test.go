package service_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/service"
)

// switchboard is what a workspace needs to be called, in live mode.
type switchboard struct {
	*kit
	epoch domain.ID
	trunk *domain.Trunk
	agent *domain.Agent
}

func newSwitchboard(t *testing.T) *switchboard {
	t.Helper()
	b := &switchboard{kit: newKit(t), epoch: domain.NewID()}
	b.ok(b.Join(t.Context(), domain.Node{Epoch: b.epoch}))
	flow, err := b.CreateFlow(t.Context(), b.prod, service.FlowChange{Name: new("F"), Status: new(domain.FlowPublished), Definition: []byte(`{}`)}, nil)
	b.ok(err)
	b.agent, err = b.CreateAgent(t.Context(), b.prod, service.AgentChange{
		Name: new("A"), FlowID: &flow.ID, Variables: &map[string]any{"city": "Bern"}, MaxCallDuration: new(time.Minute),
	}, nil)
	b.ok(err)
	b.trunk = b.trunkTo("192.0.2.1")
	return b
}

func (b *switchboard) trunkTo(host string) *domain.Trunk {
	b.Helper()
	trunk, err := b.CreateTrunk(b.Context(), b.prod, service.TrunkChange{Name: new("T"), Host: &host, MaxCalls: new(3)}, nil)
	b.ok(err)
	return trunk
}

func (b *switchboard) number(number string, req service.NumberChange) *domain.PhoneNumber {
	b.Helper()
	req.Number, req.TrunkID = &number, &b.trunk.ID
	n, err := b.CreateNumber(b.Context(), b.prod, req, nil)
	b.ok(err)
	return n
}

// ring has a call come in to a number.
func (b *switchboard) ring(n *domain.PhoneNumber, from string) (*service.Dial, error) {
	b.Helper()
	return b.Receive(b.Context(), service.Incoming{Caller: from, SIPCallID: "x@y", Epoch: b.epoch}, n, b.trunk)
}

func TestCallee(t *testing.T) {
	b := newSwitchboard(t)
	own := b.number("+12025550100", service.NumberChange{})
	b.number("+442079460018", service.NumberChange{})
	b.number("+12079460018", service.NumberChange{}) // the same digits abroad
	other := b.trunkTo("192.0.2.2")
	strange := *other
	strange.WorkspaceID = domain.NewID()
	for _, c := range []struct {
		called []string
		trunks []domain.Trunk
		want   string
		over   domain.ID
	}{
		{[]string{"+12025550100"}, []domain.Trunk{*b.trunk}, "+12025550100", b.trunk.ID},
		{[]string{"12025550100"}, []domain.Trunk{*other, *b.trunk}, "+12025550100", b.trunk.ID},
		{[]string{"12025550100"}, []domain.Trunk{strange, *other}, "+12025550100", other.ID},
		{[]string{"contact", "2025550100"}, []domain.Trunk{*b.trunk}, "+12025550100", b.trunk.ID},
		{[]string{"+12025550199", "+12025550100"}, []domain.Trunk{*b.trunk}, "+12025550100", b.trunk.ID},
		{[]string{"2079460018"}, []domain.Trunk{*b.trunk}, "", ""}, // of two numbers
		{[]string{"00442079460018"}, []domain.Trunk{*b.trunk}, "+442079460018", b.trunk.ID},
		{[]string{"+12025550100"}, []domain.Trunk{strange}, "", ""},
		{[]string{"+12025550100"}, nil, "", ""},
		{nil, []domain.Trunk{*b.trunk}, "", ""},
		{[]string{"'; DROP TABLE numbers; --", "\x00"}, []domain.Trunk{*b.trunk}, "", ""},
	} {
		n, over, err := b.Callee(t.Context(), service.Incoming{Called: c.called, Trunks: c.trunks})
		switch {
		case c.want == "":
			b.code(err, domain.CodeNotFound)
		case err != nil || n.Number != c.want || over.ID != c.over:
			t.Errorf("%q over %d trunks: %+v over %+v, %v; want %s", c.called, len(c.trunks), n, over, err, c.want)
		}
	}
	if own.TrunkID != b.trunk.ID {
		t.Error(own)
	}
}

func TestReceive(t *testing.T) {
	b := newSwitchboard(t)
	n := b.number("+12025550100", service.NumberChange{AgentID: &b.agent.ID})
	d, err := b.ring(n, "+4722000001")
	b.ok(err)
	detail, err := b.Call(t.Context(), b.prod, d.Call.ID)
	b.ok(err)
	c := detail.Call
	if c.Direction != domain.Inbound || c.State != domain.CallRinging || c.From != "+4722000001" || c.To != n.Number || c.RingingAt.IsZero() ||
		c.AgentID != b.agent.ID || c.FlowVersion != 1 || c.MaxDuration != time.Minute || c.Variables["city"] != "Bern" || c.PhoneNumberID != n.ID {
		t.Errorf("%+v", c)
	}
	if at := detail.Attempts; len(at) != 1 || at[0].Kind != domain.AttemptIncoming || at[0].State != domain.AttemptRinging || at[0].Epoch != b.epoch {
		t.Errorf("%+v", at)
	}
	if d.Agent.ID != b.agent.ID || d.Flow == nil || d.Message != "" || d.Trunk.ID != b.trunk.ID {
		t.Errorf("%+v", d)
	}
	for raw, want := range map[string]string{
		"": service.Anonymous, "ANONYMOUS": service.Anonymous, "front\x00desk\n": "frontdesk", "\xff\xfe": service.Anonymous,
		strings.Repeat("é", 200): strings.Repeat("é", 64), "0047 22 22 55 55": "+4722225555",
	} {
		d, err := b.ring(n, raw)
		b.ok(err)
		if d.Call.From != want {
			t.Errorf("a caller who sends %q is kept as %q, want %q", raw, d.Call.From, want)
		}
		b.ok(b.FinishCall(t.Context(), service.Verdict{Call: d.Call.ID, Attempt: d.Attempt, Reason: domain.EndCanceled, EndedAt: b.now()}))
	}
	for range 2 { // of the three that the trunk carries
		_, err := b.ring(n, "+4722000001")
		b.ok(err)
	}
	_, err = b.ring(n, "+4722000001")
	b.code(err, domain.CodeLimitReached)
	dead := service.Incoming{Caller: "+4722000001", Epoch: domain.NewID()}
	_, err = b.Receive(t.Context(), dead, n, b.trunk)
	b.code(err, domain.CodeUnavailable)
	b.live.draining = true
	_, err = b.ring(n, "+4722000001")
	b.code(err, domain.CodeUnavailable)
	_, err = b.PlaceCall(t.Context(), b.prod, service.PlaceRequest{AgentID: b.agent.ID, To: "+12025550123"}, nil)
	b.code(err, domain.CodeUnavailable)
}

func TestReceiveOutsideOfHours(t *testing.T) {
	b := newSwitchboard(t)
	night, err := b.CreateAgent(t.Context(), b.prod, service.AgentChange{Name: new("N"), FlowID: &b.agent.FlowID}, nil)
	b.ok(err)
	b.at = time.Date(2026, 7, 6, 6, 30, 0, 0, time.UTC) // Monday, 08:30 in Oslo
	b.ok(b.Beat(t.Context(), b.epoch))
	var week [7][]domain.Span
	week[time.Monday] = []domain.Span{{From: 13 * 60, To: 17 * 60}, {From: 9 * 60, To: 12 * 60}}
	hours := func(c domain.Closed) *domain.Hours {
		return &domain.Hours{Timezone: "Europe/Oslo", Week: week, Closed: c}
	}
	for i, c := range []struct {
		closed  domain.Closed
		agent   domain.ID // that answers, or "" for nobody
		message string
	}{
		{domain.Closed{Action: domain.ClosedMessage, Text: "Closed."}, b.agent.ID, "Closed."},
		{domain.Closed{Action: domain.ClosedAgent, AgentID: night.ID}, night.ID, ""},
		{domain.Closed{Action: domain.ClosedReject}, "", ""},
	} {
		n := b.number(fmt.Sprintf("+120255501%02d", i), service.NumberChange{AgentID: &b.agent.ID, Hours: hours(c.closed)})
		if spans := n.Hours.Week[time.Monday]; len(spans) != 2 || spans[0].From != 9*60 {
			t.Errorf("spans are kept as %v, want them in order", spans)
		}
		d, err := b.ring(n, "+4722000001")
		if c.agent == "" {
			b.code(err, domain.CodeConflict)
			continue
		}
		b.ok(err)
		if d.Agent.ID != c.agent || d.Message != c.message || (d.Flow == nil) != (c.message != "") {
			t.Errorf("%s: %+v", c.closed.Action, d)
		}
		b.ok(b.FinishCall(t.Context(), service.Verdict{Call: d.Call.ID, Attempt: d.Attempt, Reason: domain.EndFlow, EndedAt: b.now()}))
	}
	b.pass(time.Hour) // 09:30
	for i := range 3 {
		n, _, err := b.Callee(t.Context(), service.Incoming{Called: []string{fmt.Sprintf("+120255501%02d", i)}, Trunks: []domain.Trunk{*b.trunk}})
		b.ok(err)
		d, err := b.ring(n, "+4722000001")
		b.ok(err)
		if d.Agent.ID != b.agent.ID || d.Message != "" {
			t.Errorf("within the hours: %+v", d)
		}
	}
}

func TestHandOver(t *testing.T) {
	b := newSwitchboard(t)
	n := b.number("+12025550100", service.NumberChange{AgentID: &b.agent.ID})
	d, err := b.ring(n, "+4722000001")
	b.ok(err)
	pbx := b.trunkTo("pbx.example.com")
	over := func(to string, mode domain.TransferMode) (*service.Leg, error) {
		return b.HandOver(t.Context(), d.Call, domain.Transfer{To: to, Mode: mode}, b.epoch, "leg@y")
	}
	leg, err := over("+12025550123", domain.TransferBridge)
	b.ok(err)
	if leg.Trunk.ID != b.trunk.ID || leg.To != "+12025550123" || leg.From != n.Number || leg.Attempt.Kind != domain.AttemptTransfer ||
		leg.Attempt.State != domain.AttemptIntent || leg.Attempt.TryNumber != 2 {
		t.Errorf("%+v", leg)
	}
	leg, err = over("sip:desk.1@PBX.example.com", "")
	b.ok(err)
	if leg.Trunk.ID != pbx.ID || leg.To != "desk.1" || leg.Attempt.TryNumber != 3 {
		t.Errorf("%+v", leg)
	}
	leg, err = over("sip:desk@pbx.example.com:5060", domain.TransferRefer)
	b.ok(err)
	if leg.Attempt.ID != "" {
		t.Errorf("an attempt was stored although the far end dials: %+v", leg)
	}
	for to, want := range map[string]domain.Code{
		"+19005550123":                     domain.CodeForbidden,
		"+881612345678":                    domain.CodeForbidden, // a satellite
		"sip:+19005550123@pbx.example.com": domain.CodeForbidden,
		"sip:desk@elsewhere.example":       domain.CodeForbidden,
		"sip:desk@pbx.example.com:5070":    domain.CodeForbidden,
		"sip:de sk@pbx.example.com":        domain.CodeInvalid,
		"sip:desk@pbx.example.com;maddr=x": domain.CodeInvalid,
		"sip:desk@pbx.example.com:high":    domain.CodeInvalid,
		"sips:desk@pbx.example.com":        domain.CodeInvalid,
		"front desk":                       domain.CodeInvalid,
		"":                                 domain.CodeInvalid,
	} {
		_, err := over(to, domain.TransferBridge)
		b.code(err, want)
	}
	_, err = over("+12025550124", domain.TransferBridge) // the trunk's third call
	b.ok(err)
	_, err = over("+12025550125", domain.TransferBridge)
	b.code(err, domain.CodeLimitReached)
	b.live.draining = true
	_, err = over("+12025550125", domain.TransferBridge)
	b.code(err, domain.CodeUnavailable)
}

func TestControlRules(t *testing.T) {
	b := newSwitchboard(t)
	n := b.number("+12025550100", service.NumberChange{AgentID: &b.agent.ID})
	d, err := b.ring(n, "+4722000001")
	b.ok(err)
	id := d.Call.ID
	_, err = b.HoldCall(t.Context(), b.prod, id, true, nil)
	b.ok(err)
	_, err = b.PressKeys(t.Context(), b.prod, id, "12w#", nil)
	b.ok(err)
	_, err = b.SayInCall(t.Context(), b.prod, id, "Hello.", nil)
	b.ok(err)
	_, err = b.TransferCall(t.Context(), b.prod, id, domain.Transfer{To: "+12025550123"}, nil)
	b.ok(err)
	if got := strings.Join(b.live.done, ", "); got != "hold true, press 12w#, say Hello., transfer to +12025550123" {
		t.Errorf("the call was told %s", got)
	}
	_, err = b.HoldCall(t.Context(), b.test, id, true, nil) // another mode's
	b.code(err, domain.CodeNotFound)
	for _, keys := range []string{"", "x", "1 2", strings.Repeat("1", 257)} {
		_, err = b.PressKeys(t.Context(), b.prod, id, keys, nil)
		b.code(err, domain.CodeInvalid)
	}
	_, err = b.TransferCall(t.Context(), b.prod, id, domain.Transfer{To: "+12025550123", Mode: "smoke"}, nil)
	b.code(err, domain.CodeInvalid)
	_, err = b.TransferCall(t.Context(), b.prod, id, domain.Transfer{To: "+12025550123", Ring: time.Hour}, nil)
	b.code(err, domain.CodeInvalid)
	b.live.gone = true
	_, err = b.SayInCall(t.Context(), b.prod, id, "Hello.", nil)
	b.code(err, domain.CodeConflict)
	b.ok(b.FinishCall(t.Context(), service.Verdict{Call: id, Attempt: d.Attempt, Reason: domain.EndFlow, EndedAt: b.now()}))
	_, err = b.SayInCall(t.Context(), b.prod, id, "Hello.", nil)
	b.code(err, domain.CodeConflict)
}

// A dead process leaves both legs of a call behind: each is to be hung up, and
// the call fails once.
func TestRecoverBothLegs(t *testing.T) {
	b := newSwitchboard(t)
	n := b.number("+12025550100", service.NumberChange{AgentID: &b.agent.ID})
	d, err := b.ring(n, "+4722000001")
	b.ok(err)
	_, err = b.HandOver(t.Context(), d.Call, domain.Transfer{To: "+12025550123"}, b.epoch, "leg@y")
	b.ok(err)
	b.ok(b.Leave(t.Context(), b.epoch))
	next := domain.NewID()
	b.ok(b.Join(t.Context(), domain.Node{Epoch: next}))
	orphans, err := b.Recover(t.Context(), next)
	b.ok(err)
	if len(orphans) != 2 || orphans[0].SIPCallID == orphans[1].SIPCallID {
		t.Errorf("%+v", orphans)
	}
	detail, err := b.Call(t.Context(), b.prod, d.Call.ID)
	b.ok(err)
	if detail.State != domain.CallFailed || detail.EndReason != domain.EndInterrupted {
		t.Errorf("%+v", detail.Call)
	}
	for _, a := range detail.Attempts {
		if a.State != domain.AttemptEnded || a.EndReason != domain.EndInterrupted {
			t.Errorf("%+v", a)
		}
	}
	// Whoever recovered them may die before it has hung up: the next start knows.
	again, err := b.Interrupted(t.Context())
	b.ok(err)
	if len(again) != 2 || again[0].SIPCallID == again[1].SIPCallID {
		t.Errorf("the next start is told of %+v", again)
	}
	b.pass(6 * time.Minute) // longer than anybody lets it ring
	if again, err = b.Interrupted(t.Context()); err != nil || len(again) != 0 {
		t.Errorf("%+v, %v", again, err)
	}
}

func TestIncomingOfTrunks(t *testing.T) {
	b := newSwitchboard(t)
	change := func(in service.IncomingChange) (*domain.Trunk, error) {
		return b.UpdateTrunk(t.Context(), b.prod, b.trunk.ID, service.TrunkChange{Incoming: &in})
	}
	trunk, err := change(service.IncomingChange{Networks: &[]string{"198.51.100.7", "198.51.100.9/24", "2001:db8::1/64", "198.51.100.7"},
		Username: new("office"), Password: new("right-horse")})
	b.ok(err)
	if got := strings.Join(trunk.Incoming.Networks, " "); got != "198.51.100.7/32 198.51.100.0/24 2001:db8::/64" {
		t.Errorf("networks %s", got)
	}
	trunk, err = change(service.IncomingChange{Username: new("desk")}) // the password stays
	b.ok(err)
	if trunk.Incoming.Password != "right-horse" || len(trunk.Incoming.Networks) != 3 {
		t.Errorf("%+v", trunk.Incoming)
	}
	for _, bad := range []service.IncomingChange{
		{Networks: &[]string{"0.0.0.0/0"}}, {Networks: &[]string{"::/0"}}, {Networks: &[]string{"office.example"}}, {Networks: &[]string{"10.0.0.0/33"}},
		{Password: new("short")},
	} {
		_, err := change(bad)
		b.code(err, domain.CodeInvalid)
	}
	trunk, err = change(service.IncomingChange{Username: new("")})
	b.ok(err)
	if trunk.Incoming.Password != "" {
		t.Error("a password without a user is kept")
	}
}
