//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"time"

	"github.com/callwright/callwright/bench/rig"
	"github.com/callwright/callwright/internal/failpoint"
)

// deathLimit is how long a process may take to come to its point.
const deathLimit = 20 * time.Second

// settleLimit is how long the last process may take to end all calls, and batches
// whose import died, which it does after two minutes.
const settleLimit = 4 * time.Minute

// crashes kills one server again and again while it dials, and judges what came
// of it.
func crashes(ctx context.Context, o options, at rig.Place, progress io.Writer) (_ *verdict, err error) {
	began := time.Now()
	s, err := open(ctx, o, at, progress, at.DSN)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	ctx, stop := context.WithCancel(ctx)
	defer stop() // who still asks is not waited for
	v := &verdict{Database: at.Name, Scene: "crashes", Points: map[string]*tally{}}
	run := &crashRun{scene: s, v: v, random: rand.New(rand.NewPCG(o.seed, 0))} //nolint:gosec // repeatable, keeps no secret
	deaths := run.plan()
	run.share = max(1, o.contacts/(len(deaths)+1))
	if err := s.nodes[0].server.Kill(); err != nil { // the first of them has nothing to lose
		return nil, err
	}
	for i, point := range deaths {
		if err := run.life(ctx, point); err != nil {
			return nil, err
		}
		if (i+1)%25 == 0 {
			asked, accepted := s.feed.ordered()
			fmt.Fprintf(progress, "%s: died %d times of %d; %d calls ordered, %d accepted\n", at.Name, i+1, len(deaths), asked, accepted)
		}
	}
	if err := run.peace(ctx); err != nil {
		return nil, err
	}
	v.ReadyP50Ms, v.ReadyMaxMs = percentile(run.ready, 0.5), percentile(run.ready, 1)
	v.Seconds = time.Since(began).Seconds()
	return v, s.judge(ctx, v)
}

// crashRun is one under way.
type crashRun struct {
	*scene
	v      *verdict
	random *rand.Rand
	share  int             // orders for each life
	sheets int             // how many files were sent
	ready  []time.Duration // from the start to being ready
}

// plan is where each process dies, in a random order; "" is at a random time.
func (c *crashRun) plan() []failpoint.Name {
	deaths := make([]failpoint.Name, 0, c.o.kills)
	for range c.o.kills {
		deaths = append(deaths, "")
	}
	for _, point := range c.o.at {
		if point == failpoint.DuringMigration { // before there is anybody to call
			continue
		}
		c.v.Points[string(point)] = &tally{}
		for range c.o.points {
			deaths = append(deaths, point)
		}
	}
	c.random.Shuffle(len(deaths), func(i, j int) { deaths[i], deaths[j] = deaths[j], deaths[i] })
	return deaths
}

// life is one process from its start to its death at a point.
func (c *crashRun) life(ctx context.Context, point failpoint.Name) error {
	n, env := c.nodes[0], failpoint.Variable+"="
	if point != "" {
		env += fmt.Sprintf("%s:%d", point, 1+c.random.IntN(4))
	}
	started := time.Now()
	failed := n.server.Start(ctx, env)
	select {
	case <-n.server.Exited(): // it died before it was ready, which is where some points are
	default:
		if failed != nil {
			return errors.Join(failed, n.server.Kill())
		}
	}
	if failed == nil {
		c.ready = append(c.ready, time.Since(started))
	}
	c.peer.revived(n.sip, started)
	c.feed.release(ctx, c.share-c.share/2, c.o.rate)
	if err := c.contacts(ctx, point, c.share/2); err != nil {
		return err
	}
	limit := deathLimit
	if point == "" {
		limit = time.Duration(c.random.Int64N(int64(2500 * time.Millisecond)))
	}
	died, err := c.death(ctx, n, point, limit)
	if err != nil {
		return err
	}
	missed := !died && point != ""
	c.peer.crashed(n.sip)
	switch t := c.v.Points[string(point)]; {
	case point == "":
		c.v.Kills++
	case missed:
		t.Missed++
		c.v.fault("a process did not come to %s within %s", point, deathLimit)
	default:
		t.Died++
	}
	return nil
}

// more is how often something is ordered while a process does not come to its point:
// one that takes all orders at once passes some points only once.
const more = 400 * time.Millisecond

// death waits until a process dies at its point, and kills it when limit has passed.
func (c *crashRun) death(ctx context.Context, n *node, point failpoint.Name, limit time.Duration) (died bool, err error) {
	over := time.After(limit)
	ticks := time.NewTicker(more)
	defer ticks.Stop()
	for {
		select {
		case <-n.server.Exited():
			return true, nil
		case <-ctx.Done():
			return false, ctx.Err()
		case <-over:
			return false, n.server.Kill()
		case <-ticks.C:
			if point != "" {
				c.feed.release(ctx, 1, c.o.rate)
			}
		}
	}
}

// contacts orders calls to n contacts together. They come in a file when the
// process is to die while it reads one, and sometimes otherwise.
func (c *crashRun) contacts(ctx context.Context, point failpoint.Name, n int) error {
	if point != failpoint.DuringImport && (point != "" || c.random.IntN(2) == 0) {
		return c.feed.campaigns(ctx, n)
	}
	c.sheets++
	return c.feed.sheet(ctx, min(n, most), c.sheets%2 == 0 && !c.o.short) // what is left of a batch is there for two minutes
}

// peace lets a last process end all calls.
func (c *crashRun) peace(ctx context.Context) error {
	n, started := c.nodes[0], time.Now()
	if err := n.server.Start(ctx); err != nil {
		return err
	}
	c.peer.revived(n.sip, started)
	return c.settle(ctx, settleLimit)
}
