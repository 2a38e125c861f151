package sip

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	wire "github.com/emiago/sipgo/sip"
)

// Registration says what to register (RFC 3261 section 10.2).
type Registration struct {
	Server             string // URI of the registrar: sip:example.com;transport=tls
	User               string // of the address of record, sip:User@example.com
	Username, Password string // for digest challenges; "" Username is User
	// Expires is the time that is asked for; 0 is one hour.
	Expires time.Duration
	// Retry is the longest pause after the first failure, doubled with each
	// further one up to 30 minutes (RFC 5626 section 4.5). 0 is 30 s.
	Retry time.Duration
	// Beat is how often the server is asked whether it is still there, which also
	// keeps the way to us open. Three times without an answer, and we register
	// anew. 0 is 30 s.
	Beat time.Duration
	// OnChange hears each new status, one after the other. It must not block.
	OnChange func(RegistrationStatus)
}

// RegistrationState is how a registration stands.
type RegistrationState string

// The states of a registration.
const (
	Unregistered RegistrationState = "unregistered" // not yet, or not any more
	Registered   RegistrationState = "registered"
	RegisterFail RegistrationState = "failed" // tried again after a while
)

// RegistrationStatus is how a registration stands, for people.
type RegistrationStatus struct {
	State  RegistrationState
	Since  time.Time      // when it came to that
	Error  string         // what went wrong last, in words; "" when nothing did
	Server netip.AddrPort // where we are registered
	Until  time.Time      // when the registration ends unless it is renewed
}

// Times of registrations.
const (
	defaultExpires = time.Hour
	defaultRetry   = 30 * time.Second
	maxRetry       = 30 * time.Minute
	defaultBeat    = 30 * time.Second
	maxMisses      = 3
	minExpires     = time.Second // a server that grants less asks for a loop
)

// Registrar keeps us registered until it is closed.
type Registrar struct {
	u      *UA
	o      Registration
	server wire.Uri
	aor    wire.Uri
	callID string
	tag    string

	stop context.CancelFunc
	done chan struct{}

	cseq    uint32 // of the last REGISTER; belongs to the goroutine, like what follows
	expires time.Duration
	at      hop // where the last one was sent

	mu     sync.Mutex
	status RegistrationStatus
	hop    hop // where we are registered
}

// Register begins to register and returns at once; Status tells how it goes.
func (u *UA) Register(o Registration) (*Registrar, error) {
	if o.Expires <= 0 {
		o.Expires = defaultExpires
	}
	if o.Retry <= 0 {
		o.Retry = defaultRetry
	}
	if o.Beat <= 0 {
		o.Beat = defaultBeat
	}
	if o.Username == "" {
		o.Username = o.User
	}
	r := &Registrar{u: u, o: o, callID: NewCallID(), tag: newTag(), expires: o.Expires, done: make(chan struct{})}
	if err := checkedURI(o.Server, &r.server); err != nil {
		return nil, fmt.Errorf("sip: registrar %q: %w", o.Server, err)
	}
	if _, err := transportOf(&r.server); err != nil {
		return nil, err
	}
	if o.User == "" || strings.ContainsFunc(o.User, unprintable) || strings.ContainsAny(o.User, " <>\"@;?") {
		return nil, fmt.Errorf("sip: %q is not a user to register", o.User)
	}
	r.server.User = ""
	r.aor = wire.Uri{Scheme: r.server.Scheme, User: o.User, Host: r.server.Host}
	r.status = RegistrationStatus{State: Unregistered, Since: time.Now()}
	ctx, cancel := context.WithCancel(context.Background())
	r.stop = cancel
	if !u.spawn("registration", func() { defer close(r.done); r.run(ctx) }) {
		cancel()
		return nil, ErrClosed
	}
	return r, nil
}

// Status returns how the registration stands.
func (r *Registrar) Status() RegistrationStatus {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.status
}

// Close takes the registration back and returns when that is done, or was tried
// for two round trips.
func (r *Registrar) Close() error {
	r.stop()
	<-r.done
	return nil
}

// first puts the server that knows us before the others. A nil Registrar knows
// none.
func (r *Registrar) first(hops []hop) []hop {
	if r == nil {
		return hops
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.status.State != Registered {
		return hops
	}
	out := []hop{r.hop}
	for _, h := range hops {
		if h != r.hop {
			out = append(out, h)
		}
	}
	return out
}

// run keeps the registration up until ctx is done.
func (r *Registrar) run(ctx context.Context) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	r.u.spawn("registration end", func() {
		select {
		case <-r.u.closing:
			cancel()
		case <-ctx.Done():
		}
	})
	for failed := 0; ctx.Err() == nil; {
		granted, err := r.register(ctx)
		if ctx.Err() != nil {
			break
		}
		if err != nil {
			failed++
			r.note(RegistrationStatus{State: RegisterFail, Error: r.explain(err)})
			r.rest(ctx, r.pause(failed, err))
			continue
		}
		failed = 0
		r.hold(ctx, granted)
	}
	r.unregister()
}

// rest waits for d or ctx.
func (r *Registrar) rest(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

// pause is how long to wait after a number of failures in a row (RFC 5626
// section 4.5): half to all of a bound that doubles; or as the server says.
func (r *Registrar) pause(failed int, err error) time.Duration {
	bound := r.o.Retry << min(failed-1, 10)
	if bound <= 0 || bound > maxRetry {
		bound = maxRetry
	}
	wait := bound/2 + rand.N(bound/2+1)
	var status *StatusError
	if errors.As(err, &status) && status.RetryAfter > wait {
		return min(status.RetryAfter, maxRetry)
	}
	return wait
}

// explain says what went wrong and, where that is known, what helps.
func (r *Registrar) explain(err error) string {
	var status *StatusError
	switch {
	case errors.As(err, &status) && (status.Status == 401 || status.Status == 403 || status.Status == 407):
		return fmt.Sprintf("the server refused the username or password (%d %s)", status.Status, status.Reason)
	case errors.As(err, &status) && status.Status == 404:
		return fmt.Sprintf("the server does not know %s (404 %s)", r.aor.String(), status.Reason)
	case errors.As(err, &status):
		return fmt.Sprintf("the server answered %d %s", status.Status, status.Reason)
	case errors.Is(err, ErrUnreachable):
		return "the server cannot be reached: " + bareError(err)
	case errors.Is(err, ErrTimeout):
		return "the server does not answer"
	}
	return err.Error()
}

// register tries the servers one after the other until one says something
// definite (RFC 3263 section 4.3), and returns for how long it was granted.
func (r *Registrar) register(ctx context.Context) (time.Duration, error) {
	hops, err := r.u.locate(ctx, &r.server)
	if err != nil {
		return 0, err
	}
	for i, h := range r.first(hops) {
		limit := r.u.give
		if i < len(hops)-1 {
			limit /= 4 // REGISTER does no harm at two servers
		}
		one, cancel := context.WithTimeout(ctx, limit)
		var granted time.Duration
		granted, err = r.registerAt(one, h)
		cancel()
		var status *StatusError
		switch {
		case err == nil:
			r.u.failed.forget(h)
			return granted, nil
		case ctx.Err() != nil:
			return 0, ctx.Err()
		case errors.Is(err, context.DeadlineExceeded):
			err = ErrTimeout
		case errors.As(err, &status) && status.Status < 500 && status.Status != 408, errors.Is(err, ErrClosed):
			return 0, err
		}
		r.u.failed.note(h, failureMemory)
	}
	return 0, err
}

// registerAt registers at one server, through challenges and 423.
func (r *Registrar) registerAt(ctx context.Context, h hop) (time.Duration, error) {
	r.at = h
	auth := credentials{username: r.o.Username, password: r.o.Password}
	var added []wire.Header
	lengthened := false
	for {
		res, req, err := r.ask(ctx, h, r.expires, added)
		if err != nil {
			return 0, err
		}
		if res.IsSuccess() {
			granted := r.granted(res, req)
			if granted < minExpires {
				return 0, fmt.Errorf("sip: the server granted no time")
			}
			r.accepted(h, granted)
			return granted, nil
		}
		if least := minExpiresOf(res); res.StatusCode == 423 && least > r.expires && !lengthened {
			r.expires, lengthened = least, true // RFC 3261 section 10.2.8
			continue
		}
		again, err := auth.answer(req, res)
		if err != nil {
			return 0, err
		}
		if !again {
			return 0, statusError(res)
		}
		added = slices.Concat(req.GetHeaders("Authorization"), req.GetHeaders("Proxy-Authorization"))
	}
}

// ask sends one REGISTER.
func (r *Registrar) ask(ctx context.Context, h hop, expires time.Duration, added []wire.Header) (*wire.Response, *wire.Request, error) {
	if h.reliable() {
		if _, err := r.u.streams.connect(h, dialTimeout); err != nil {
			return nil, nil, err
		}
	}
	r.cseq++
	req := r.u.outside(wire.REGISTER, r.server, r.aor, r.aor, h, r.callID, r.tag, r.cseq)
	req.AppendHeader(r.u.contactFor(r.server, r.o.User, h))
	req.AppendHeader(wire.NewHeader("Expires", seconds(expires)))
	req.AppendHeader(wire.NewHeader("Supported", supported))
	for _, a := range added {
		req.AppendHeader(a)
	}
	req.SetBody(nil)
	res, err := r.u.roundTrip(ctx, req, h)
	return res, req, err
}

// granted reads for how long our Contact was taken: its own expires, else the
// Expires header, else what was asked for (RFC 3261 section 10.2.4).
func (r *Registrar) granted(res *wire.Response, req *wire.Request) time.Duration {
	asked := r.expires
	if h := header(res, "Expires"); h != nil {
		if d, _, ok := deltaSeconds(h.Value()); ok {
			asked = d
		}
	}
	ours := req.Contact().Address
	contacts := res.GetHeaders("Contact")
	if len(contacts) == 0 {
		contacts = res.GetHeaders("m")
	}
	for _, h := range contacts {
		c, ok := h.(*wire.ContactHeader)
		same := ok && c.Address.User == ours.User && (len(contacts) == 1 || strings.EqualFold(c.Address.Host, ours.Host) && c.Address.Port == ours.Port)
		if !same {
			continue
		}
		if v, ok := c.Params.Get("expires"); ok {
			if d, _, ok := deltaSeconds(v); ok {
				return d
			}
		}
	}
	return asked
}

func minExpiresOf(res *wire.Response) time.Duration {
	if h := header(res, "Min-Expires"); h != nil {
		if d, _, ok := deltaSeconds(h.Value()); ok {
			return min(d, 24*time.Hour)
		}
	}
	return 0
}

func (r *Registrar) accepted(h hop, granted time.Duration) {
	r.mu.Lock()
	r.hop = h
	r.mu.Unlock()
	r.note(RegistrationStatus{State: Registered, Server: h.addr, Until: time.Now().Add(granted)})
}

// note keeps a status; Since stays while the state does.
func (r *Registrar) note(s RegistrationStatus) {
	r.mu.Lock()
	s.Since = time.Now()
	changed := s.State != r.status.State || s.Error != r.status.Error || s.Server != r.status.Server
	if s.State == r.status.State {
		s.Since = r.status.Since
	}
	r.status = s
	r.mu.Unlock()
	if changed {
		r.u.log.Info("sip: registration", "server", r.server.String(), "user", r.o.User, "state", string(s.State), "error", s.Error)
		if r.o.OnChange != nil {
			defer r.u.recovered("OnChange")
			r.o.OnChange(s)
		}
	}
}

// hold waits until the registration is to be renewed: after 80 to 90 % of its
// time, when its connection broke, or when the server has gone silent.
func (r *Registrar) hold(ctx context.Context, granted time.Duration) {
	renew := time.NewTimer(granted*8/10 + rand.N(granted/10+1))
	defer renew.Stop()
	beat := time.NewTicker(r.o.Beat)
	defer beat.Stop()
	var broken <-chan struct{}
	if c := r.u.streams.find(r.at); r.at.reliable() && c != nil {
		broken = c.gone
	}
	misses := 0
	for {
		select {
		case <-renew.C:
			return
		case <-broken:
			r.note(RegistrationStatus{State: Unregistered, Error: "the connection to the server broke"})
			r.rest(ctx, rand.N(min(r.o.Retry, time.Second))) // all who were on it come back at once
			return
		case <-beat.C:
			one, cancel := context.WithTimeout(ctx, r.o.Beat)
			_, err := r.u.pingAt(one, r.server, r.at)
			cancel()
			if misses++; err == nil {
				misses = 0
			}
			if misses < maxMisses || ctx.Err() != nil {
				continue
			}
			r.u.failed.note(r.at, failureMemory)
			r.note(RegistrationStatus{State: Unregistered, Error: "the server does not answer any more"})
			return
		case <-ctx.Done():
			return
		}
	}
}

// unregister takes the registration back (RFC 3261 section 10.2.2), if the
// user agent is still there to do so.
func (r *Registrar) unregister() {
	was := r.Status()
	ctx, cancel := r.u.untilClosed(min(r.u.give, 2*time.Second))
	defer cancel()
	if was.State == Registered && ctx.Err() == nil {
		auth := credentials{username: r.o.Username, password: r.o.Password}
		var added []wire.Header
		for {
			res, req, err := r.ask(ctx, r.at, 0, added)
			if err != nil {
				r.u.log.Debug("sip: not unregistered", "server", r.server.String(), "error", err)
				break
			}
			if again, err := auth.answer(req, res); err != nil || !again {
				break
			}
			added = slices.Concat(req.GetHeaders("Authorization"), req.GetHeaders("Proxy-Authorization"))
		}
	}
	r.note(RegistrationStatus{State: Unregistered})
}
