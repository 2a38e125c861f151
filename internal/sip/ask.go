package sip

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"

	wire "github.com/emiago/sipgo/sip"

	"github.com/callwright/callwright/internal/sip/transport"
)

// Server is one server of a URI.
type Server = transport.Hop

// Servers finds the servers of a URI in the order in which they are to be tried
// (RFC 3263 section 4); those that failed lately come last. There is at least
// one.
func (u *UA) Servers(ctx context.Context, uri string) ([]Server, error) {
	var target wire.Uri
	if err := checkedURI(uri, &target); err != nil {
		return nil, fmt.Errorf("sip: %q: %w", uri, err)
	}
	return u.locate(ctx, &target)
}

// Reaches checks that a URI is one that requests can be sent to.
func Reaches(uri string) error {
	var target wire.Uri
	err := checkedURI(uri, &target)
	if err == nil {
		_, err = transport.NetworkOf(&target)
	}
	if err != nil {
		return fmt.Errorf("sip: %q: %w", uri, err)
	}
	return nil
}

// Closed is closed when the user agent is.
func (u *UA) Closed() <-chan struct{} { return u.closing }

// Request is a request outside of any call.
type Request struct {
	Method   string // REGISTER, OPTIONS …
	URI      string
	From, To string // URIs
	User     string // of our Contact; "" sends none
	CallID   string // from NewCallID
	Tag      string // of From
	CSeq     uint32 // of the last one that was sent: Ask counts it up
	Headers  [][2]string
	Username string // for digest challenges
	Password string
}

// Answer is the final response to a Request.
type Answer struct {
	StatusError               // for 2xx too
	Contact     string        // URI with which we were named in the request, or ""
	RTT         time.Duration // from the last request to the answer
	// Gone is closed when the connection that the request was sent over ends, which
	// it may have already; nil over UDP.
	Gone <-chan struct{}
	res  *wire.Response
}

// Headers returns the values of all headers of that name.
func (a *Answer) Headers(name string) []string {
	var out []string
	for _, h := range a.res.GetHeaders(name) {
		out = append(out, h.Value())
	}
	return out
}

// Ask sends a request to one server and returns its final answer, having
// answered challenges. A server that did not answer, or answered 503, is tried
// last for a while. Errors: ErrTimeout, ErrUnreachable, ErrClosed, ctx's.
func (u *UA) Ask(ctx context.Context, to Server, r *Request) (*Answer, error) {
	a, err := u.ask(ctx, to, r)
	switch {
	case err == nil && a.Status != 503:
		u.failed.Forget(to)
	case err == nil:
		u.failed.Note(to, max(a.RetryAfter, transport.FailureMemory))
	case errors.Is(err, ErrTimeout) || errors.Is(err, context.DeadlineExceeded):
		u.failed.Note(to, transport.FailureMemory)
	}
	return a, err
}

func (u *UA) ask(ctx context.Context, to Server, r *Request) (*Answer, error) {
	auth := credentials{username: r.Username, password: r.Password}
	var added []wire.Header
	for {
		// Before each: Via and Contact name the connection, and some servers end it
		// with a challenge.
		gone, err := u.connect(to)
		if err != nil {
			return nil, err
		}
		req, err := u.outside(to, r)
		if err != nil {
			return nil, err
		}
		for _, h := range added {
			req.AppendHeader(h)
		}
		began := time.Now()
		res, err := u.roundTrip(ctx, req, to)
		if err != nil {
			return nil, err
		}
		again, err := auth.answer(req, res)
		if err != nil {
			return nil, err
		}
		if !again {
			a := &Answer{StatusError: *statusError(res), RTT: time.Since(began), Gone: gone, res: res}
			if c := req.Contact(); c != nil {
				a.Contact = c.Address.String()
			}
			return a, nil
		}
		added = credentialHeaders(req)
	}
}

// credentialHeaders returns the credentials in a request, for the next one.
func credentialHeaders(req *wire.Request) []wire.Header {
	return append(req.GetHeaders("Authorization"), req.GetHeaders("Proxy-Authorization")...)
}

// outside makes a request outside of a dialog (RFC 3261 section 8.1.1).
func (u *UA) outside(at hop, r *Request) (*wire.Request, error) {
	var target, from, to wire.Uri
	for _, one := range []struct {
		text string
		uri  *wire.Uri
	}{{r.URI, &target}, {r.From, &from}, {r.To, &to}} {
		if err := checkedURI(one.text, one.uri); err != nil {
			return nil, fmt.Errorf("sip: %q: %w", one.text, err)
		}
	}
	to.UriParams = nil // of no meaning there (RFC 3261 section 19.1.1)
	r.CSeq++
	req := wire.NewRequest(wire.RequestMethod(r.Method), target)
	req.AppendHeader(u.via(at))
	f := &wire.FromHeader{Address: from}
	f.Params.Add("tag", r.Tag)
	req.AppendHeader(f)
	req.AppendHeader(&wire.ToHeader{Address: to})
	id, forwards := wire.CallIDHeader(r.CallID), wire.MaxForwardsHeader(70)
	req.AppendHeader(&id)
	req.AppendHeader(&wire.CSeqHeader{SeqNo: r.CSeq, MethodName: req.Method})
	req.AppendHeader(&forwards)
	if r.User != "" {
		req.AppendHeader(u.contactFor(target, r.User, at))
	}
	req.AppendHeader(wire.NewHeader("User-Agent", u.opts.UserAgent))
	req.AppendHeader(wire.NewHeader("Supported", supported))
	for _, h := range r.Headers {
		req.AppendHeader(wire.NewHeader(h[0], h[1]))
	}
	req.SetBody(nil)
	return req, nil
}

// Pong is the answer to a Ping.
type Pong struct {
	Status int            // whatever it is, somebody is there
	RTT    time.Duration  // from the request to the answer
	Server string         // what the far end says it is, or ""
	Seen   netip.AddrPort // where it saw the request come from (RFC 3581); not valid when it does not say
}

// Ping asks with OPTIONS whether the far end at uri is there (RFC 3261 section
// 11), at each of its servers until one answers. Errors: as of Ask.
func (u *UA) Ping(ctx context.Context, uri string) (Pong, error) {
	servers, err := u.Servers(ctx, uri)
	if err != nil {
		return Pong{}, err
	}
	for i, at := range servers {
		limit := u.give
		if i < len(servers)-1 {
			limit /= 4 // OPTIONS does no harm at two servers
		}
		one, cancel := context.WithTimeout(ctx, limit)
		var pong Pong
		pong, err = u.PingAt(one, at, uri)
		cancel()
		if err == nil || ctx.Err() != nil || errors.Is(err, ErrClosed) {
			return pong, err
		}
		if errors.Is(err, context.DeadlineExceeded) {
			err = ErrTimeout
		}
	}
	return Pong{}, err
}

// PingAt asks one server of uri.
func (u *UA) PingAt(ctx context.Context, at Server, uri string) (Pong, error) {
	from := wire.Uri{Scheme: "sip", User: "ping", Host: u.localHost(at.Addr)}
	a, err := u.Ask(ctx, at, &Request{
		Method: string(wire.OPTIONS), URI: uri, From: from.String(), To: uri, User: from.User, CallID: NewCallID(), Tag: newTag(),
		Headers: [][2]string{{"Accept", "application/sdp"}},
	})
	if err != nil {
		return Pong{}, err
	}
	pong := Pong{Status: a.Status, RTT: a.RTT, Seen: seenFrom(a.res)}
	if servers := a.Headers("Server"); len(servers) > 0 {
		pong.Server = servers[0]
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
