package main

import (
	"encoding/json"
	"fmt"
	"net"
	"sync/atomic"
	"testing"
	"time"
)

// line is what calls in one mode need: an agent, a number to call from and, in
// live mode, a trunk to a SIP peer.
type line struct {
	t      *testing.T
	client *demoClient
	agent  string
	number string
}

// chatter is a flow that talks for a while and waits for answers.
const chatter = `{"name":"Chatter","status":"published","nodes":[
 {"id":"hi","type":"say","text":"Hello. This is a call that goes on. It has more to say.","edges":[{"to":"one"}]},
 {"id":"one","type":"ask","text":"What day suits you?","variable":"day","answer":{"type":"date"},"repeat":20,"edges":[{"to":"two"}]},
 {"id":"two","type":"ask","text":"How many people come?","variable":"n","answer":{"type":"number"},"repeat":20,"edges":[{"to":"three"}]},
 {"id":"three","type":"ask","text":"Is that all?","variable":"all","answer":{"type":"yes_no"},"repeat":20,"edges":[{"to":"bye"}]},
 {"id":"bye","type":"end","text":"Goodbye."}]}`

// newLine sets a line up. In test mode the peer does not matter.
func newLine(t *testing.T, s *server, mode string, peer fmt.Stringer) *line {
	t.Helper()
	l := &line{t: t, client: s.client(mode)}
	l.agent = l.agentWith(chatter)
	if mode == "test" {
		var numbers []struct{ ID string }
		if err := l.client.get(t.Context(), "/phone-numbers", &numbers); err != nil || len(numbers) == 0 {
			t.Fatalf("numbers: %v, %v", numbers, err)
		}
		l.number = numbers[0].ID
		return l
	}
	l.number = l.numberOver(peer, nil)
	return l
}

// agentWith makes an agent that talks by a flow.
func (l *line) agentWith(flow string) string {
	l.t.Helper()
	return l.make("/agents", map[string]any{"name": "Ava", "flowId": l.make("/flows", json.RawMessage(flow))})
}

var lastNumber atomic.Int64

// numberOver makes a number that calls over a trunk to the peer.
func (l *line) numberOver(peer fmt.Stringer, more map[string]any) string {
	l.t.Helper()
	host, port, err := net.SplitHostPort(peer.String())
	if err != nil {
		l.t.Fatal(err)
	}
	trunk := map[string]any{"name": "peer", "host": host, "port": json.Number(port), "callsPerSecond": 100}
	for k, v := range more {
		trunk[k] = v
	}
	return l.make("/phone-numbers", map[string]any{"number": fmt.Sprintf("+47229%05d", lastNumber.Add(1)), "trunkId": l.make("/trunks", trunk)})
}

// make creates an object and returns its id.
func (l *line) make(path string, body any) string {
	l.t.Helper()
	var made struct{ ID string }
	if err := l.client.post(l.t.Context(), path, body, &made); err != nil {
		l.t.Fatal(err)
	}
	return made.ID
}

// call places a call.
func (l *line) call(to string) string {
	l.t.Helper()
	return l.make("/calls", map[string]any{"agentId": l.agent, "phoneNumberId": l.number, "to": to})
}

// on is the line at another run of its server.
func (l *line) on(s *server) *line {
	again := *l
	again.client = &demoClient{base: s.api, key: l.client.key}
	return &again
}

// lineCall is what the tests read of a call.
type lineCall struct {
	ID, To, Status, EndReason string
	Turns                     []demoTurn
	AnsweredAt                time.Time
	Attempts                  []struct{ State, EndReason string }
}

func (l *line) read(id string) lineCall {
	l.t.Helper()
	var c lineCall
	if err := l.client.get(l.t.Context(), "/calls/"+id, &c); err != nil {
		l.t.Fatal(err)
	}
	return c
}

// await waits until a call has a status.
func (l *line) await(id, status string) {
	l.t.Helper()
	until(l.t, 30*time.Second, id+" "+status, func() bool { return l.read(id).Status == status })
}
