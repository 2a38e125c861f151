package engine

import (
	"errors"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/sip"
)

// observe tells that the call has come to a state.
func (c *call) observe(state domain.CallState) {
	now := c.dial.Call
	now.State = state
	c.engine.o.Observer.CallChanged(&now)
}

// reportMedia tells how the sound of the call was, when there was any.
func (c *call) reportMedia() {
	leg := c.media.leg
	if leg == nil {
		return
	}
	s := leg.Stats()
	r := domain.MediaReport{
		CallID: c.dial.Call.ID, Codec: c.media.codec, Sent: s.Sent, Received: s.Received, Lost: s.Lost, Late: s.Buffer.Late,
		Concealed: s.Buffer.Concealed, Jitter: s.Jitter, Buffered: s.Buffer.Delay,
	}
	if first := leg.FirstSent(); !first.IsZero() {
		r.FirstAfter = max(first.Sub(c.dial.Call.AnsweredAt), 0)
	}
	c.engine.o.Observer.MediaEnded(&r)
}

// finalStatus is the final response that an INVITE got: 200 without an error, 0
// when nothing came.
func finalStatus(err error) int {
	var refused *sip.StatusError
	switch {
	case err == nil:
		return 200
	case errors.As(err, &refused):
		return refused.Status
	}
	return 0
}
