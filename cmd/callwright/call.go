package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"

	"github.com/callwright/callwright/client"
	"github.com/callwright/callwright/internal/config"
)

type callCmd struct {
	remote
	Agent        string            `required:"" help:"Id of the agent that talks." placeholder:"ID"`
	To           string            `required:"" help:"Number to call, like +14155552671." placeholder:"NUMBER"`
	FromNumberID string            `name:"from-number-id" help:"Id of the phone number to call from; the default is the agent's own." placeholder:"ID"`
	Variable     map[string]string `help:"Variables for the call, over the agent's." placeholder:"NAME=VALUE"`
	Watch        bool              `help:"Show states and words as they happen, until the call is over. The exit code is 0 when it completed, 2 when it failed."`
	JSON         bool              `name:"json" help:"Print the call as one JSON object; with --watch one object an event."`
}

// exitFailed is the exit code of a command that did its work on a call that
// failed.
const exitFailed = 2

// Run places the call, and shows it.
func (k *callCmd) Run(ctx context.Context, c *config.Config) error {
	api, err := k.client(c)
	if err != nil {
		return err
	}
	body := client.PlaceFields{AgentID: client.Set(k.Agent), To: client.Set(k.To)}
	if k.FromNumberID != "" {
		body.PhoneNumberID = client.Set(k.FromNumberID)
	}
	if len(k.Variable) > 0 {
		values := make(map[string]any, len(k.Variable))
		for name, value := range k.Variable {
			values[name] = value
		}
		body.Variables = client.Set(values)
	}
	call, err := api.CreateCall(ctx, body)
	if err != nil {
		return k.explained(err)
	}
	if !k.Watch {
		return k.placed(call)
	}
	return k.watch(ctx, api, call)
}

// placed tells of a call that nobody watches.
func (k *callCmd) placed(call *client.Call) error {
	if k.JSON {
		return json.NewEncoder(os.Stdout).Encode(call)
	}
	fmt.Printf("call %s from %s to %s is %s\n", call.ID, call.From, call.To, call.Status)
	return nil
}

// watch shows the call until it is over.
func (k *callCmd) watch(ctx context.Context, api *client.Client, call *client.Call) error {
	show := callPrinter{json: k.JSON}
	if !k.JSON {
		fmt.Printf("call %s from %s to %s\n", call.ID, call.From, call.To)
	}
	for ev, err := range api.WatchCall(ctx, call.ID) {
		switch {
		case ctx.Err() != nil:
			fmt.Fprintf(os.Stderr, "callwright: no longer watching; call %s goes on\n", call.ID)
			return ctx.Err()
		case err != nil:
			return fmt.Errorf("the call %s goes on, but cannot be watched any more: %w", call.ID, err)
		}
		if err := show.event(ev); err != nil {
			return err
		}
		if ev.End != nil && ev.End.Status != "completed" {
			return exitError{exitFailed, fmt.Errorf("the call failed: %s", ev.End.EndReason)}
		}
	}
	return nil
}

// callPrinter shows a call to a person, or as JSON to a program.
type callPrinter struct{ json bool }

// event shows one event.
func (p callPrinter) event(ev client.CallEvent) error {
	switch {
	case p.json:
		return p.object(ev)
	case ev.Progress != nil:
		fmt.Printf("  %s  %s\n", ev.Progress.At.Local().Format("15:04:05"), ev.Progress.State)
	case ev.Turn != nil:
		fmt.Printf("  %7.1fs  %-6s  %s\n", float64(ev.Turn.StartMs)/1000, ev.Turn.Role, ev.Turn.Text)
	case ev.End != nil:
		seconds := int64(0)
		if ev.End.Duration != nil {
			seconds = *ev.End.Duration
		}
		fmt.Printf("%s (%s) after %d s\n", ev.End.Status, ev.End.EndReason, seconds)
		if ev.End.RecordingURL != "" {
			fmt.Printf("recording %s\n", ev.End.RecordingURL)
		}
	}
	return nil
}

// object prints an event as {"event","data"} on a line of its own.
func (p callPrinter) object(ev client.CallEvent) error {
	line := struct {
		Event string `json:"event"`
		Data  any    `json:"data"`
	}{"state", ev.Progress}
	switch {
	case ev.Turn != nil:
		line.Event, line.Data = "turn", ev.Turn
	case ev.End != nil:
		line.Event, line.Data = "end", ev.End
	}
	return json.NewEncoder(os.Stdout).Encode(line)
}
