package main

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/callwright/callwright/client"
	"github.com/callwright/callwright/internal/app"
	"github.com/callwright/callwright/internal/config"
	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/service/access"
	"github.com/callwright/callwright/internal/store"
)

//go:embed demo_flow.json
var demoFlow []byte

// demoCallee is the simulated person who answers and talks.
const demoCallee = "+15005550006"

// demoLimit bounds the whole demo.
const demoLimit = 45 * time.Second

type demoCmd struct {
	Once bool `help:"Exit after the call."`
	JSON bool `name:"json" help:"Print one JSON object, alone on standard output."`
}

// demoResult is what --json prints.
type demoResult struct {
	CallID          string        `json:"callId"`
	Status          string        `json:"status"`
	EndReason       string        `json:"endReason"`
	DurationSeconds int           `json:"durationSeconds"`
	Turns           int           `json:"turns"`
	Transcript      []demoTurn    `json:"transcript"`
	Recording       string        `json:"recording"`
	Summary         string        `json:"summary"`
	Sentiment       string        `json:"sentiment"`
	Voice           string        `json:"voice"`
	Webhooks        []demoWebhook `json:"webhooks"`
	API             string        `json:"api"`
}

type demoTurn struct {
	Role    string `json:"role"`
	Text    string `json:"text"`
	StartMs int64  `json:"startMs"`
	EndMs   int64  `json:"endMs"`
}

func demoTurnOf(t *client.Turn) demoTurn {
	return demoTurn{Role: t.Role, Text: t.Text, StartMs: t.StartMs, EndMs: t.EndMs}
}

// Run starts everything, places one call and shows it.
func (d *demoCmd) Run(ctx context.Context, c *config.Config, log *slog.Logger) error {
	empty, err := demoDatabase(ctx, c)
	if err != nil {
		return err
	}
	defer empty()
	if err := demoConfig(c); err != nil {
		return err
	}
	receiver, err := newDemoReceiver()
	if err != nil {
		return err
	}
	defer receiver.close()
	a, err := app.Open(ctx, app.Options{Config: c, Version: version, Logger: log, Worker: worker()})
	if err != nil {
		return err
	}
	serving, stop := context.WithCancel(ctx)
	defer stop()
	stopped := make(chan error, 1)
	go func() { stopped <- a.Run(serving) }()
	show := demoPrinter{quiet: d.JSON}
	err = d.play(ctx, a, receiver, show)
	if err == nil && !d.Once && !d.JSON {
		show.line("\nStill serving %s/api/v1 — press Ctrl-C to stop.", a.URL())
		<-ctx.Done()
	}
	stop()
	if ended := <-stopped; err == nil {
		err = ended
	}
	return err
}

// demoDatabase gives a demo on PostgreSQL a schema of its own. It is removed when
// the demo is over, unless the demo's data are to be kept.
func demoDatabase(ctx context.Context, c *config.Config) (empty func(), err error) {
	if c.Database == "" {
		return func() {}, nil
	}
	inside, drop, err := store.Fresh(ctx, c.Database)
	if err != nil {
		return nil, err
	}
	c.Database = inside
	if c.Data != defaultData {
		return func() {}, nil
	}
	return func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
		defer cancel()
		if err := drop(ctx); err != nil {
			fmt.Fprintln(os.Stderr, "callwright: the demo's tables could not be removed:", err)
		}
	}, nil
}

// defaultData is the data directory when none is named.
const defaultData = "./callwright-data"

// demoConfig takes free ports and, unless one was named, a fresh directory.
func demoConfig(c *config.Config) error {
	defaults := map[*string][2]string{
		&c.HTTP: {"127.0.0.1:8080", "127.0.0.1:0"}, &c.SIP: {"127.0.0.1:5060", "127.0.0.1:0"}, &c.RTPPorts: {"20000-29999", "0-0"},
	}
	for field, value := range defaults {
		if *field == value[0] {
			*field = value[1]
		}
	}
	c.WebhookAllow = append(c.WebhookAllow, "127.0.0.0/8")
	if c.LogLevel == "info" {
		c.LogLevel = "warn"
	}
	if c.Data != defaultData {
		return nil
	}
	dir, err := os.MkdirTemp("", "callwright-demo-")
	c.Data = dir
	return err
}

// play goes through the demo over the public API, as any client would.
func (d *demoCmd) play(ctx context.Context, a *app.App, receiver *demoReceiver, show demoPrinter) error {
	ctx, cancel := context.WithTimeout(ctx, demoLimit)
	defer cancel()
	_, secret, err := a.Service.CreateKey(ctx, access.NewKey{Workspace: a.First.Workspace.ID, Name: "demo", Mode: domain.Test})
	if err != nil {
		return err
	}
	base := a.URL() + "/api/v1"
	api, err := client.New(client.Options{URL: base, Key: secret})
	if err != nil {
		return err
	}
	show.line("Callwright speaks with %s and listens at %s", a.Voice(), base)
	call, err := d.place(ctx, api, receiver, show)
	if err != nil {
		return err
	}
	if call, err = d.follow(ctx, api, call.ID, show); err != nil {
		return err
	}
	result := demoResult{
		CallID: call.ID, Status: call.Status, EndReason: call.EndReason,
		Turns: len(call.Turns), Transcript: make([]demoTurn, len(call.Turns)), Voice: call.Voice,
		Webhooks: receiver.wait(ctx, len(demoEvents)), API: base, Summary: call.Summary, Sentiment: call.Sentiment,
	}
	if call.Duration != nil {
		result.DurationSeconds = int(*call.Duration)
	}
	for i := range call.Turns {
		result.Transcript[i] = demoTurnOf(&call.Turns[i])
	}
	if result.Recording, err = a.RecordingPath(ctx, domain.ID(call.ID)); err != nil {
		return err
	}
	if d.JSON {
		return json.NewEncoder(os.Stdout).Encode(result)
	}
	show.result(result)
	return nil
}

// demoEvents are what the demo's webhook endpoint subscribes to and waits for.
var demoEvents = []string{"call.started", "call.ended", "transcript.ready", "analysis.complete"}

// place creates what a call needs, and the call.
func (d *demoCmd) place(ctx context.Context, api *client.Client, receiver *demoReceiver, show demoPrinter) (*client.Call, error) {
	hook, err := api.CreateWebhook(ctx, client.WebhookFields{URL: client.Set(receiver.url), Events: client.Set(demoEvents)})
	if err != nil {
		return nil, err
	}
	receiver.expect(hook.Secret)
	var graph client.FlowFields
	if err := json.Unmarshal(demoFlow, &graph); err != nil {
		return nil, err
	}
	flow, err := api.CreateFlow(ctx, graph)
	if err != nil {
		return nil, err
	}
	show.line("  created flow    %s  %s", flow.ID, flow.Name)
	agent, err := api.CreateAgent(ctx, client.AgentFields{Name: client.Set("Ava"), FlowID: client.Set(flow.ID)})
	if err != nil {
		return nil, err
	}
	show.line("  created agent   %s  %s", agent.ID, agent.Name)
	numbers, err := api.ListPhoneNumbers(ctx, client.ListPhoneNumbersQuery{Limit: 1})
	if err != nil {
		return nil, err
	}
	if len(numbers.Items) == 0 {
		return nil, errors.New("test mode has no phone number; start with an empty data directory")
	}
	call, err := api.CreateCall(ctx, client.PlaceFields{
		AgentID: client.Set(agent.ID), PhoneNumberID: client.Set(numbers.Items[0].ID), To: client.Set(demoCallee),
	})
	if err != nil {
		return nil, err
	}
	show.line("  placed call     %s  from %s to %s\n", call.ID, call.From, call.To)
	return call, nil
}

// summaryEvery is how often a call that is over is asked for its summary.
const summaryEvery = 200 * time.Millisecond

// follow shows each turn as it happens, and returns the call when it is over
// and its analysis is there, or will not come.
func (d *demoCmd) follow(ctx context.Context, api *client.Client, id string, show demoPrinter) (*client.Call, error) {
	for ev, err := range api.WatchCall(ctx, id) {
		switch {
		case err != nil:
			return nil, err
		case ev.Turn != nil:
			show.turn(demoTurnOf(ev.Turn))
		}
	}
	for {
		call, err := api.GetCall(ctx, id)
		if err != nil || call.Status == "failed" || call.Summary != "" {
			return call, err
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("the call is %s and not analysed after %s", call.Status, demoLimit)
		case <-time.After(summaryEvery):
		}
	}
}
