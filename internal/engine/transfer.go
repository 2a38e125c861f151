package engine

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/callwright/callwright/internal/conversation"
	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/flow"
	"github.com/callwright/callwright/internal/service"
	"github.com/callwright/callwright/internal/sip"
)

// transfer performs a flow's hand-over and tells the flow how it went.
func (c *call) transfer(node string, args map[string]any) {
	t := domain.Transfer{}
	t.To, _ = args["to"].(string)
	mode, _ := args["mode"].(string)
	t.Mode = domain.TransferMode(mode)
	if seconds, ok := args["ringSeconds"].(float64); ok {
		t.Ring = time.Duration(seconds * float64(time.Second))
	}
	run, err := c.handOver(t)
	if err == nil {
		err = run()
	}
	done := flow.Event{Kind: flow.Done, Node: node, OK: err == nil, Value: map[string]any{}}
	if err != nil {
		c.talk.Note("node " + node + ": the call was not handed over: " + err.Error())
		done.Value = map[string]any{"error": err.Error()}
	}
	c.talk.Post(done)
}

// handOver checks whom the call is to be handed over to, and returns what does
// it. That returns nil when the caller was with them and they have hung up, or
// when the far end calls them itself; an error when it failed, and the agent has
// the caller back. With the call, it ends.
func (c *call) handOver(t domain.Transfer) (run func() error, err error) {
	ctx := c.ctx
	if !c.moving.TryLock() {
		return nil, errMoving
	}
	defer func() {
		if err != nil {
			c.moving.Unlock()
		}
	}()
	id := sip.NewCallID()
	leg, err := c.engine.o.Service.HandOver(ctx, c.dial.Call, t, c.engine.node.name(), id)
	if err != nil {
		return nil, err
	}
	if t.Ring <= 0 {
		t.Ring = c.engine.o.Ring
	}
	return func() error {
		defer c.moving.Unlock()
		c.talk.Hold(conversation.HandedOver, true)
		defer c.talk.Hold(conversation.HandedOver, false)
		if t.Mode == domain.TransferRefer {
			return c.refer(ctx, leg, t)
		}
		return c.bridge(ctx, leg, t)
	}, nil
}

// refer asks the far end to call the target itself (RFC 3515). A far end that
// leaves without telling how that went is taken to have done it.
func (c *call) refer(ctx context.Context, leg *service.Leg, t domain.Transfer) error {
	route, err := c.engine.o.Carriers.Route(ctx, leg.Trunk, leg.To)
	if err != nil {
		return err
	}
	c.handed.Store(true)         // whoever hangs up from now on
	const more = 5 * time.Second // until the far end tells what it knows
	ctx, cancel := context.WithTimeout(ctx, t.Ring+more)
	defer cancel()
	status, err := c.dialog.Refer(ctx, route.URI, sip.ReferOptions{})
	if err == nil && status >= 300 {
		err = fmt.Errorf("the far end could not reach them: it was answered %d", status)
	}
	var refused *sip.StatusError
	if errors.As(err, &refused) {
		err = fmt.Errorf("the far end does not hand calls over: it answered %d %s", refused.Status, refused.Reason)
	}
	if err != nil && !errors.Is(err, sip.ErrEnded) {
		c.handed.Store(false)
	}
	return err
}
