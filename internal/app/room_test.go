package app_test

import (
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/sip"
	"github.com/callwright/callwright/internal/sip/siptest"
)

// TestNoInviteWithoutRoom fills a process that carries four calls with people who
// call in. Calls of a campaign and of the API wait: no INVITE goes out before a
// place is free, one at a time while one place is, four at a time when all are;
// and each goes out in the end, once.
func TestNoInviteWithoutRoom(t *testing.T) {
	t.Parallel()
	const room, contacts, singles = 4, 9, 3
	h := open(t, setup{room: room, plan: domain.Enterprise})
	carrier := siptest.UAS(t, siptest.Scenario{Name: siptest.Answer})
	long, brief := h.agent(nil, lasting(300)...), h.agent(nil, lasting(0.3)...)
	h.number(h.loopback(nil), long, 1)
	from := h.number(h.trunkTo(carrier.Addr, map[string]any{"callsPerSecond": 100}), brief, 2)
	inside := h.callIn("+12025550001", room)
	siptest.UAC(t, h.app.SIPAddr(), siptest.Scenario{Name: siptest.CallRefused, To: "+12025550001", From: "+4722000001", Status: 503}).Wait(callLimit)

	var made object
	list := make([]map[string]any, contacts)
	for i := range list {
		list[i] = map[string]any{"phone": fmt.Sprintf("+120255501%02d", i), "timezone": afternoon()}
	}
	h.post("/campaigns", map[string]any{"name": "No room", "agentId": brief, "phoneNumberId": from, "contacts": list}, &made)
	placed := make([]domain.ID, singles)
	for i := range placed {
		placed[i] = h.place(brief, from, fmt.Sprintf("+120255502%02d", i))
	}
	began := time.Now()
	for _, id := range placed {
		h.putBack(id, began.Add(time.Second)) // it was claimed, found no place, and was put back
	}
	if n := carrier.Received("INVITE"); n != 0 {
		t.Errorf("%d INVITEs went out of a process that is full", n)
	}
	if c := h.poll(made.ID, contacts, 0); c.Status != "active" {
		t.Errorf("the campaign is %+v", c)
	}

	hangUp := func(d *sip.Dialog) {
		if err := d.Bye(t.Context()); err != nil {
			t.Error(err)
		}
	}
	hangUp(inside[0])
	carrier.Expect("BYE", 3, callLimit)
	freed := time.Now()
	for _, d := range inside[1:] {
		hangUp(d)
	}
	h.until(made.ID, contacts, contacts, func(c campaign) bool { return c.Status == "completed" })
	for _, id := range placed {
		h.wants(h.ended(id), "completed", "flow-ended")
	}
	var rows []recipientSeen
	h.must(http.MethodGet, "/campaigns/"+string(made.ID)+"/contacts", nil, &rows)
	for _, r := range rows {
		if r.Status != "completed" || r.Result != "human" || len(r.Attempts) != 1 {
			t.Errorf("%+v", r)
		}
	}
	all := spans(carrier)
	alone := slices.DeleteFunc(slices.Clone(all), func(s span) bool { return s.from.After(freed) })
	if len(all) != contacts+singles || atOnce(all) > room || atOnce(alone) > 1 || len(alone) < 3 {
		t.Errorf("%d calls, %d at once; %d while one place was free, %d at once", len(all), atOnce(all), len(alone), atOnce(alone))
	}
}

// callIn has n people call a number, and returns when they are answered.
func (h *house) callIn(to string, n int) []*sip.Dialog {
	h.Helper()
	ua, media := newCaller(h.T), newRTPPeer(h.T, nil)
	dialogs := make([]*sip.Dialog, n)
	for i := range dialogs {
		var err error
		dialogs[i], err = ua.Invite(h.Context(), sip.Invite{
			URI: fmt.Sprintf("sip:%s@%s", to, h.app.SIPAddr()), From: fmt.Sprintf("+4722000%03d", i), Body: offerAt(h.T, media.addr).Bytes(),
		})
		if err != nil {
			h.Fatal(err)
		}
	}
	return dialogs
}

// putBack waits until the attempt of a call was put back to a time after since.
func (h *house) putBack(id domain.ID, since time.Time) {
	h.Helper()
	for deadline := time.Now().Add(callLimit); ; time.Sleep(50 * time.Millisecond) {
		detail, err := h.app.Service.Call(h.Context(), domain.Scope{Workspace: h.app.First.Workspace.ID, Mode: h.mode}, id)
		if err != nil {
			h.Fatal(err)
		}
		if a := detail.Attempts[0]; a.NextAt.After(since) {
			return
		}
		if time.Now().After(deadline) {
			h.Fatalf("%s was not put back: %+v", id, detail.Attempts)
		}
	}
}
