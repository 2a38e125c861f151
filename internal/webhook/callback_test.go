package webhook_test

import (
	"context"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/callwright/callwright/internal/domain"
)

// TestCallback delivers to the receiver that a call has of its own, with the
// call's secret; a delivery to an endpoint that is gone does not go there.
func TestCallback(t *testing.T) {
	d := newDesk(t)
	url, letters := receiver(t, status(200))
	d.run("127.0.0.0/8")
	own := domain.Call{
		ID: "c", WorkspaceID: scope.Workspace, Mode: scope.Mode, Direction: domain.Outbound, State: domain.CallCompleted,
		Callback: &domain.Callback{URL: url, Dialect: "native", Secret: secret}, Version: 1, CreatedAt: *d.clock.Load(),
	}
	d.write(func(ctx context.Context, s *domain.Stores) error { row := own; return s.Calls.Create(ctx, &row) })
	e := *own.CallbackEndpoint()
	sent := d.send(e, `{"event":"call.ended"}`, 1)[0]
	d.await(sent, domain.DeliveryDelivered, 1)
	l := <-letters
	verifier, err := standardwebhooks.NewWebhook(secret)
	if err != nil {
		t.Fatal(err)
	}
	if err := verifier.VerifyIgnoringTimestamp([]byte(l.body), l.header); err != nil || l.body != `{"event":"call.ended"}` {
		t.Errorf("%v: %+v", err, l)
	}
	e.ID = domain.NewID()
	gone := d.send(e, `{"event":"call.failed"}`, 1)[0]
	if got := d.await(gone, domain.DeliveryFailed, 1); got.Error != "the endpoint was deleted" {
		t.Errorf("%+v", got)
	}
	select {
	case l := <-letters:
		t.Errorf("got %s", l.body)
	case <-time.After(10 * time.Millisecond):
	}
}

// TestCallbackEndpoint: one receiver of several calls is one endpoint.
func TestCallbackEndpoint(t *testing.T) {
	call := func(edit func(*domain.Call)) *domain.Endpoint {
		c := &domain.Call{ID: domain.NewID(), WorkspaceID: "w", Mode: domain.Live, Callback: &domain.Callback{URL: "https://x.example/a"}}
		edit(c)
		return c.CallbackEndpoint()
	}
	first := call(func(*domain.Call) {})
	if !first.ID.Valid() || call(func(c *domain.Call) { c.Callback.Secret = "other" }).ID != first.ID || !first.Wants(domain.EventCallEnded) {
		t.Errorf("%+v", first)
	}
	for _, other := range []func(*domain.Call){
		func(c *domain.Call) { c.Callback.URL = "https://x.example/b" }, func(c *domain.Call) { c.Mode = domain.Test },
		func(c *domain.Call) { c.WorkspaceID = "v" },
	} {
		if call(other).ID == first.ID {
			t.Error("different receivers are one")
		}
	}
	if call(func(c *domain.Call) { c.Callback = nil }) != nil {
		t.Error("a call without a callback has an endpoint")
	}
}
