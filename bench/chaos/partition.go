//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/netip"
	"slices"
	"syscall"
	"time"

	"github.com/callwright/callwright/bench/rig"
)

// partition is what became of servers that share a database while one of them was
// stopped and one was cut off.
type partition struct {
	Nodes int `json:"nodes"`
	// LongestWait is the longest that a contact waited from its campaign being
	// accepted to its first INVITE, in seconds: what a silent node held must be
	// dialed by the others.
	LongestWait float64 `json:"longestWaitSeconds"`
	// LongestPause is the longest time, in seconds, in which nobody dialed at all.
	LongestPause float64        `json:"longestPauseSeconds"`
	Fenced       int            `json:"fenced"` // INVITEs that a node sent while it was cut off for longer than its lease
	Dialed       map[string]int `json:"dialed"` // INVITEs by node, all in all
	Meanwhile    int            `json:"meanwhile"`
}

// The times of a partition. A node's lease is 15 seconds.
const (
	stoppedFor   = 60 * time.Second
	cutFor       = 40 * time.Second
	fencedBy     = 15 * time.Second
	longestWait  = 25 * time.Second // the lease, the look that finds it over, and a dial
	longestPause = 15 * time.Second // a lease: what one node holds never keeps the others from all work
	ordersAtOnce = 40               // right before each fault, so that it hits work in every stage
	together     = 2 * time.Second  // of what comes steadily, this much is one campaign
)

// partitions stops one of several servers for a minute and cuts another from the
// database, while they share campaigns.
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
	v := &verdict{Database: at.Name, Scene: "partition", Partition: &partition{Nodes: o.nodes, Dialed: map[string]int{}}}
	failed := make(chan error, 1)
	s.feed.work.Go(func() { failed <- s.supply(ctx, steady) })
	var cut span
	stopped, lost := s.nodes[1], s.nodes[2]
	if err := s.trouble(ctx, proxy, stopped, &cut); err != nil {
		return nil, err
	}
	stop()
	if err := errors.Join(<-failed, s.settle(ctx, settleLimit)); err != nil {
		return nil, err
	}
	s.weigh(v.Partition, lost, cut)
	v.Seconds = time.Since(began).Seconds()
	if err := s.judge(ctx, v); err != nil {
		return nil, err
	}
	if w := v.Partition.LongestWait; w > longestWait.Seconds() {
		v.fault("a contact waited %.0f s for its INVITE", w)
	}
	if w := v.Partition.LongestPause; w > longestPause.Seconds() {
		v.fault("nobody dialed for %.0f s", w)
	}
	if v.Partition.Fenced > 0 {
		v.fault("a node that was cut off dialed %d numbers", v.Partition.Fenced)
	}
	if v.Partition.Meanwhile == 0 {
		v.fault("nobody dialed while one node was stopped and one cut off")
	}
	return v, nil
}

// supply orders campaigns until steady is done.
func (s *scene) supply(ctx, steady context.Context) error {
	for pause(steady, together) {
		if err := s.feed.campaigns(ctx, s.o.steady*int(together/time.Second)); err != nil {
			return err
		}
	}
	return nil
}

// span is a time with a beginning and an end.
type span struct{ from, to time.Time }

// trouble has the faults overlap: for half a minute only the first node works.
func (s *scene) trouble(ctx context.Context, p *proxy, stopped *node, cut *span) error {
	say := func(what string) { fmt.Fprintf(s.progress, "%s: %s\n", s.at.Name, what) }
	if err := s.feed.campaigns(ctx, ordersAtOnce); err != nil {
		return err
	}
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
	if err := s.feed.campaigns(ctx, ordersAtOnce); err != nil {
		return err
	}
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
	first := map[string]time.Time{} // INVITE of each number
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
		if at, known := first[d.number]; !known || d.invitedAt.Before(at) {
			first[d.number] = d.invitedAt
		}
	}
	for number, at := range first {
		if order, known := s.feed.made[number]; known {
			p.LongestWait = max(p.LongestWait, at.Sub(order.acceptedAt).Seconds())
		}
	}
	p.LongestPause = longestGap(slices.Collect(maps.Values(first))).Seconds()
}

// longestGap is the longest time between one of the times and the next.
func longestGap(times []time.Time) (gap time.Duration) {
	slices.SortFunc(times, time.Time.Compare)
	for i := 1; i < len(times); i++ {
		gap = max(gap, times[i].Sub(times[i-1]))
	}
	return gap
}
