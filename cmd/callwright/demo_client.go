package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"
)

// demoClient speaks to the public API as any client would.
type demoClient struct{ base, key string }

// demoCall is what the demo reads of a call.
type demoCall struct {
	ID        string     `json:"id"`
	Status    string     `json:"status"`
	EndReason string     `json:"endReason"`
	Duration  int        `json:"duration"`
	Summary   string     `json:"summary"`
	Sentiment string     `json:"sentiment"`
	Voice     string     `json:"voice"`
	Turns     []demoTurn `json:"turns"`
}

func (c *demoClient) post(ctx context.Context, path string, body, into any) error {
	raw, err := json.Marshal(body)
	if err != nil {
		return err
	}
	return c.do(ctx, http.MethodPost, path, bytes.NewReader(raw), into)
}

func (c *demoClient) get(ctx context.Context, path string, into any) error {
	return c.do(ctx, http.MethodGet, path, nil, into)
}

func (c *demoClient) do(ctx context.Context, method, path string, body io.Reader, into any) error {
	req, err := http.NewRequestWithContext(ctx, method, c.base+path, body)
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+c.key)
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = res.Body.Close() }()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		return err
	}
	if res.StatusCode/100 != 2 {
		return fmt.Errorf("%s %s answered %s: %s", method, path, res.Status, raw)
	}
	return json.Unmarshal(raw, into)
}

// followEvery is how often the call is looked at; the default plan allows 300
// requests a minute.
const followEvery = 200 * time.Millisecond

// follow tells each turn as it appears, and returns the call when it is over
// and its analysis is there, or will not come.
func (c *demoClient) follow(ctx context.Context, id string, turn func(demoTurn)) (*demoCall, error) {
	tick := time.NewTicker(followEvery)
	defer tick.Stop()
	told := 0
	for {
		var call demoCall
		if err := c.get(ctx, "/calls/"+id, &call); err != nil {
			return nil, err
		}
		for ; told < len(call.Turns); told++ {
			turn(call.Turns[told])
		}
		if call.Status == "failed" || call.Status == "completed" && call.Summary != "" {
			return &call, nil
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("the call is %s and not over after %s", call.Status, demoLimit)
		case <-tick.C:
		}
	}
}
