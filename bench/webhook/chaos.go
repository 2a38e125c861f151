//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"time"

	"github.com/callwright/callwright/bench/rig"
	"github.com/callwright/callwright/internal/domain"
)

// How a chaos run is hurried: what is said about the order of things does not
// depend on how long they take.
const chaosTimeout = time.Second

var chaosWaits = []time.Duration{
	100 * time.Millisecond, 300 * time.Millisecond, time.Second, time.Second, time.Second, time.Second, time.Second,
	2 * time.Second, 2 * time.Second, 2 * time.Second, 4 * time.Second, 4 * time.Second, 4 * time.Second, 4 * time.Second, 4 * time.Second,
}

// chaos is what a run came to.
type chaos struct {
	Database  string  `json:"database"`
	Committed int     `json:"committed"` // events in the database
	Kills     int     `json:"kills"`
	Tries     int     `json:"tries"`
	Lost      int     `json:"lost"`    // committed, or said to be, and never taken
	Twice     int     `json:"twice"`   // taken more than once, under the same webhook-id
	Forged    int     `json:"forged"`  // one event under two ids, or other bytes under one
	Pending   int     `json:"pending"` // at the end, by the database
	Failed    int     `json:"failed"`  // given up, by the database
	Unknown   int     `json:"unknown"` // taken, but not in the database
	Seconds   float64 `json:"seconds"`
}

// sound reports whether nothing went wrong.
func (c *chaos) sound() bool {
	return c.Lost == 0 && c.Forged == 0 && c.Pending == 0 && c.Unknown == 0
}

// chaosRun is one under way.
type chaosRun struct {
	o        options
	receiver *receiver
	order    order
	acked    map[string]time.Time
	result   chaos
	progress io.Writer
}

// rage commits events, has a receiver fail, kills the sender again and again, and
// looks what came of it.
func rage(ctx context.Context, o options, at rig.Place, progress io.Writer) (_ *chaos, err error) {
	r, err := listen(func(r *receiver) func(http.ResponseWriter, *http.Request, int) bool { return r.failing(o.failing) })
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, r.close(ctx)) }()
	run := &chaosRun{
		o: o, receiver: r, acked: make(map[string]time.Time), progress: progress, result: chaos{Database: at.Name},
		order: order{Do: doChaos, Dir: at.Dir, DSN: at.DSN, URLs: r.urls(o.endpoints), Timeout: chaosTimeout, Waits: chaosWaits},
	}
	began := time.Now()
	for run.result.Kills < o.kills {
		if err := run.life(ctx); err != nil {
			return nil, err
		}
	}
	if err := run.peace(ctx, at); err != nil {
		return nil, err
	}
	run.result.Seconds = time.Since(began).Seconds()
	return &run.result, run.judge(ctx, at)
}

// life is one sender from its start to its end by SIGKILL, after its part of the
// events was committed and as many were taken.
func (c *chaosRun) life(ctx context.Context) error {
	part, before := c.o.events/(c.o.kills+1), c.receiver.taken()
	c.order.Events = part + part/4 + 16 // it dies before it has committed them all, or right after
	p, err := start(ctx, c.order)
	if err != nil {
		return err
	}
	deadline := time.Now().Add(2 * time.Minute)
	for (p.count() < part || c.receiver.taken() < before+part-part/8) && time.Now().Before(deadline) && ctx.Err() == nil {
		time.Sleep(time.Millisecond)
	}
	time.Sleep(time.Duration(rand.Int64N(int64(30 * time.Millisecond)))) //nolint:gosec // keeps no secret
	if err := p.kill(); err != nil {
		return err
	}
	for id, at := range p.acked {
		c.acked[id] = at
	}
	if time.Now().After(deadline) {
		return errors.Join(ctx.Err(), fmt.Errorf("the sender committed %d of %d events within two minutes, and %d were taken", p.count(), part, c.receiver.taken()-before))
	}
	if c.result.Kills++; c.result.Kills%10 == 0 {
		fmt.Fprintf(c.progress, "%s: killed %d times; %d events committed, %d taken\n", c.result.Database, c.result.Kills, len(c.acked), c.receiver.taken())
	}
	return nil
}

// peace lets a last sender commit the rest and deliver until nothing is pending.
func (c *chaosRun) peace(ctx context.Context, at rig.Place) error {
	c.order.Events = max(0, c.o.events-len(c.acked))
	p, err := start(ctx, c.order)
	if err != nil {
		return err
	}
	db, err := at.Open()
	if err != nil {
		return errors.Join(err, p.kill())
	}
	defer db.Close() // it was only read
	deadline := time.Now().Add(10 * time.Minute)
	for pending := 1; pending > 0 || p.count() < c.order.Events; {
		if time.Now().After(deadline) || ctx.Err() != nil {
			break // judge says what is left
		}
		time.Sleep(200 * time.Millisecond)
		if err := db.QueryRowContext(ctx, "SELECT count(*) FROM deliveries WHERE state = 'pending'").Scan(&pending); err != nil {
			return errors.Join(err, p.kill())
		}
	}
	err = p.stop()
	for id, at := range p.acked {
		c.acked[id] = at
	}
	return err
}

// judge compares what the database holds with what came.
func (c *chaosRun) judge(ctx context.Context, at rig.Place) (err error) {
	db, err := at.Open()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	rows, err := db.QueryContext(ctx, "SELECT e.id, coalesce(d.state, '') FROM events e LEFT JOIN deliveries d ON d.event_id = e.id")
	if err != nil {
		return err
	}
	defer rows.Close() // its error is rows.Err
	stored := make(map[string]bool)
	r := c.receiver
	r.mu.Lock()
	defer r.mu.Unlock()
	for rows.Next() {
		var id, state string
		if err := rows.Scan(&id, &state); err != nil {
			return err
		}
		stored[id] = true
		got := r.events[id]
		switch domain.DeliveryState(state) {
		case domain.DeliveryPending:
			c.result.Pending++
		case domain.DeliveryFailed:
			c.result.Failed++
		}
		if got == nil || got.taken == 0 {
			c.result.Lost++
		} else if got.taken > 1 {
			c.result.Twice++
		}
	}
	for id := range c.acked {
		if !stored[id] {
			c.result.Lost++
		}
	}
	for id := range r.events {
		if !stored[id] {
			c.result.Unknown++
		}
	}
	c.result.Committed, c.result.Tries, c.result.Forged = len(stored), r.tries, r.forged
	return rows.Err()
}
