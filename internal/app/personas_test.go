package app_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/callwright/callwright/internal/domain"
)

// again is who of those that live in the sandbox is tried again by a campaign that
// says nothing of it, and when: from so long after the dial, or the end of the
// call, at the first minute that is of another day or part of the day than the
// dial, as far as it has to be. Those who are not named are not.
var again = map[string]struct {
	gap                 time.Duration
	otherDay, otherPart bool
}{
	"busy":      {gap: 30 * time.Minute},
	"no-answer": {gap: 2 * time.Hour, otherPart: true},
	"voicemail": {otherDay: true, otherPart: true},
	"declined":  {otherDay: true},
}

// TestPersonasAreTriedAgain has a campaign call everybody who lives in the
// sandbox, and somebody who does not. Each drives its result, what becomes of the
// contact, and when it is tried again.
func TestPersonasAreTriedAgain(t *testing.T) {
	t.Parallel()
	h, from := sandbox(t, setup{ring: 2 * time.Second})
	agent := h.agent(nil, say("hello", "Hello, this is Ava.", "n"), ask("n", "How many people are you?", "number", "bye"), bye("Goodbye."))
	type persona struct{ phone, result, status string }
	personas := []persona{
		{"+15005550000", "invalid", "failed"}, {"+15005550001", "busy", "waiting"}, {"+15005550002", "no-answer", "waiting"},
		{"+15005550003", "voicemail", "waiting"}, {"+15005550004", "declined", "waiting"}, {"+15005550005", "human", "completed"},
		{"+15005550006", "human", "completed"}, {"+15005550007", "human", "completed"}, {"+15005550008", "human", "completed"},
		{"+15005550009", "opt-out", "completed"}, {"+15007771234", "human", "completed"},
	}
	var contacts []map[string]any
	for _, p := range personas {
		contacts = append(contacts, map[string]any{"phone": p.phone})
	}
	var made object
	h.post("/campaigns", map[string]any{"name": "Again", "agentId": agent, "phoneNumberId": from, "contacts": contacts}, &made)
	c := h.until(made.ID, len(personas), len(personas), func(c campaign) bool {
		return c.Counts.Active == 0 && c.Counts.Waiting == len(again) && c.Counts.Failed == 1
	})
	if c.Status != "active" || c.Counts.Completed != 6 || c.Counts.Answered != 6 {
		t.Errorf("%+v", c)
	}
	var rows []struct {
		recipientSeen
		NextAttemptAt, EndedAt *time.Time
	}
	h.must(http.MethodGet, "/campaigns/"+string(made.ID)+"/contacts", nil, &rows)
	if len(rows) != len(personas) {
		t.Fatalf("%d contacts", len(rows))
	}
	for i, r := range rows {
		want := personas[i]
		if r.Phone != want.phone || r.Status != want.status || r.Result != want.result || len(r.Attempts) != 1 || !r.Attempts[0].Charged ||
			(r.EndedAt == nil) != (want.status == "waiting") || r.Reason != nil && *r.Reason != want.result {
			t.Errorf("%+v, want %+v", r, want)
			continue
		}
		if want.status != "waiting" {
			if r.NextAttemptAt != nil {
				t.Errorf("%s is %s and is tried again at %s", r.Phone, r.Status, r.NextAttemptAt)
			}
			continue
		}
		if next := h.nextTry(r.CallID, want.result); r.NextAttemptAt == nil || !r.NextAttemptAt.Equal(next) {
			t.Errorf("%s is tried again at %v after %s, want %s", r.Phone, r.NextAttemptAt, r.Result, next)
		}
	}
	var listed struct{ Source string }
	h.must(http.MethodGet, "/do-not-call/%2B15005550009", nil, &listed)
	if listed.Source != string(domain.SuppressedByWord) {
		t.Errorf("who asked not to be called is listed as %+v", listed)
	}
}

// nextTry walks, minute by minute, to the time at which
// somebody is tried again after a call. The workspace is in UTC.
func (h *house) nextTry(call domain.ID, result string) time.Time {
	h.Helper()
	c, w := h.exact(call), again[result]
	part := func(at time.Time) (p int) {
		for _, begin := range []int{12, 17} {
			if at.Hour() >= begin {
				p++
			}
		}
		return p
	}
	dialed, at := c.DialedAt.UTC(), c.EndedAt.UTC()
	if due := dialed.Add(w.gap); w.gap > 0 && due.After(at) {
		at = due
	}
	for w.otherDay && at.YearDay() == dialed.YearDay() || w.otherPart && part(at) == part(dialed) {
		at = at.Truncate(time.Minute).Add(time.Minute)
	}
	return at.Truncate(time.Second)
}
