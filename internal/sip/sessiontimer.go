package sip

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"sync"
	"time"

	wire "github.com/emiago/sipgo/sip"
)

// The intervals that RFC 4028 recommends (sections 4 and 5).
const (
	defaultSessionExpires = 30 * time.Minute
	defaultMinSE          = 90 * time.Second
	maxSessionExpires     = 24 * time.Hour
	// refreshPause is how long a refresh that was refused waits for the next try,
	// when there is time (RFC 3261 section 14.1).
	refreshPause    = 3 * time.Second
	minRefreshPause = 100 * time.Millisecond
)

// sessionExpires is a Session-Expires header (RFC 4028 section 4).
type sessionExpires struct {
	interval  time.Duration
	refresher string // uac, uas or "": by the side in the transaction, not in the dialog
}

func (s sessionExpires) header() wire.Header {
	value := seconds(s.interval)
	if s.refresher != "" {
		value += ";refresher=" + s.refresher
	}
	return wire.NewHeader("Session-Expires", value)
}

// seconds rounds up: an interval that is shorter than was asked for is refused.
func seconds(d time.Duration) string {
	return strconv.FormatInt(int64((d+time.Second-1)/time.Second), 10)
}

// deltaSeconds reads "1800;x=y" and what follows the number.
func deltaSeconds(value string) (d time.Duration, params string, ok bool) {
	head, params, _ := strings.Cut(value, ";")
	n, err := strconv.ParseUint(strings.TrimSpace(head), 10, 32)
	if err != nil {
		return 0, "", false
	}
	return time.Duration(n) * time.Second, params, true
}

func sessionExpiresOf(m wire.Message) (sessionExpires, bool) {
	h := either(m, "Session-Expires", "x")
	if h == nil {
		return sessionExpires{}, false
	}
	interval, params, ok := deltaSeconds(h.Value())
	s := sessionExpires{interval: min(interval, maxSessionExpires)}
	for _, p := range strings.Split(strings.ToLower(params), ";") {
		if name, value, _ := strings.Cut(p, "="); strings.TrimSpace(name) == "refresher" {
			s.refresher = strings.TrimSpace(value)
		}
	}
	return s, ok && interval > 0
}

// minSEOf reads Min-SE, 0 for none (RFC 4028 section 5).
func minSEOf(m wire.Message) time.Duration {
	if h := header(m, "Min-SE"); h != nil {
		if d, _, ok := deltaSeconds(h.Value()); ok {
			return min(d, maxSessionExpires)
		}
	}
	return 0
}

// tooBrief reports whether a request asks for more refreshes than are allowed
// (RFC 4028 section 9). Only who knows of session timers is told so.
func (u *UA) tooBrief(req *wire.Request) bool {
	s, ok := sessionExpiresOf(req)
	return ok && s.interval < u.opts.MinSE && supports(req, "timer") &&
		(req.Method == wire.INVITE || req.Method == wire.UPDATE)
}

func (u *UA) refuseBrief(req *wire.Request, from hop) {
	u.refuse(req, from, 422, "Session Interval Too Small", wire.NewHeader("Min-SE", seconds(u.opts.MinSE)))
}

// timerAsk is the headers with which a new call asks for a session timer. The
// far end chooses who refreshes (RFC 4028 section 7.1). least is the Min-SE of
// a 422, 0 before there was one.
func (u *UA) timerAsk(least time.Duration) []wire.Header {
	if u.opts.SessionExpires < 0 {
		return nil
	}
	hs := []wire.Header{sessionExpires{interval: max(u.opts.SessionExpires, least)}.header()}
	if least = max(least, u.opts.MinSE); least > defaultMinSE {
		hs = append(hs, wire.NewHeader("Min-SE", seconds(least)))
	}
	return hs
}

// timerAnswer chooses the session timer for a request to us (RFC 4028 section
// 9); false is none. A choice of the far end's stands, then the present roles;
// else we refresh, for then we know that it is done.
func (u *UA) timerAnswer(req *wire.Request, weRefresh, running bool) (sessionExpires, bool) {
	asked, ok := sessionExpiresOf(req)
	knows := supports(req, "timer")
	if !ok && (!knows || u.opts.SessionExpires < 0) {
		return sessionExpires{}, false
	}
	least := max(u.opts.MinSE, minSEOf(req))
	s := sessionExpires{interval: max(u.opts.SessionExpires, least), refresher: "uas"}
	if ok {
		s.interval = max(min(asked.interval, s.interval), least)
		if u.opts.SessionExpires < 0 {
			s.interval = max(asked.interval, least)
		}
	}
	if knows && (asked.refresher == "uac" || asked.refresher == "" && running && !weRefresh) {
		s.refresher = "uac"
	}
	return s, true
}

// sessionTimer keeps one dialog's session from expiring, or ends it.
type sessionTimer struct {
	mu       sync.Mutex
	interval time.Duration // 0 when there is none
	least    time.Duration // Min-SE of the far end, 0 when it said none
	ours     bool          // we refresh
	expires  time.Time
	timer    *time.Timer
	over     bool
}

func (s *sessionTimer) roles() (weRefresh, running bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ours, s.interval > 0
}

// headers asks in a request of ours for the timer that is there, in the same
// roles (RFC 4028 section 7.4).
func (s *sessionTimer) headers() []wire.Header {
	s.mu.Lock()
	defer s.mu.Unlock()
	hs := []wire.Header{wire.NewHeader("Supported", supported)}
	if s.interval == 0 {
		return hs
	}
	ask := sessionExpires{interval: max(s.interval, s.least), refresher: "uas"}
	if s.ours {
		ask.refresher = "uac"
	}
	hs = append(hs, ask.header())
	if s.least > 0 {
		hs = append(hs, wire.NewHeader("Min-SE", seconds(s.least)))
	}
	return hs
}

// raise takes the Min-SE of a 422. It reports false when that does not help.
func (s *sessionTimer) raise(res *wire.Response) bool {
	least := minSEOf(res)
	s.mu.Lock()
	defer s.mu.Unlock()
	if res.StatusCode != 422 || least <= s.interval || s.interval == 0 {
		return false
	}
	s.least = least
	return true
}

// stop ends the timer for good, or until it is started again.
func (s *sessionTimer) stop(over bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.interval, s.over = 0, s.over || over
	if s.timer != nil {
		s.timer.Stop()
	}
}

// startTimer begins a session interval: the side that refreshes does so at half
// time, the other gives up shortly before the end (RFC 4028 section 10).
func (d *Dialog) startTimer(interval time.Duration, ours bool) {
	s := &d.session
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.over {
		return
	}
	s.interval, s.ours, s.expires = interval, ours, time.Now().Add(interval)
	wait := interval - expiryMargin(interval)
	if ours {
		wait = interval / 2
	}
	d.wake(wait)
}

// wake has the timer fire after wait; s.mu is held.
func (d *Dialog) wake(wait time.Duration) {
	if d.session.timer != nil {
		d.session.timer.Stop()
	}
	d.session.timer = time.AfterFunc(wait, func() { d.u.spawn("session timer", d.timerFired) })
}

// expiryMargin is how long before the end a session without a refresh is given up.
func expiryMargin(interval time.Duration) time.Duration { return min(32*time.Second, interval/3) }

// timed takes what a 2xx to our INVITE or UPDATE says of the timer: without a
// word there is none any more (RFC 4028 section 7.2).
func (d *Dialog) timed(res *wire.Response) {
	if s, ok := sessionExpiresOf(res); ok {
		d.startTimer(s.interval, s.refresher != "uas")
	} else {
		d.session.stop(false)
	}
}

// answerTimer adds to our 2xx what it says of the timer, and starts that.
func (d *Dialog) answerTimer(req *wire.Request, res *wire.Response) {
	weRefresh, running := d.session.roles()
	s, ok := d.u.timerAnswer(req, weRefresh, running)
	if !ok {
		d.session.stop(false)
		return
	}
	if s.refresher == "uac" {
		res.AppendHeader(wire.NewHeader("Require", "timer"))
	}
	res.AppendHeader(s.header())
	d.startTimer(s.interval, s.refresher == "uas")
}

// timerFired refreshes the session, or ends it because nobody did.
func (d *Dialog) timerFired() {
	s := &d.session
	s.mu.Lock()
	left, ours, running := time.Until(s.expires)-expiryMargin(s.interval), s.ours, s.interval > 0
	s.mu.Unlock()
	if !running || d.over() {
		return
	}
	if !ours || left <= 0 {
		d.expire("nobody refreshed the session")
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), left)
	defer cancel()
	err := d.refreshSession(ctx)
	var status *StatusError
	switch {
	case err == nil || d.over():
	case errors.Is(err, ErrTimeout), errors.As(err, &status) && (status.Status == 408 || status.Status == 481):
		d.expire("the far end does not answer any more")
	default: // refused for now: an offer is under way, or worse
		d.u.log.Info("sip: session not refreshed yet", "call", d.CallID(), "error", err)
		s.mu.Lock()
		defer s.mu.Unlock()
		if !s.over && s.interval > 0 {
			d.wake(min(refreshPause, max(left/2, minRefreshPause)))
		}
	}
}

// refreshSession sends an UPDATE without a body where the far end takes it,
// else a re-INVITE with the same description (RFC 4028 section 7.4).
func (d *Dialog) refreshSession(ctx context.Context) error {
	d.mu.Lock()
	update, sdp := d.takesUpdate, d.localSDP
	d.mu.Unlock()
	if update {
		_, err := d.Update(ctx, nil)
		var status *StatusError
		if !errors.As(err, &status) || status.Status != 405 && status.Status != 501 {
			return err
		}
	}
	_, err := d.offer(ctx, sdp)
	return err
}

// expire ends the dialog as if the far end had: it is gone. The BYE is for the
// case that it is not.
func (d *Dialog) expire(why string) {
	if !d.end(true) {
		return
	}
	d.u.log.Warn("sip: session expired", "call", d.CallID(), "why", why)
	if err := d.bye(); err != nil {
		d.u.log.Debug("sip: BYE of an expired session", "error", err)
	}
}

// Update offers a changed session without an INVITE (RFC 3311) and returns the
// answer; with no sdp it only refreshes the dialog. Errors: as of Reinvite,
// which is the one to use unless the far end lists UPDATE in its Allow.
func (d *Dialog) Update(ctx context.Context, sdp []byte) ([]byte, error) {
	if d.over() {
		return nil, ErrEnded
	}
	kind := ""
	if len(sdp) > 0 {
		if err := d.beginOffer(); err != nil {
			return nil, err
		}
		defer d.endOffer()
		kind = "application/sdp"
	}
	res, err := d.request(ctx, wire.UPDATE, kind, sdp, d.session.headers()...)
	if err == nil && d.session.raise(res) {
		res, err = d.request(ctx, wire.UPDATE, kind, sdp, d.session.headers()...)
	}
	if err != nil {
		return nil, err
	}
	if !res.IsSuccess() {
		return nil, d.lost(statusError(res))
	}
	d.refresh(res)
	d.timed(res)
	if len(sdp) > 0 {
		d.agreed(sdp, res.Body())
	}
	return res.Body(), nil
}
