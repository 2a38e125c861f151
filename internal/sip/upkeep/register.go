package upkeep

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/callwright/callwright/internal/sip"
)

// Registration says what to register (RFC 3261 section 10.2).
type Registration struct {
	UA                 *sip.UA
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
	Logger   *slog.Logger // nil discards
}

// RegistrationState is how a registration stands.
type RegistrationState string

// The states of a registration.
const (
	Unregistered RegistrationState = "unregistered" // not yet, or not any more
	Registered   RegistrationState = "registered"
	Failed       RegistrationState = "failed" // tried again after a while
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
	maxExpires     = 24 * time.Hour
	defaultRetry   = 30 * time.Second
	maxRetry       = 30 * time.Minute
	minGranted     = time.Second // a server that grants less asks for a loop
	// A server gets this long before the next one is asked, and this long to take
	// a registration back.
	serverTime = 8 * time.Second
	leaveTime  = 2 * time.Second
)

// Registrar keeps us registered until it is closed.
type Registrar struct {
	o    Registration
	life *life

	ask     sip.Request // the last REGISTER; belongs to the goroutine, like what follows
	expires time.Duration
	at      sip.Server      // where it was sent
	gone    <-chan struct{} // closed when the connection that it went over ends

	mu     sync.Mutex
	status RegistrationStatus
	server sip.Server // where we are registered
}

// Start begins to register and returns at once; Status tells how it goes.
func (o Registration) Start() (*Registrar, error) {
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
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	r, err := o.prepare()
	if err != nil {
		return nil, err
	}
	r.life = begin(o.UA, o.Logger, r.run)
	return r, nil
}

// prepare checks what is to be registered.
func (o Registration) prepare() (*Registrar, error) {
	if err := sip.Reaches(o.Server); err != nil {
		return nil, err
	}
	scheme, host, _ := strings.Cut(o.Server, ":")
	if strings.Contains(host, "@") {
		return nil, fmt.Errorf("sip: %q names a user; a registrar has none", o.Server)
	}
	if o.User == "" || strings.ContainsFunc(o.User, func(r rune) bool { return r <= ' ' || strings.ContainsRune("<>\"@;?:\x7f", r) }) {
		return nil, fmt.Errorf("sip: %q is not a user to register", o.User)
	}
	aor := scheme + ":" + o.User + "@" + domainOf(host)
	r := &Registrar{o: o, expires: o.Expires, status: RegistrationStatus{State: Unregistered, Since: time.Now()}}
	r.ask = sip.Request{
		Method: "REGISTER", URI: o.Server, From: aor, To: aor, User: o.User,
		CallID: sip.NewCallID(), Tag: sip.NewCallID(), Username: o.Username, Password: o.Password,
	}
	return r, nil
}

// domainOf is the host of "host:port;parameters".
func domainOf(host string) string {
	host, _, _ = strings.Cut(host, ";")
	host, _, _ = strings.Cut(host, "?")
	if at := strings.LastIndexByte(host, ':'); at >= 0 && !strings.HasSuffix(host, "]") {
		return host[:at]
	}
	return host
}

// Status returns how the registration stands.
func (r *Registrar) Status() RegistrationStatus {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.status
}

// Close takes the registration back and returns when that is done, or was tried
// for two seconds.
func (r *Registrar) Close() { r.life.end() }

// Server returns the server that knows us, to which calls go first; the zero
// value when none does. A nil Registrar is not registered.
func (r *Registrar) Server() sip.Server {
	if r == nil {
		return sip.Server{}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.status.State != Registered {
		return sip.Server{}
	}
	return r.server
}

// run keeps the registration up until ctx is done.
func (r *Registrar) run(ctx context.Context) {
	for failed := 0; ctx.Err() == nil; {
		granted, err := r.register(ctx)
		if ctx.Err() != nil {
			break
		}
		if err != nil {
			failed++
			r.note(RegistrationStatus{State: Failed, Error: r.explain(err)})
			rest(ctx, r.pause(failed, err))
			continue
		}
		failed = 0
		r.hold(ctx, granted)
	}
	r.leave()
}

// pause is how long to wait after a number of failures in a row (RFC 5626
// section 4.5): half to all of a bound that doubles; or as the server says.
func (r *Registrar) pause(failed int, err error) time.Duration {
	bound := r.o.Retry << min(failed-1, 10)
	if bound <= 0 || bound > maxRetry {
		bound = maxRetry
	}
	wait := bound/2 + rand.N(bound/2+1)
	var status *sip.StatusError
	if errors.As(err, &status) && status.RetryAfter > wait {
		return min(status.RetryAfter, maxRetry)
	}
	return wait
}

// explain says what went wrong and, where that is known, what helps.
func (r *Registrar) explain(err error) string {
	var status *sip.StatusError
	switch {
	case errors.As(err, &status) && (status.Status == 401 || status.Status == 403 || status.Status == 407):
		return fmt.Sprintf("the server refused the username or password (%d %s)", status.Status, status.Reason)
	case errors.As(err, &status) && status.Status == 404:
		return fmt.Sprintf("the server does not know %s (404 %s)", r.ask.To, status.Reason)
	case errors.As(err, &status):
		return fmt.Sprintf("the server answered %d %s", status.Status, status.Reason)
	case errors.Is(err, sip.ErrUnreachable):
		return "the server cannot be reached: " + bare(err)
	case errors.Is(err, sip.ErrTimeout):
		return "the server does not answer"
	}
	return err.Error()
}

// register tries the servers one after the other until one says something
// definite (RFC 3263 section 4.3), and returns for how long it was granted.
func (r *Registrar) register(ctx context.Context) (time.Duration, error) {
	servers, err := r.o.UA.Servers(ctx, r.o.Server)
	if err != nil {
		return 0, err
	}
	if known := r.Server(); known.Addr.IsValid() {
		servers = append([]sip.Server{known}, slices.DeleteFunc(servers, func(s sip.Server) bool { return s == known })...)
	}
	for i, at := range servers {
		one, cancel := ctx, context.CancelFunc(func() {})
		if i < len(servers)-1 { // REGISTER does no harm at two servers
			one, cancel = context.WithTimeout(ctx, serverTime)
		}
		var granted time.Duration
		granted, err = r.registerAt(one, at)
		cancel()
		var status *sip.StatusError
		switch {
		case err == nil:
			return granted, nil
		case ctx.Err() != nil:
			return 0, ctx.Err()
		case errors.Is(err, context.DeadlineExceeded):
			err = sip.ErrTimeout
		case errors.As(err, &status) && status.Status < 500 && status.Status != 408, errors.Is(err, sip.ErrClosed):
			return 0, err
		}
	}
	return 0, err
}

// registerAt registers at one server, for longer when that is asked (RFC 3261
// section 10.2.8).
func (r *Registrar) registerAt(ctx context.Context, at sip.Server) (time.Duration, error) {
	r.at = at
	for lengthened := false; ; lengthened = true {
		r.ask.Headers = [][2]string{{"Expires", strconv.Itoa(int(r.expires / time.Second))}}
		a, err := r.o.UA.Ask(ctx, at, &r.ask)
		if err != nil {
			return 0, err
		}
		if least := least(a); a.Status == 423 && least > r.expires && !lengthened {
			r.expires = least
			continue
		}
		if a.Status >= 300 {
			return 0, &a.StatusError
		}
		granted := r.granted(a)
		if granted < minGranted {
			return 0, errors.New("the server granted no time")
		}
		r.gone = a.Gone
		r.mu.Lock()
		r.server = at
		r.mu.Unlock()
		r.note(RegistrationStatus{State: Registered, Server: at.Addr, Until: time.Now().Add(granted)})
		return granted, nil
	}
}

// least is the time of a 423's Min-Expires.
func least(a *sip.Answer) time.Duration {
	for _, v := range a.Headers("Min-Expires") {
		if n, err := strconv.ParseUint(strings.TrimSpace(v), 10, 32); err == nil {
			return min(time.Duration(n)*time.Second, maxExpires)
		}
	}
	return 0
}

// granted reads for how long our Contact was taken: its own expires, else the
// Expires header, else what was asked for (RFC 3261 section 10.2.4).
func (r *Registrar) granted(a *sip.Answer) time.Duration {
	granted := r.expires
	for _, v := range a.Headers("Expires") {
		if n, err := strconv.ParseUint(strings.TrimSpace(v), 10, 32); err == nil {
			granted = time.Duration(n) * time.Second
		}
	}
	contacts := a.Headers("Contact")
	for _, c := range contacts {
		// Some servers give our Contact back with other parameters or another host;
		// the only one there is must be ours.
		uri, _, _ := strings.Cut(a.Contact, ";")
		if len(contacts) > 1 && !strings.Contains(c, uri) {
			continue
		}
		_, params, _ := strings.Cut(c, ">")
		for _, p := range strings.Split(params, ";") {
			name, value, _ := strings.Cut(p, "=")
			n, err := strconv.ParseUint(strings.TrimSpace(value), 10, 32)
			if strings.EqualFold(strings.TrimSpace(name), "expires") && err == nil {
				granted = time.Duration(n) * time.Second
			}
		}
	}
	return min(granted, maxExpires)
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
		r.o.Logger.Info("sip: registration", "server", r.o.Server, "user", r.o.User, "state", string(s.State), "error", s.Error)
		if r.o.OnChange != nil {
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
	for misses := 0; ; {
		select {
		case <-renew.C:
			return
		case <-r.gone:
			r.note(RegistrationStatus{State: Unregistered, Error: "the connection to the server broke"})
			rest(ctx, rand.N(min(r.o.Retry, time.Second))) // all who were on it come back at once
			return
		case <-beat.C:
			one, cancel := context.WithTimeout(ctx, r.o.Beat)
			_, err := r.o.UA.PingAt(one, r.at, r.o.Server)
			cancel()
			if misses++; err == nil {
				misses = 0
			}
			if misses >= maxMisses && ctx.Err() == nil {
				r.note(RegistrationStatus{State: Unregistered, Error: "the server does not answer any more"})
				return
			}
		case <-ctx.Done():
			return
		}
	}
}

// leave takes the registration back (RFC 3261 section 10.2.2), if the user
// agent is still there to do so.
func (r *Registrar) leave() {
	if r.Server().Addr.IsValid() {
		ctx, cancel := context.WithTimeout(context.Background(), leaveTime)
		defer cancel()
		r.ask.Headers = [][2]string{{"Expires", "0"}}
		if _, err := r.o.UA.Ask(ctx, r.at, &r.ask); err != nil {
			r.o.Logger.Debug("sip: not unregistered", "server", r.o.Server, "error", err)
		}
	}
	r.note(RegistrationStatus{State: Unregistered})
}
