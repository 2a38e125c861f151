package api_test

import (
	"bufio"
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/callwright/callwright/internal/domain"
)

// follow opens the stream of a call.
func (a *app) follow(call, last string) (http.Header, *bufio.Scanner) {
	a.Helper()
	ctx, cancel := context.WithTimeout(a.Context(), 20*time.Second)
	req, err := http.NewRequestWithContext(ctx, "GET", a.url+"/api/v1/calls/"+call+"/events", nil)
	a.ok(err)
	req.Header.Set("Authorization", "Bearer "+a.key)
	if last != "" {
		req.Header.Set("Last-Event-ID", last)
	}
	res, err := http.DefaultClient.Do(req)
	a.ok(err)
	a.Cleanup(func() {
		cancel()
		_ = res.Body.Close()
	})
	return res.Header, bufio.NewScanner(res.Body)
}

// nextEvents reads n events as "id event".
func nextEvents(t *testing.T, lines *bufio.Scanner, n int) string {
	t.Helper()
	var got []string
	for id := ""; len(got) < n && lines.Scan(); {
		name, value, _ := strings.Cut(lines.Text(), ": ")
		switch name {
		case "id":
			id = value
		case "event":
			got = append(got, id+" "+value)
		case "data":
			if !strings.HasPrefix(value, "{") {
				t.Errorf("data %s", value)
			}
		}
	}
	return strings.Join(got, ", ")
}

// TestCallEvents: the stream of a call begins with what has happened, goes on as
// things happen, ends with the call, and is taken up wherever it was left.
func TestCallEvents(t *testing.T) {
	a := start(t, domain.Enterprise)
	id := a.objects(a.key)["calls"]
	change := func(do func(context.Context, *domain.Stores, *domain.Call) error) {
		t.Helper()
		a.ok(a.store.InTx(t.Context(), domain.LaneCall, func(ctx context.Context, st *domain.Stores) error {
			row, err := st.Calls.ByID(ctx, domain.ID(id))
			if err != nil {
				return err
			}
			if err := do(ctx, st, row); err != nil {
				return err
			}
			return st.Calls.Update(ctx, row)
		}))
	}
	h, lines := a.follow(id, "")
	if h.Get("Content-Type") != "text/event-stream" || h.Get("Cache-Control") != "no-store" {
		t.Fatalf("%v", h)
	}
	if got := nextEvents(t, lines, 1); got != "1.0 state" {
		t.Errorf("first: %s", got)
	}
	change(func(ctx context.Context, st *domain.Stores, c *domain.Call) error {
		c.State, c.DialedAt, c.AnsweredAt = domain.CallInProgress, a.clock.now(), a.clock.now()
		return st.Turns.Append(ctx, domain.Turn{CallID: c.ID, Sequence: 1, Role: domain.RoleAgent, Text: "one\ntwo"})
	})
	if got := nextEvents(t, lines, 3); got != "2.0 state, 4.0 state, 4.1 turn" {
		t.Errorf("then: %s", got)
	}
	change(func(ctx context.Context, st *domain.Stores, c *domain.Call) error {
		c.State, c.EndReason, c.EndedAt = domain.CallCompleted, domain.EndFlow, a.clock.now()
		return st.Turns.Append(ctx, domain.Turn{CallID: c.ID, Sequence: 2, Role: domain.RoleCaller, Text: "bye"})
	})
	if got := nextEvents(t, lines, 9); got != "4.2 turn, 5.2 state, end end" {
		t.Errorf("at the end: %s", got)
	}
	for last, want := range map[string]string{
		"": "1.0 state, 2.0 state, 4.0 state, 4.1 turn, 4.2 turn, 5.2 state, end end", "4.1": "4.2 turn, 5.2 state, end end", "5.2": "5.2 state, end end",
	} {
		if _, lines := a.follow(id, last); nextEvents(t, lines, 99) != want {
			t.Errorf("after %q it goes on otherwise", last)
		}
	}
	path := "/api/v1/calls/" + id + "/events"
	a.want(a.send("GET", path, a.key, "", "Last-Event-ID: end"), http.StatusNoContent, "")
	a.want(a.send("HEAD", path, a.key, ""), http.StatusNoContent, "")
	for _, bad := range []string{"x", "1", "1.x", "-1.0", "01.0", "1.99999999999999999999"} {
		a.want(a.send("GET", path, a.key, "", "Last-Event-ID: "+bad), http.StatusBadRequest, "BAD_REQUEST")
	}
	a.want(a.send("GET", "/api/v1/calls/"+string(domain.NewID())+"/events", a.key, "", "Last-Event-ID: end"), http.StatusNotFound, "NOT_FOUND")
}

// TestCallEventsEndWithProcess: who watches does not hold up a stop.
func TestCallEventsEndWithProcess(t *testing.T) {
	a := start(t, domain.Enterprise)
	id := a.objects(a.key)["calls"]
	_, lines := a.follow(id, "")
	if got := nextEvents(t, lines, 1); got != "1.0 state" {
		t.Errorf("first: %s", got)
	}
	a.service.StopWatches()
	a.service.StopWatches()
	if got := nextEvents(t, lines, 1); got != "" || lines.Err() != nil {
		t.Errorf("then: %s, %v", got, lines.Err())
	}
}
