package client_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"testing"
	"time"

	"github.com/callwright/callwright/client"
	"github.com/callwright/callwright/internal/api"
	"github.com/callwright/callwright/internal/api/native"
	"github.com/callwright/callwright/internal/api/wire"
	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/flow"
	"github.com/callwright/callwright/internal/service"
	"github.com/callwright/callwright/internal/service/access"
	"github.com/callwright/callwright/internal/store"
)

// server is the real API over a real store, without an engine.
type server struct {
	url, key string
	store    domain.Store
	close    func()
}

func open(ctx context.Context) (*server, error) {
	dir, err := os.MkdirTemp("", "client-test-")
	if err != nil {
		return nil, err
	}
	db, err := store.Open(ctx, store.Options{Dir: dir})
	if err != nil {
		return nil, err
	}
	rules := service.New(service.Options{
		NoSamples: true,
		Store:     db, Hooks: map[string]domain.HookDialect{"native": native.Hooks{}},
		CheckFlow: func(raw []byte) ([]byte, error) {
			g, err := flow.Parse(raw)
			if err != nil {
				return nil, err
			}
			return g.Canonical(), nil
		},
	})
	first, err := rules.FirstStart(ctx)
	if err != nil {
		return nil, err
	}
	_, key, err := rules.CreateKey(ctx, access.NewKey{Workspace: first.Workspace.ID, Name: "example", Mode: domain.Test})
	if err != nil {
		return nil, err
	}
	handler, err := api.New(api.Options{Service: rules, Version: "test", Dialects: []wire.Make{native.New}})
	if err != nil {
		return nil, err
	}
	listening := httptest.NewServer(handler)
	return &server{url: listening.URL, key: key, store: db, close: func() {
		http.DefaultClient.CloseIdleConnections()
		listening.Close()
		rules.Close()
		_ = db.Close()
		_ = os.RemoveAll(dir)
	}}, nil
}

func Example() {
	ctx := context.Background()
	s, err := open(ctx) // in a program of yours: the server that you run
	if err != nil {
		fmt.Println(err)
		return
	}
	defer s.close()

	c, err := client.New(client.Options{URL: s.url, Key: s.key})
	if err != nil {
		fmt.Println(err)
		return
	}
	agent, err := c.CreateAgent(ctx, client.AgentFields{
		Name: client.Set("Ava"), SystemPrompt: client.Set("You remind people of their appointments."),
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	call, err := c.CreateCall(ctx, client.PlaceFields{AgentID: client.Set(agent.ID), To: client.Set("+15005550006")},
		client.IdempotencyKey("appointment-4711")) // whatever happens, they are called once
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(call.Status, call.To)
	_, err = c.CreateCall(ctx, client.PlaceFields{AgentID: client.Set(agent.ID), To: client.Set("0800 CALL ME")})
	fmt.Println(client.CodeOf(err))
	for call, err := range c.AllCalls(ctx, client.ListCallsQuery{Status: "queued"}) {
		fmt.Println(call.To, call.Direction, err)
	}
	// Output:
	// queued +15005550006
	// BAD_REQUEST
	// +15005550006 outbound <nil>
}

// TestAgainstServer goes through what the client promises, with a real server.
func TestAgainstServer(t *testing.T) {
	s, err := open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer s.close()
	c, err := client.New(client.Options{URL: s.url + "/api/v1", Key: s.key})
	if err != nil {
		t.Fatal(err)
	}
	ctx := t.Context()
	fl, err := c.CreateFlow(ctx, client.FlowFields{Name: client.Set("F"), Status: client.Set("published"),
		Nodes: client.Set([]map[string]any{{"id": "a", "type": "end", "text": "Bye"}})})
	if err != nil || fl.Version != 1 || fl.Nodes[0]["text"] != "Bye" || fl.CreatedAt.IsZero() {
		t.Fatalf("%+v, %v", fl, err)
	}
	var meta client.Meta
	agent, err := c.CreateAgent(ctx, client.AgentFields{Name: client.Set("A"), FlowID: client.Set(fl.ID), Record: client.Set(false)}, client.Into(&meta))
	if err != nil || agent.Record || agent.FlowID != fl.ID || meta.ETag != `"1"` {
		t.Fatalf("%+v, %+v, %v", agent, meta, err)
	}
	agent, err = c.UpdateAgent(ctx, agent.ID, client.AgentFields{FlowID: client.Null[string](), SystemPrompt: client.Set("p")}, client.IfMatch(meta.ETag))
	if err != nil || agent.FlowID != "" || agent.Name != "A" {
		t.Errorf("%+v, %v", agent, err)
	}
	var fault *client.Error
	if _, err = c.DeleteAgent(ctx, agent.ID, client.IfMatch(meta.ETag)); !errors.As(err, &fault) || fault.Status != http.StatusPreconditionFailed {
		t.Errorf("an old version was deleted: %v", err)
	}
	for i := range 5 {
		if _, err := c.CreateAgent(ctx, client.AgentFields{Name: client.Set(fmt.Sprint(i)), SystemPrompt: client.Set("p")}); err != nil {
			t.Fatal(err)
		}
	}
	page, err := c.ListAgents(ctx, client.ListAgentsQuery{Limit: 4})
	if err != nil || page.Total != 6 || len(page.Items) != 4 {
		t.Errorf("%+v, %v", page, err)
	}
	seen := map[string]bool{}
	for a, err := range c.AllAgents(ctx, client.ListAgentsQuery{Limit: 4}) {
		if err != nil {
			t.Fatal(err)
		}
		seen[a.ID] = true
	}
	if len(seen) != 6 {
		t.Errorf("%d agents over two pages", len(seen))
	}
	first, err := c.CreateCall(ctx, client.PlaceFields{AgentID: client.Set(agent.ID), To: client.Set("+15005550006")}, client.IdempotencyKey("k"))
	if err != nil {
		t.Fatal(err)
	}
	second, err := c.CreateCall(ctx, client.PlaceFields{AgentID: client.Set(agent.ID), To: client.Set("+15005550006")}, client.IdempotencyKey("k"), client.Into(&meta))
	if err != nil || second.ID != first.ID || !meta.Replayed {
		t.Errorf("%+v, %+v, %v", second, meta, err)
	}
	sound, err := c.GetRecording(ctx, first.ID, client.GetRecordingQuery{})
	if err == nil {
		_ = sound.Body.Close()
	}
	if client.CodeOf(err) != "NOT_FOUND" {
		t.Errorf("a recording: %v", err)
	}
}

// TestWatchOfServer follows a call whose rows change.
func TestWatchOfServer(t *testing.T) {
	s, err := open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer s.close()
	c, err := client.New(client.Options{URL: s.url, Key: s.key})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	agent, err := c.CreateAgent(ctx, client.AgentFields{Name: client.Set("A"), SystemPrompt: client.Set("p")})
	if err != nil {
		t.Fatal(err)
	}
	call, err := c.CreateCall(ctx, client.PlaceFields{AgentID: client.Set(agent.ID), To: client.Set("+15005550006")})
	if err != nil {
		t.Fatal(err)
	}
	change := func(do func(*domain.Call, context.Context, *domain.Stores) error) {
		err := s.store.InTx(ctx, domain.LaneCall, func(ctx context.Context, st *domain.Stores) error {
			row, err := st.Calls.ByID(ctx, domain.ID(call.ID))
			if err != nil {
				return err
			}
			if err := do(row, ctx, st); err != nil {
				return err
			}
			return st.Calls.Update(ctx, row)
		})
		if err != nil {
			t.Error(err)
		}
	}
	var told []string
	for ev, err := range c.WatchCall(ctx, call.ID) {
		switch {
		case err != nil:
			t.Fatal(err)
		case ev.Progress != nil && ev.Progress.State == "queued":
			told = append(told, "queued")
			change(func(row *domain.Call, ctx context.Context, st *domain.Stores) error {
				now := time.Now().UTC()
				row.State, row.DialedAt, row.AnsweredAt = domain.CallInProgress, now, now
				return st.Turns.Append(ctx, domain.Turn{CallID: row.ID, Sequence: 1, Role: domain.RoleAgent, Text: "Hello"})
			})
		case ev.Progress != nil:
			told = append(told, ev.Progress.State)
		case ev.Turn != nil:
			told = append(told, ev.Turn.Text)
			change(func(row *domain.Call, _ context.Context, _ *domain.Stores) error {
				row.State, row.EndReason, row.EndedAt = domain.CallCompleted, domain.EndFlow, time.Now().UTC()
				return nil
			})
		case ev.End != nil:
			told = append(told, ev.End.EndReason)
		}
	}
	if got := fmt.Sprint(told); got != "[queued dialing in-progress Hello completed flow-ended]" {
		t.Errorf("told %s", got)
	}
}
