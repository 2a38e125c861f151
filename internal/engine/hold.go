package engine

import (
	"context"
	"errors"
	"slices"

	"github.com/callwright/callwright/internal/conversation"
	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/sdp"
	"github.com/callwright/callwright/internal/sip"
)

// hold puts the far end on hold, which then hears silence, or takes it back
// (RFC 3264 section 8.4). Whatever holds already is left as it is.
func (c *call) hold(ctx context.Context, on bool) error {
	if !c.moving.TryLock() {
		return errMoving
	}
	defer c.moving.Unlock()
	if c.holding == on {
		return nil
	}
	way := sdp.SendRecv
	if on {
		way = sdp.SendOnly
		c.talk.Hold(conversation.HeldByUs, true) // before the far end ceases to listen
	}
	err := c.offer(ctx, way)
	if err == nil {
		c.holding = on
	}
	if !c.holding {
		c.talk.Hold(conversation.HeldByUs, false)
	}
	return err
}

// errMoving says that a call is in between two states.
var errMoving = domain.Errorf(domain.CodeConflict, "the call is being held, taken back or handed over just now; try again when that is done")

// offer offers the far end a session in which sound flows our way.
func (c *call) offer(ctx context.Context, way sdp.Direction) error {
	offer := c.media.redirect(way)
	body, err := c.dialog.Reinvite(ctx, offer.Bytes())
	var status *sip.StatusError
	if errors.As(err, &status) {
		return domain.Errorf(domain.CodeConflict, "the far end does not want that: it answered %d %s", status.Status, status.Reason)
	}
	if err != nil {
		return err
	}
	answer, err := sdp.Parse(body)
	if err != nil {
		return err
	}
	agreed, err := sdp.Accept(offer, answer)
	if err != nil {
		return err
	}
	return c.media.change(offer, agreed, way)
}

// redirect describes our side anew: as it is, but with another direction. Payload
// types stay what they are in the call (RFC 3264 section 8.3.2).
func (m *media) redirect(way sdp.Direction) *sdp.Session {
	m.terms.Lock()
	defer m.terms.Unlock()
	m.offered.Version++
	next := *m.offer
	next.Version = m.offered.Version
	next.Media = slices.Clone(m.offer.Media)
	for i, line := range next.Media {
		if line.Port == 0 {
			continue // rejected, and stays so
		}
		changed := *line
		changed.Direction = way
		next.Media[i] = &changed
		if line == m.offer.Audio {
			next.Audio = &changed
		}
		if line == m.offer.Text {
			next.Text = &changed
		}
	}
	return &next
}

// change takes over what an offer of ours has come to.
func (m *media) change(offer *sdp.Session, agreed sdp.Agreed, way sdp.Direction) error {
	m.terms.Lock()
	defer m.terms.Unlock()
	m.offer, m.offered.Direction = offer, way
	return m.apply(agreed)
}
