package engine

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/sdp"
	"github.com/callwright/callwright/internal/service"
	"github.com/callwright/callwright/internal/sip"
)

// realm is what callers are asked a password for.
const realm = "callwright"

// receiveTime bounds what is done for a call before it is taken.
const receiveTime = 10 * time.Second

// refusal is the response to a call that is not taken (RFC 3261 section 21).
type refusal struct {
	status int
	reason string
}

var (
	forbidden   = refusal{http.StatusForbidden, "Forbidden"}
	notFound    = refusal{http.StatusNotFound, "Not Found"}
	nobodyHere  = refusal{480, "Temporarily Unavailable"}
	busyHere    = refusal{486, "Busy Here"}
	notOffered  = refusal{488, "Not Acceptable Here"}
	failed      = refusal{http.StatusInternalServerError, "Server Internal Error"}
	unavailable = refusal{http.StatusServiceUnavailable, "Service Unavailable"}
)

// refusalOf is how the caller hears why its call is not taken.
func refusalOf(err error) refusal {
	switch domain.CodeOf(err) {
	case domain.CodeNotFound:
		return notFound
	case domain.CodeConflict:
		return nobodyHere
	case domain.CodeLimitReached:
		return busyHere
	case domain.CodeUnavailable:
		return unavailable
	}
	return failed
}

// incoming takes a call that came in and returns at once: the call is worked on
// by a goroutine of its own.
func (e *Engine) incoming(in *sip.Incoming) {
	if !e.door.enter() {
		e.reject(in, unavailable, "this process is stopping, or carries all the calls that it can")
		return
	}
	go func() {
		defer e.door.leave()
		defer func() {
			if r := recover(); r != nil {
				e.log.Error("an incoming call broke", "panic", r, "stack", string(debug.Stack()))
				e.reject(in, failed, "a fault of ours")
			}
		}()
		e.receive(in)
	}()
}

// reject refuses a call that has no row; what the caller sent is only logged
// quoted.
func (e *Engine) reject(in *sip.Incoming, r refusal, why string) {
	e.log.Info("an incoming call was refused", "status", r.status, "why", why,
		"source", in.Source, "to", fmt.Sprintf("%.64q", in.Target), "from", fmt.Sprintf("%.64q", in.From))
	if err := in.Reject(r.status, r.reason); err != nil && !errors.Is(err, sip.ErrCanceled) {
		e.log.Debug("the refusal was not sent", "err", err)
	}
}

// receive finds whom a call is for, stores it, and carries it to its end.
func (e *Engine) receive(in *sip.Incoming) {
	ctx, cancel := context.WithTimeout(context.Background(), receiveTime)
	defer cancel()
	who, number, over, err := e.callee(ctx, in)
	if domain.CodeOf(err) == domain.CodeNotFound && !who.known {
		e.peers.renew(ctx)
		who, number, over, err = e.callee(ctx, in)
	}
	missing := domain.CodeOf(err) == domain.CodeNotFound
	if err != nil && !missing {
		e.reject(in, refusalOf(err), err.Error())
		return
	}
	switch guarded := !missing && over.Incoming.Username != ""; {
	case guarded && !e.authenticated(in, over):
		return
	case guarded, who.known, e.o.Strangers == StrangersAnswer:
	default:
		e.reject(in, forbidden, "no trunk names the address that it came from")
		return
	}
	if missing {
		e.reject(in, notFound, err.Error())
		return
	}
	d, err := e.o.Service.Receive(ctx, who.Incoming, number, over)
	if err != nil {
		e.reject(in, refusalOf(err), err.Error())
		return
	}
	e.run(context.Background(), &call{dial: d, incoming: in}, (*call).take)
}

// caller is who calls: what the rules want to know, and whether a trunk names
// the address that the call came from.
type caller struct {
	service.Incoming
	known bool
}

// callee finds whom a call is for.
func (e *Engine) callee(ctx context.Context, in *sip.Incoming) (caller, *domain.PhoneNumber, *domain.Trunk, error) {
	who := caller{Incoming: service.Incoming{Called: called(in), SIPCallID: in.CallID, Epoch: e.node.name()}}
	who.Trunks, who.known = e.peers.callers(in.Source)
	who.Caller = callerNumber(in, who.known)
	number, over, err := e.o.Service.Callee(ctx, who.Incoming)
	return who, number, over, err
}

// authenticated has the caller prove the password of the trunk's callers.
func (e *Engine) authenticated(in *sip.Incoming, t *domain.Trunk) bool {
	_, err := in.Authenticate(realm, func(user string) (string, bool) {
		return t.Incoming.Password, user == t.Incoming.Username
	})
	return err == nil
}

// called lists what the caller may have dialed, the likeliest first: what a
// carrier says that it was (RFC 7315 section 4.2), the address of the request,
// which may be the contact of our registration, and the address it was meant
// for at first.
func called(in *sip.Incoming) []string {
	var all []string
	for _, user := range []string{in.Number("P-Called-Party-ID"), in.Target, in.To} {
		number := plain(user)
		if number != "" && !slices.Contains(all, number) {
			all = append(all, number)
		}
	}
	return all
}

// callerNumber is the number that the caller shows, "" for none: it may ask for
// privacy (RFC 3323), and a known peer may vouch for another than it wrote
// (RFC 3325).
func callerNumber(in *sip.Incoming, trusted bool) string {
	if strings.EqualFold(in.From, service.Anonymous) {
		return ""
	}
	for _, wish := range strings.FieldsFunc(in.Header("Privacy"), func(r rune) bool { return r == ';' || r == ',' || r == ' ' }) {
		switch strings.ToLower(wish) {
		case "id", "user", "header":
			return ""
		}
	}
	if number := in.Number("P-Asserted-Identity"); trusted && number != "" {
		return plain(number)
	}
	return plain(in.From)
}

// plain is the user part of an address without its escapes (RFC 3261 section
// 19.1.2).
func plain(user string) string {
	if text, err := url.PathUnescape(user); err == nil {
		return text
	}
	return user
}

// take rings, answers and carries an incoming call that was stored.
func (c *call) take() {
	defer c.abandon()
	c.live = c.engine.add(c.dial.Call.ID, c.end)
	defer c.engine.remove(c.dial.Call.ID)
	c.tell(domain.CallRinging)
	rang := time.Now()
	_ = c.incoming.Ring() // a caller that has given up is noticed next
	c.work.Go(func() {
		select {
		case <-c.incoming.Canceled():
			c.end(domain.EndCanceled)
		case <-c.ctx.Done():
		}
	})
	answer, r, err := c.describe()
	if err == nil {
		err = c.await(rang.Add(c.engine.o.RingFor))
	}
	if err != nil {
		c.turnAway(r, err)
		return
	}
	dialog, err := c.incoming.Answer(answer)
	if err != nil {
		c.turnAway(nobodyHere, err)
		return
	}
	c.dialog = dialog
	c.finish(c.converse())
}

// describe prepares the call and returns our part of its media; or why not, and
// what the caller is told.
func (c *call) describe() ([]byte, refusal, error) {
	var offer *sdp.Session
	if len(c.incoming.Body) > 0 {
		var err error
		if offer, err = sdp.Parse(c.incoming.Body); err != nil {
			return nil, notOffered, fmt.Errorf("the caller's offer cannot be used: %w", err)
		}
		c.dial.Trunk.RealtimeText = offer.Text != nil // answered whenever it is offered
	}
	if err := c.prepare(); err != nil {
		r := failed
		if domain.CodeOf(err) == domain.CodeUnavailable {
			r = unavailable
		}
		return nil, r, err
	}
	if offer == nil {
		// The caller cannot refuse our offer and be asked again, so it is plain
		// where that will do.
		c.media.plainly()
		return c.media.offer.Bytes(), nobodyHere, nil
	}
	agreed, err := c.media.accept(offer)
	if err != nil {
		return nil, notOffered, fmt.Errorf("the caller's offer cannot be used: %w", err)
	}
	c.agreed = &agreed
	return c.media.offer.Bytes(), nobodyHere, nil
}

// accept answers an offer; the answer is what we describe from here on.
func (m *media) accept(offer *sdp.Session) (sdp.Agreed, error) {
	answer, agreed, err := sdp.Answer(offer, m.offered)
	if err == nil {
		m.offer = answer
	}
	return agreed, err
}

// await lets the phone ring until then.
func (c *call) await(then time.Time) error {
	wait := time.NewTimer(time.Until(then))
	defer wait.Stop()
	select {
	case <-wait.C:
	case <-c.ctx.Done():
	}
	return c.ctx.Err()
}

// turnAway ends a call that was not answered.
func (c *call) turnAway(r refusal, err error) {
	why, ended := c.ending()
	switch {
	case ended || errors.Is(err, sip.ErrCanceled):
		if !ended {
			why = domain.EndCanceled
		}
	default:
		c.log.Warn("an incoming call could not be answered", "err", err)
		c.notes = append(c.notes, err.Error())
		why = prepareReason(err)
		if r == notOffered {
			why = domain.EndMediaNotAgreed
		}
	}
	if why == domain.EndInterrupted {
		r = unavailable // the process is being stopped
	}
	if failed := c.incoming.Reject(r.status, r.reason); failed != nil {
		c.log.Debug("the refusal was not sent", "err", failed) // the caller was faster
	}
	c.end(why)
	c.work.Wait()
	c.finish(why)
}
