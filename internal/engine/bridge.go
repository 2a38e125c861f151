package engine

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/callwright/callwright/internal/audio"
	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/sdp"
	"github.com/callwright/callwright/internal/service"
	"github.com/callwright/callwright/internal/sip"
)

// bridge is the second leg of a call: to whom it is handed over.
type bridge struct {
	call   *call
	leg    *service.Leg
	media  *media
	dialog *sip.Dialog
}

// errHungUp says that the caller did not wait for the target.
var errHungUp = errors.New("the caller hung up before they answered")

// bridge dials the target, and relays the sound until one of the two hangs up.
// What it sends was written down before.
func (c *call) bridge(ctx context.Context, leg *service.Leg, t domain.Transfer) (err error) {
	b := &bridge{call: c, leg: leg}
	reason := domain.EndInternal // should this break
	defer func() { b.end(context.WithoutCancel(ctx), reason) }()
	if b.media, err = c.engine.openMedia(leg.Trunk, c.media.rate); err != nil {
		return err
	}
	if reason, err = b.ring(ctx, t.Ring); err != nil {
		return err
	}
	reason, err = b.join(ctx)
	return err
}

// ring dials the target while the caller hears that it rings.
func (b *bridge) ring(ctx context.Context, ring time.Duration) (domain.EndReason, error) {
	c, a := b.call, &b.leg.Attempt
	if b.leg.Trunk.CallsPerSecond > 0 && !c.engine.rates.pass(ctx, b.leg.Trunk) {
		return domain.EndCanceled, errHungUp
	}
	route, err := c.engine.o.Carriers.Route(ctx, b.leg.Trunk, b.leg.To)
	if err != nil {
		return domain.EndConfiguration, err
	}
	ringing, cancel := context.WithTimeout(ctx, ring)
	defer cancel()
	quiet := c.comfort(ringing)
	b.dialog, err = c.engine.ua.Invite(ringing, sip.Invite{
		CallID: a.SIPCallID, URI: route.URI, From: b.leg.From, To: b.leg.To, Body: b.media.offer.Bytes(),
		Username: route.Username, Password: route.Password, Server: c.engine.server(b.leg.Trunk.ID), Reoffer: b.media.reoffer,
		OnProvisional: func(status int, _ []byte) {
			if status >= 180 && a.State == domain.AttemptIntent {
				a.State = domain.AttemptRinging
				c.engine.o.Service.ProgressLeg(*a)
			}
		},
	})
	cancel()
	quiet()
	switch {
	case err != nil && ctx.Err() != nil:
		return domain.EndCanceled, errHungUp
	case err != nil && errors.Is(err, sip.ErrCanceled):
		return domain.EndNoAnswer, fmt.Errorf("nobody answered within %s", ring)
	case err != nil:
		return reasonOf(err), fmt.Errorf("they did not answer: %w", err)
	}
	return "", nil
}

// join relays the sound until the caller or the target hangs up. The caller's
// leg goes on recording: what the target says is what it plays.
func (b *bridge) join(ctx context.Context) (domain.EndReason, error) {
	c, a := b.call, &b.leg.Attempt
	a.State, a.Dialog = domain.AttemptAnswered, b.dialog.State().Bytes()
	if !c.engine.o.Service.ProgressLeg(*a) {
		c.log.Error("progress of a transfer was lost: the database is too far behind")
	}
	answer, err := sdp.Parse(b.dialog.RemoteSDP())
	if err != nil {
		return domain.EndMediaNotAgreed, fmt.Errorf("their answer cannot be used: %w", err)
	}
	agreed, err := sdp.Accept(b.media.offer, answer)
	if err != nil {
		return domain.EndMediaNotAgreed, fmt.Errorf("their answer cannot be used: %w", err)
	}
	broken := make(chan error, 1)
	b.media.fault = func(err error) {
		select {
		case broken <- err:
		default:
		}
	}
	b.media.partner.Store(c.media) // what comes is for the caller from the first packet on
	if err := b.media.start(c.engine.pacer, agreed, nil); err != nil {
		return domain.EndInternal, err
	}
	b.dialog.OnAnswer(b.media.reanswered)
	b.dialog.OnReinvite(b.media.reinvite)
	b.dialog.OnInfo(b.media.info)
	c.handed.Store(true)
	c.media.partner.Store(b.media)
	defer c.media.part()
	silent := time.NewTicker(time.Second)
	defer silent.Stop()
	for {
		select {
		case <-ctx.Done():
			return domain.EndTransferred, nil
		case <-b.dialog.Done():
			return domain.EndTransferred, nil
		case err := <-broken:
			return domain.EndInternal, err
		case <-silent.C:
			if b.media.silentFor() {
				return domain.EndMediaTimeout, nil
			}
		}
	}
}

// end hangs the second leg up and writes down why.
func (b *bridge) end(ctx context.Context, reason domain.EndReason) {
	if b.dialog != nil {
		ctx, cancel := context.WithTimeout(ctx, byeTime)
		defer cancel()
		if err := b.dialog.Bye(ctx); err != nil {
			b.call.log.Debug("the BYE of a transfer was not confirmed", "err", err)
		}
	}
	if b.media != nil {
		b.media.close()
	}
	if !b.call.engine.o.Service.EndLeg(b.leg.Attempt, reason, time.Now().UTC()) {
		b.call.log.Error("the end of a transfer was lost: the database is too far behind")
	}
}

// Ringback as Europe knows it (ETSI TR 101 041): one second of 425 Hz, four of
// silence.
const (
	ringbackHz        = 425
	ringbackAmplitude = 3000
	ringbackOn        = time.Second
	ringbackEvery     = 5 * time.Second
)

// comfort lets the caller hear that it rings until ctx is done; the returned
// function waits for that and clears the line.
func (c *call) comfort(ctx context.Context) (quiet func()) {
	line, done := c.media.leg.Playout(), make(chan struct{})
	tone := audio.Sine(line.SampleRate(), ringbackHz, ringbackAmplitude, ringbackOn)
	c.work.Go(func() {
		defer close(done)
		defer c.recovered("ringback")
		again := time.NewTicker(ringbackEvery)
		defer again.Stop()
		for {
			line.Enqueue(tone)
			select {
			case <-ctx.Done():
				return
			case <-again.C:
			}
		}
	})
	return func() {
		<-done
		line.Cut()
	}
}

// longestRelay bounds the sound that waits to be relayed: what is over it, after
// keys that were sent or a hold, is dropped, so that two people who talk do not
// drift apart.
const longestRelay = 200 * time.Millisecond

// relay plays a frame that another leg has heard. It runs on the pacer's
// goroutine.
func (m *media) relay(pcm []int16) {
	line := m.leg.Playout()
	if line.Queued() > longestRelay {
		line.Cut()
	}
	line.Enqueue(pcm)
}

// part ends the relaying to this leg and from it.
func (m *media) part() {
	m.partner.Store(nil)
	m.leg.Playout().Cut()
}
