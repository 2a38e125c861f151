package app_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/sip/siptest"
)

// dials has a phone call one of our numbers.
func (h *house) dials(b *siptest.Baresip, number string) {
	h.Helper()
	b.Dial(fmt.Sprintf("sip:%s@%s", number, h.app.SIPAddr()))
}

// TestInboundPhone is called by baresip, which presses keys as events and by
// INFO, and holds the call.
func TestInboundPhone(t *testing.T) {
	t.Parallel()
	h := open(t, setup{})
	agent := h.agent(nil,
		map[string]any{"id": "menu", "type": "dtmf", "text": "one", "variable": "pin", "max": 3, "timeoutSeconds": 20,
			"edges": []any{map[string]any{"to": "rest", "kind": "success"}, map[string]any{"to": "bye", "kind": "else"}}},
		pause("rest", 1, "bye"), bye("two"))
	h.number(h.loopback(nil), agent, 1)
	for i, account := range []string{"", "dtmfmode=info"} {
		b := siptest.StartBaresip(t, siptest.BaresipOptions{User: "caller", Account: account})
		h.dials(b, "+12025550001")
		b.Expect(siptest.BaresipEstablished, 1, callLimit)
		made := h.inbound(i + 1)[0]
		h.reaches(made.ID, "in-progress")
		b.Digits("4")
		b.Digits("7")
		b.Digits("1")
		got := h.ended(made.ID)
		h.wants(got, "completed", "flow-ended")
		if got.Variables["pin"] != "471" {
			t.Errorf("account %q: the flow got %v, want pin 471; turns %v", account, got.Variables, got.Turns)
		}
		b.Expect(siptest.BaresipClosed, 1, callLimit)
	}
}

// TestInboundHeld has the caller hold the call for longer than the agent bears
// silence: no time passes for the talk meanwhile.
func TestInboundHeld(t *testing.T) {
	t.Parallel()
	h := open(t, setup{})
	agent := h.agent(nil, pause("rest", 1.5, "bye"), bye("two"))
	h.number(h.loopback(nil), agent, 1)
	b := siptest.StartBaresip(t, siptest.BaresipOptions{User: "caller"})
	h.dials(b, "+12025550001")
	b.Expect(siptest.BaresipEstablished, 1, callLimit)
	made := h.inbound(1)[0]
	b.Hold(true)
	const held = 2500 * time.Millisecond
	time.Sleep(held)
	b.Hold(false)
	got := h.ended(made.ID)
	h.wants(got, "completed", "flow-ended")
	if exact := h.exact(made.ID); exact.Duration() < held+time.Second {
		t.Errorf("the call lasted %v; %v of hold and 1.5 s of pause should be in it", exact.Duration(), held)
	}
	if len(got.Turns) != 1 || got.Turns[0].Text != "two" {
		t.Errorf("turns %v", got.Turns)
	}
}

// TestInboundDigest calls a trunk whose callers prove a password and come from
// anywhere.
func TestInboundDigest(t *testing.T) {
	t.Parallel()
	h := open(t, setup{})
	trunk := h.loopback(map[string]any{"host": "192.0.2.1", "incoming": map[string]any{"username": "office", "password": "right-horse"}})
	h.number(trunk, h.agent(nil, bye("one two")), 1)
	h.number(h.loopback(map[string]any{"host": "192.0.2.2"}), h.agent(nil, bye("one two")), 2)
	h.callsWith("+12025550001", "office", "right-horse", 0)
	h.wants(h.ended(h.inbound(1)[0].ID), "completed", "flow-ended")
	b := siptest.StartBaresip(t, siptest.BaresipOptions{User: "caller", AuthUser: "office", Password: "right-horse"})
	h.dials(b, "+12025550001")
	b.Expect(siptest.BaresipEstablished, 1, callLimit)
	h.wants(h.ended(h.inbound(2)[0].ID), "completed", "flow-ended")
	h.callsWith("+12025550001", "office", "wrong-horse", 401)
	h.callsWith("+12025550001", "nobody", "right-horse", 401)
	h.callsWith("+12025550002", "office", "right-horse", 403) // another trunk's, whose callers come from its host
	if n := len(h.inbound(2)); n != 2 {
		t.Errorf("%d calls came in, want 2", n)
	}
}

// callsWith calls with a user and a password; refused is the status that the
// last of the call's answers has to have, 0 for a call that is answered.
func (h *house) callsWith(number, user, password string, refused int) {
	h.Helper()
	p := siptest.UAC(h.T, h.app.SIPAddr(), siptest.Scenario{
		Name: siptest.CallDigest, To: number, User: user, Password: password,
		Args: []string{"-auth_uri", fmt.Sprintf("%s@%s", number, h.app.SIPAddr())},
	})
	if refused == 0 {
		p.Wait(callLimit)
		return
	}
	want := 1
	if refused == 401 {
		want = 2 // the first asks for the password
	}
	p.Expect(fmt.Sprint(refused), want, callLimit)
}

// TestInboundHours calls numbers outside of their hours.
func TestInboundHours(t *testing.T) {
	t.Parallel()
	h := open(t, setup{})
	day, night := h.agent(nil, bye("day")), h.agent(nil, bye("night"))
	trunk := h.loopback(nil)
	always := map[string]any{}
	for _, d := range []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"} {
		always[d] = []any{[]string{"00:00", "24:00"}}
	}
	for i, hours := range []map[string]any{
		{"week": map[string]any{}, "closed": map[string]any{"action": "message", "text": "closed now"}},
		{"week": map[string]any{}, "closed": map[string]any{"action": "agent", "agentId": night}},
		{"week": always, "timezone": "Asia/Kolkata", "closed": map[string]any{"action": "reject"}},
		{"week": map[string]any{}, "closed": map[string]any{"action": "reject"}},
	} {
		id := h.number(trunk, day, i)
		var back struct{ Hours map[string]any }
		h.must(http.MethodPatch, "/phone-numbers/"+string(id), map[string]any{"hours": hours}, &back)
		if back.Hours == nil {
			t.Errorf("hours %v were not kept", hours)
		}
	}
	for i, want := range []string{"closed now", "night", "day"} {
		siptest.UAC(t, h.app.SIPAddr(), siptest.Scenario{Name: siptest.CallWaits, To: fmt.Sprintf("+1202555000%d", i)}).Wait(callLimit)
		got := h.ended(h.inbound(i + 1)[0].ID)
		h.wants(got, "completed", "flow-ended")
		if len(got.Turns) != 1 || got.Turns[0].Text != want {
			t.Errorf("turns %v, want %q", got.Turns, want)
		}
	}
	siptest.UAC(t, h.app.SIPAddr(), siptest.Scenario{Name: siptest.CallRefused, To: "+12025550003", Status: 480}).Wait(callLimit)
	for _, bad := range []map[string]any{
		{"week": map[string]any{"mon": []any{[]string{"09:00"}}}, "closed": map[string]any{"action": "reject"}},
		{"week": map[string]any{"mon": []any{[]string{"9:00", "17:00"}}}, "closed": map[string]any{"action": "reject"}},
		{"week": map[string]any{"mon": []any{[]string{"17:00", "09:00"}}}, "closed": map[string]any{"action": "reject"}},
		{"week": map[string]any{"mon": []any{[]string{"09:00", "12:00"}, []string{"11:00", "17:00"}}}, "closed": map[string]any{"action": "reject"}},
		{"week": map[string]any{"monday": []any{}}, "closed": map[string]any{"action": "reject"}},
		{"week": map[string]any{}, "timezone": "Mars/Base", "closed": map[string]any{"action": "reject"}},
		{"week": map[string]any{}, "closed": map[string]any{"action": "message"}},
		{"week": map[string]any{}, "closed": map[string]any{"action": "agent", "agentId": domain.NewID()}},
		{"week": map[string]any{}, "closed": map[string]any{"action": "sing"}},
		{"week": map[string]any{}},
	} {
		status, answer := h.request(http.MethodPost, "/phone-numbers", map[string]any{"number": "+12025558888", "trunkId": trunk, "hours": bad})
		if status != 400 && status != 404 || !strings.Contains(string(answer), "hours") && status != 404 {
			t.Errorf("hours %v were answered %d: %s", bad, status, answer)
		}
	}
}
