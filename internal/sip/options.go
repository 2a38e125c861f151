package sip

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"time"

	wire "github.com/emiago/sipgo/sip"
)

// Pong is the answer to a Ping.
type Pong struct {
	Status int            // whatever it is, somebody is there
	RTT    time.Duration  // from the request to the answer
	Server string         // what the far end says it is, or ""
	Seen   netip.AddrPort // where it saw the request come from (RFC 3581); not valid when it does not say
}

// Ping asks with OPTIONS whether the far end at uri is there (RFC 3261 section
// 11), at each of its servers until one answers. Errors: ErrTimeout, ErrUnreachable,
// ErrClosed, ctx's.
func (u *UA) Ping(ctx context.Context, uri string) (Pong, error) {
	var target wire.Uri
	if err := checkedURI(uri, &target); err != nil {
		return Pong{}, fmt.Errorf("sip: cannot ping %q: %w", uri, err)
	}
	hops, err := u.locate(ctx, &target)
	if err != nil {
		return Pong{}, err
	}
	for i, h := range hops {
		limit := u.give
		if i < len(hops)-1 {
			limit /= 4
		}
		one, cancel := context.WithTimeout(ctx, limit)
		var pong Pong
		pong, err = u.pingAt(one, target, h)
		cancel()
		if err == nil {
			u.failed.forget(h)
			return pong, nil
		}
		if ctx.Err() != nil || errors.Is(err, ErrClosed) {
			return Pong{}, err
		}
		if errors.Is(err, context.DeadlineExceeded) {
			err = ErrTimeout
		}
		u.failed.note(h, failureMemory)
	}
	return Pong{}, err
}

// pingAt asks one server.
func (u *UA) pingAt(ctx context.Context, target wire.Uri, h hop) (Pong, error) {
	if h.reliable() {
		if _, err := u.streams.connect(h, dialTimeout); err != nil {
			return Pong{}, err
		}
	}
	from := wire.Uri{Scheme: "sip", User: "ping", Host: u.localHost(h.addr)}
	req := u.outside(wire.OPTIONS, target, from, target, h, NewCallID(), newTag(), 1)
	req.AppendHeader(u.contactFor(target, from.User, h))
	req.AppendHeader(wire.NewHeader("Accept", "application/sdp"))
	req.SetBody(nil)
	began := time.Now()
	res, err := u.roundTrip(ctx, req, h)
	if err != nil {
		return Pong{}, err
	}
	pong := Pong{Status: res.StatusCode, RTT: time.Since(began), Seen: seenFrom(res)}
	if server := header(res, "Server"); server != nil {
		pong.Server = server.Value()
	}
	return pong, nil
}

// seenFrom reads the source of the request out of the Via that comes back.
func seenFrom(res *wire.Response) netip.AddrPort {
	via := res.Via()
	if via == nil {
		return netip.AddrPort{}
	}
	received, _ := via.Params.Get("received")
	ip, err := netip.ParseAddr(strings.Trim(received, "[]"))
	if err != nil {
		if ip, err = netip.ParseAddr(strings.Trim(via.Host, "[]")); err != nil {
			return netip.AddrPort{}
		}
	}
	rport, _ := via.Params.Get("rport")
	port, _ := strconv.ParseUint(rport, 10, 16) // 0 when it does not say
	if received == "" && port == 0 {
		return netip.AddrPort{} // our own words, unchanged
	}
	return netip.AddrPortFrom(ip.Unmap(), uint16(port))
}

// outside makes a request outside of a dialog (RFC 3261 section 8.1.1).
func (u *UA) outside(method wire.RequestMethod, target, from, to wire.Uri, h hop, callID, tag string, cseq uint32) *wire.Request {
	req := wire.NewRequest(method, target)
	req.AppendHeader(u.via(h))
	f := &wire.FromHeader{Address: from}
	f.Params.Add("tag", tag)
	req.AppendHeader(f)
	to.UriParams = nil
	req.AppendHeader(&wire.ToHeader{Address: to})
	id, forwards := wire.CallIDHeader(callID), wire.MaxForwardsHeader(70)
	req.AppendHeader(&id)
	req.AppendHeader(&wire.CSeqHeader{SeqNo: cseq, MethodName: method})
	req.AppendHeader(&forwards)
	req.AppendHeader(wire.NewHeader("User-Agent", u.opts.UserAgent))
	return req
}

// Watch says which far end is to be watched.
type Watch struct {
	URI   string
	Every time.Duration // between two questions; 0 is 30 s
	// OnChange hears each change between up and down, one after the other. It must
	// not block.
	OnChange func(WatchStatus)
}

// WatchStatus is what is known of a far end.
type WatchStatus struct {
	Known bool          // false until the first answer, or the third silence
	Up    bool          // it answers
	Since time.Time     // when it came to that
	RTT   time.Duration // of the last answer
	Error string        // why it is down, in words
}

// Watcher asks a far end again and again whether it is there: it is down after
// three silences, and up with one answer.
type Watcher struct {
	u    *UA
	o    Watch
	stop context.CancelFunc
	done chan struct{}

	mu     sync.Mutex
	status WatchStatus
}

// Watch begins to watch and returns at once.
func (u *UA) Watch(o Watch) (*Watcher, error) {
	var uri wire.Uri
	if err := checkedURI(o.URI, &uri); err != nil {
		return nil, fmt.Errorf("sip: cannot watch %q: %w", o.URI, err)
	}
	if _, err := transportOf(&uri); err != nil {
		return nil, err
	}
	if o.Every <= 0 {
		o.Every = defaultBeat
	}
	w := &Watcher{u: u, o: o, done: make(chan struct{})}
	ctx, cancel := context.WithCancel(context.Background())
	w.stop = cancel
	if !u.spawn("watch", func() { defer close(w.done); w.run(ctx) }) {
		cancel()
		return nil, ErrClosed
	}
	return w, nil
}

// Status returns what is known of the far end.
func (w *Watcher) Status() WatchStatus {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.status
}

// Close stops watching.
func (w *Watcher) Close() error {
	w.stop()
	<-w.done
	return nil
}

func (w *Watcher) run(ctx context.Context) {
	tick := time.NewTicker(w.o.Every)
	defer tick.Stop()
	for misses := 0; ; {
		one, cancel := context.WithTimeout(ctx, w.o.Every)
		pong, err := w.u.Ping(one, w.o.URI)
		cancel()
		if ctx.Err() != nil || errors.Is(err, ErrClosed) {
			return
		}
		if misses++; err == nil {
			misses = 0
			w.note(WatchStatus{Known: true, Up: true, RTT: pong.RTT})
		} else if misses >= maxMisses {
			w.note(WatchStatus{Known: true, Error: silence(err)})
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		case <-w.u.closing:
			return
		}
	}
}

// silence says why nothing came back.
func silence(err error) string {
	if errors.Is(err, ErrUnreachable) {
		return "it cannot be reached: " + bareError(err)
	}
	return "it does not answer"
}

func (w *Watcher) note(s WatchStatus) {
	w.mu.Lock()
	changed := s.Known != w.status.Known || s.Up != w.status.Up
	if s.Since = time.Now(); !changed {
		s.Since = w.status.Since
	}
	w.status = s
	w.mu.Unlock()
	if changed {
		w.u.log.Info("sip: far end", "uri", w.o.URI, "up", s.Up, "error", s.Error)
		if w.o.OnChange != nil {
			defer w.u.recovered("OnChange")
			w.o.OnChange(s)
		}
	}
}
