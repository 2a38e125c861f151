//go:build linux

package main

import (
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/callwright/callwright/bench/rig"
)

// asks is what the scripted services were asked, by line.
type asks struct {
	mu   sync.Mutex
	line map[int][]rig.Asked
}

func (a *asks) take(line int, what rig.Asked) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.line == nil {
		a.line = map[int][]rig.Asked{}
	}
	a.line[line] = append(a.line[line], what)
}

// answers is what the services took for each answer of a line: to its first
// words and to its first sound, as they saw it themselves.
func (a *asks) answers(line int) []time.Duration {
	a.mu.Lock()
	defer a.mu.Unlock()
	var out []time.Duration
	spoken := true
	for _, ask := range a.line[line] {
		switch {
		case ask.Sense == "think":
			out, spoken = append(out, ask.FirstAt.Sub(ask.At)), false
		case !spoken:
			out[len(out)-1] += ask.FirstAt.Sub(ask.At)
			spoken = true
		}
	}
	return out
}

// ownShare is what of the answers' time is the server's: strictly, all that the
// services did not take, so that connections, requests and parsing count, and as
// the server reports it, which leaves out what it waited for their answers.
type ownShare struct{ strict, reported rig.Spread }

// own reads the answers to turns that ended between two times.
func (b *bench) own(ctx context.Context, from, to time.Time) (ownShare, error) {
	var out ownShare
	for line, id := range b.ids {
		var call struct {
			AnsweredAt time.Time
			Turns      []struct {
				Role    string
				EndMs   int64
				Latency *struct{ EotAtMs, STTMs, FirstRTPMs, OwnMs int64 }
			}
		}
		if err := b.Server.Do(ctx, http.MethodGet, "/calls/"+id, nil, &call); err != nil {
			return out, err
		}
		took := b.asks.answers(line)
		at := 0
		for _, t := range call.Turns {
			l := t.Latency
			if l == nil || l.EotAtMs == 0 || at >= len(took) {
				continue
			}
			services := took[at] + time.Duration(l.STTMs)*time.Millisecond
			at++
			if asked := call.AnsweredAt.Add(time.Duration(l.EotAtMs) * time.Millisecond); asked.Before(from) || asked.After(to) {
				continue
			}
			out.strict.Add(time.Duration(l.FirstRTPMs)*time.Millisecond - services)
			out.reported.Add(time.Duration(l.OwnMs) * time.Millisecond)
		}
	}
	return out, nil
}
