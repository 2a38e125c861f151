package engine

import (
	"context"

	"github.com/callwright/callwright/internal/conversation"
	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/flow"
)

// performer is the call as its conversation sees it.
type performer call

// Turn keeps a turn that is over.
func (p *performer) Turn(t domain.Turn) {
	t.CallID = p.dial.Call.ID
	if !p.engine.o.Service.SaveTurn(t) {
		p.log.Error("a turn was lost: the database is too far behind")
	}
	p.live.tell(domain.LiveEvent{Turn: &t})
	p.engine.o.Observer.TurnEnded(&t)
}

// End hangs up.
func (p *performer) End(reason domain.EndReason) { (*call)(p).end(reason) }

// Do performs an act that is not talk. What is not done, for whatever cause, is
// noted and comes back as such, so that the flow takes its way for failures.
func (p *performer) Do(ctx context.Context, node string, do flow.Do) {
	switch do.Kind {
	case flow.DoHTTP:
		p.perform(ctx, node, "request", func(ctx context.Context) (any, error) { return request(ctx, p.engine.o.HTTP, do.Args) })
	case flow.DoBook:
		p.perform(ctx, node, "booking", func(ctx context.Context) (any, error) { return (*call)(p).book(ctx, do.Args) })
	case flow.DoSMS:
		p.perform(ctx, node, "message", func(ctx context.Context) (any, error) { return (*call)(p).text(ctx, do.Args) })
	case flow.DoTransfer:
		p.work.Go(func() { //nolint:contextcheck // a hand-over lasts as its call does, longer than the talk
			defer (*call)(p).recovered("transfer")
			(*call)(p).transfer(node, do.Args)
		})
	case flow.DoDigits:
		keys, _ := do.Args["digits"].(string)
		err := (*call)(p).press(keys)
		if err != nil {
			p.talk.Note("node " + node + ": " + err.Error())
		}
		p.talk.Post(flow.Event{Kind: flow.Done, Node: node, OK: err == nil})
	default:
		p.talk.Note("node " + node + ": " + do.Kind + " is not available in this build")
		p.talk.Post(flow.Event{Kind: flow.Done, Node: node, Value: map[string]any{"error": do.Kind + " is not available"}})
	}
}

// perform has something done that takes time, and tells the flow what came of it.
func (p *performer) perform(ctx context.Context, node, what string, do func(context.Context) (any, error)) {
	p.work.Go(func() {
		defer (*call)(p).recovered(what)
		value, err := do(ctx)
		if ctx.Err() != nil {
			return // the talk is over
		}
		done := flow.Event{Kind: flow.Done, Node: node, OK: err == nil, Value: value}
		if err != nil {
			done.Text = err.Error()
			p.talk.Note("node " + node + ": " + done.Text)
		}
		p.talk.Post(done)
	})
}

var _ conversation.Performer = (*performer)(nil)
