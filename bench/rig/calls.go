//go:build linux

package rig

import (
	"context"
	"fmt"
	"net/http"
	"net/netip"
	"time"
)

// Office is what all calls of a run need, made once: trunk, agent, number.
type Office struct {
	server *Server
	Agent  string // ids
	Number string
}

// OpenOffice makes a trunk to the phones at peer, an agent and a number of ours.
// agent and trunk hold further fields of both.
func (s *Server) OpenOffice(ctx context.Context, peer netip.AddrPort, trunk, agent map[string]any) (*Office, error) {
	var line, who, number struct{ ID string }
	body := map[string]any{"name": "bench", "host": peer.Addr().String(), "port": peer.Port(), "callsPerSecond": 10000, "maxCalls": 10000}
	if err := s.Do(ctx, http.MethodPost, "/trunks", merged(body, trunk), &line); err != nil {
		return nil, err
	}
	if err := s.Do(ctx, http.MethodPost, "/agents", merged(map[string]any{"name": "Bench"}, agent), &who); err != nil {
		return nil, err
	}
	own := map[string]any{"number": "+12025550100", "trunkId": line.ID, "agentId": who.ID}
	if err := s.Do(ctx, http.MethodPost, "/phone-numbers", own, &number); err != nil {
		return nil, err
	}
	return &Office{server: s, Agent: who.ID, Number: number.ID}, nil
}

func merged(a, b map[string]any) map[string]any {
	for k, v := range b {
		a[k] = v
	}
	return a
}

// Call places the call with an index from 0 to 999,999, which the number that is
// called ends with, and returns its id.
func (o *Office) Call(ctx context.Context, index int) (string, error) {
	var made struct{ ID string }
	err := o.server.Do(ctx, http.MethodPost, "/calls", map[string]any{
		"agentId": o.Agent, "phoneNumberId": o.Number, "to": fmt.Sprintf("+14152%06d", index),
		"variables": map[string]any{"line": index},
	}, &made)
	return made.ID, err
}

// Wait looks every 20 ms until what is true, ctx is done or limit has passed,
// and reports whether it is.
func Wait(ctx context.Context, limit time.Duration, what func() bool) bool {
	for deadline := time.Now().Add(limit); !what(); {
		if time.Now().After(deadline) || ctx.Err() != nil {
			return false
		}
		time.Sleep(20 * time.Millisecond)
	}
	return true
}
