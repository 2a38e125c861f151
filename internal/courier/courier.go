// Package courier hands text messages to their carriers.
package courier

import (
	"context"
	"fmt"
	"log/slog"
	"runtime/debug"
	"time"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/queue"
	"github.com/callwright/callwright/internal/service/messaging"
	"github.com/callwright/callwright/internal/trunk"
)

// A carrier has patience to answer, and what it answered is noted before the
// lease ends.
const (
	lease    = time.Minute
	patience = 20 * time.Second
	noting   = 35 * time.Second // from the answer on
)

// Options are what a Courier needs. All but Workers and Logger are required.
type Options struct {
	Store    domain.Store
	Rules    *messaging.Messaging
	Carriers *trunk.Carriers
	Workers  int // messages handed over at once; 0 is 8
	Logger   *slog.Logger
}

// Courier hands messages over until it is stopped.
type Courier struct {
	o     Options
	queue *queue.Queue[messaging.Handover]
}

// New makes a courier that looks for messages after each commit that touched
// jobs. It does nothing until Run.
func New(o Options) *Courier {
	if o.Workers <= 0 {
		o.Workers = 8
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	c := &Courier{o: o}
	c.queue = queue.New(queue.Options[messaging.Handover]{
		Name: "messages", Claim: c.claim, Handle: c.handle, Workers: o.Workers, Drain: patience + noting, Logger: o.Logger,
	})
	o.Store.AfterCommit("jobs", c.queue.Kick)
	return c
}

// Looked tells when it last looked for messages; zero before the first time.
func (c *Courier) Looked() time.Time { return c.queue.Looked() }

// Run works until ctx is done and the carriers that were asked have answered.
func (c *Courier) Run(ctx context.Context) error { return c.queue.Run(ctx) }

func (c *Courier) claim(ctx context.Context, _ time.Time, limit int) ([]messaging.Handover, time.Time, error) {
	return c.o.Rules.ClaimMessages(ctx, lease, limit)
}

// handle asks the carrier once, and notes its answer.
func (c *Courier) handle(ctx context.Context, h messaging.Handover) {
	carrierID, answer := c.send(ctx, &h)
	ctx, cancel := context.WithTimeout(ctx, noting)
	defer cancel()
	for wait := 50 * time.Millisecond; ; wait = min(2*wait, 2*time.Second) {
		err := c.o.Rules.FinishMessage(ctx, &h, carrierID, answer)
		if err == nil {
			return
		}
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			c.o.Logger.Error("what a carrier answered is lost: the message counts as interrupted",
				"message", h.Message.ID, "carrierId", carrierID, "answer", answer, "err", err)
			return
		}
	}
}

// send asks the carrier. One that panics has not answered.
func (c *Courier) send(ctx context.Context, h *messaging.Handover) (carrierID string, err error) {
	defer func() {
		if r := recover(); r != nil {
			carrierID, err = "", fmt.Errorf("the carrier panicked: %v\n%s", r, debug.Stack())
		}
	}()
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	return c.o.Carriers.Send(ctx, h.Trunk, trunk.Message{From: h.Message.From, To: h.Message.To, Text: h.Message.Text, Try: h.Try})
}
