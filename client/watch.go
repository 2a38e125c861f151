package client

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
)

// CallEvent is one thing that happened in a call: exactly one member is not nil.
type CallEvent struct {
	Progress *CallProgress // the call came into a state
	Turn     *Turn         // somebody spoke
	End      *CallItem     // the call is over; nothing follows
}

// WatchCall follows a call as it happens, from its beginning to its end, over
// connections that break. Each event comes once. It ends after End, with an
// error, or when the loop is left; the call goes on whatever becomes of it.
func (c *Client) WatchCall(ctx context.Context, id string, more ...Option) iter.Seq2[CallEvent, error] {
	return func(yield func(CallEvent, error) bool) {
		for raw, err := range c.StreamCallEvents(ctx, id, more...) {
			if err != nil {
				yield(CallEvent{}, err)
				return
			}
			ev, known, err := callEvent(raw)
			if !known {
				continue // a newer server tells more
			}
			if !yield(ev, err) || err != nil {
				return
			}
		}
	}
}

func callEvent(raw Event) (ev CallEvent, known bool, err error) {
	var into any
	switch raw.Type {
	case "state":
		ev.Progress = new(CallProgress)
		into = ev.Progress
	case "turn":
		ev.Turn = new(Turn)
		into = ev.Turn
	case "end":
		ev.End = new(CallItem)
		into = ev.End
	default:
		return ev, false, nil
	}
	if err = json.Unmarshal(raw.Data, into); err != nil {
		err = fmt.Errorf("the event %q is not as the contract says: %w", raw.Type, err)
	}
	return ev, true, err
}

// WatchCampaign follows a campaign, from how it stands now to its end, over
// connections that break. It ends when the campaign and its last call are over,
// with an error, or when the loop is left; the campaign goes on whatever becomes
// of it.
func (c *Client) WatchCampaign(ctx context.Context, id string, more ...Option) iter.Seq2[*Campaign, error] {
	return func(yield func(*Campaign, error) bool) {
		for raw, err := range c.StreamCampaignEvents(ctx, id, more...) {
			if err == nil && raw.Type != "progress" && raw.Type != "end" {
				continue // a newer server tells more
			}
			campaign := new(Campaign)
			if err == nil {
				if err = json.Unmarshal(raw.Data, campaign); err != nil {
					err = fmt.Errorf("the event %q is not as the contract says: %w", raw.Type, err)
				}
			}
			if err != nil {
				yield(nil, err)
				return
			}
			if !yield(campaign, nil) {
				return
			}
		}
	}
}
