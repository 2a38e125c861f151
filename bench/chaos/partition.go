//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"syscall"
	"time"

	"github.com/callwright/callwright/bench/rig"
)

// partition is what became of servers that share a database while one of them was
// stopped and one was cut off.
type partition struct {
	Nodes int `json:"nodes"`
	// LongestWait is the longest that an order waited from being accepted to its
	// INVITE, in seconds: what a silent node held must be dialed by the others.
	LongestWait float64        `json:"longestWaitSeconds"`
	Fenced      int            `json:"fenced"` // INVITEs that a node sent while it was cut off for longer than its lease
	Dialed      map[string]int `json:"dialed"` // INVITEs by node, all in all
	Meanwhile   int            `json:"meanwhile"`
}

// The times of a partition. A node's lease is 15 seconds.
const (
	stoppedFor   = 60 * time.Second
	cutFor       = 40 * time.Second
	fencedBy     = 15 * time.Second
	longestWait  = 25 * time.Second // the lease, the look that finds it over, and a dial
	ordersAtOnce = 40               // right before each fault, so that it hits work in every stage
)

// partitions stops one of several servers for a minute and cuts another from the
// database, while orders come.
func partitions(ctx context.Context, o options, at rig.Place, progress io.Writer) (_ *verdict, err error) {
	began := time.Now()
	proxy, through, err := between(at.DSN)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, proxy.close()) }()
	ways := make([]string, o.nodes)
	for i := range ways {
		ways[i] = at.DSN
	}
	ways[2] = through
	s, err := open(ctx, o, at, progress, ways...)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	ctx, end := context.WithCancel(ctx)
	defer end() // who still asks is not waited for
	steady, stop := context.WithCancel(ctx)
	defer stop()
	s.feed.work.Go(func() {
		for pause(steady, time.Second) {
			s.feed.release(ctx, o.steady, float64(o.steady))
		}
	})
	var cut span
	stopped, lost := s.nodes[1], s.nodes[2]
	if err := s.trouble(ctx, proxy, stopped, &cut); err != nil {
		return nil, err
	}
	stop()
	if err := s.settle(ctx, settleLimit); err != nil {
		return nil, err
	}
	v := &verdict{Database: at.Name, Scene: "partition", Partition: &partition{Nodes: o.nodes, Dialed: map[string]int{}}}
	s.weigh(v.Partition, lost, cut)
	v.Seconds = time.Since(began).Seconds()
	if err := s.judge(ctx, v); err != nil {
		return nil, err
	}
	if w := v.Partition.LongestWait; w > longestWait.Seconds() {
		v.fault("an order waited %.0f s for its INVITE", w)
	}
	if v.Partition.Fenced > 0 {
		v.fault("a node that was cut off dialed %d numbers", v.Partition.Fenced)
	}
	if v.Partition.Meanwhile == 0 {
		v.fault("nobody dialed while one node was stopped and one cut off")
	}
	return v, nil
}

// span is a time with a beginning and an end.
type span struct{ from, to time.Time }

// trouble has the faults overlap: for half a minute only the first node works.
func (s *scene) trouble(ctx context.Context, p *proxy, stopped *node, cut *span) error {
	say := func(what string) { fmt.Fprintf(s.progress, "%s: %s\n", s.at.Name, what) }
	s.feed.release(ctx, ordersAtOnce, 200)
	if !pause(ctx, 700*time.Millisecond) {
		return ctx.Err()
	}
	say("one node is stopped")
	if err := syscall.Kill(stopped.server.PID(), syscall.SIGSTOP); err != nil {
		return err
	}
	resumed := false
	resume := func() error {
		if resumed {
			return nil
		}
		resumed = true
		return syscall.Kill(stopped.server.PID(), syscall.SIGCONT)
	}
	defer func() { _ = resume() }() // so that it can be ended
	since := time.Now()
	if !pause(ctx, 10*time.Second) {
		return ctx.Err()
	}
	s.feed.release(ctx, ordersAtOnce, 200)
	if !pause(ctx, 700*time.Millisecond) {
		return ctx.Err()
	}
	say("one node is cut from the database")
	p.sever()
	cut.from = time.Now()
	if !pause(ctx, cutFor) {
		return ctx.Err()
	}
	p.heal()
	cut.to = time.Now()
	say("it is back")
	if !pause(ctx, stoppedFor-time.Since(since)) {
		return ctx.Err()
	}
	if err := resume(); err != nil {
		return err
	}
	say("the stopped node goes on")
	if !pause(ctx, 10*time.Second) {
		return ctx.Err()
	}
	return nil
}

// weigh looks at who dialed what, and when.
func (s *scene) weigh(p *partition, lost *node, cut span) {
	s.peer.mu.Lock()
	defer s.peer.mu.Unlock()
	s.feed.mu.Lock()
	defer s.feed.mu.Unlock()
	names := map[netip.AddrPort]string{}
	for i, n := range s.nodes {
		names[n.sip] = fmt.Sprintf("node %d", i+1)
	}
	for _, d := range s.peer.dialogs {
		from := d.from.AddrPort()
		p.Dialed[names[from]]++
		during := d.invitedAt.After(cut.from.Add(fencedBy)) && d.invitedAt.Before(cut.to)
		switch {
		case during && from == lost.sip:
			p.Fenced++
		case during:
			p.Meanwhile++
		}
		if order, known := s.feed.made[d.number]; known {
			p.LongestWait = max(p.LongestWait, d.invitedAt.Sub(order.acceptedAt).Seconds())
		}
	}
}
