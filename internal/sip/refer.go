package sip

import (
	"context"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"sync"

	wire "github.com/emiago/sipgo/sip"
)

// ReferOptions refine a Refer. The zero value is a blind transfer.
type ReferOptions struct {
	// Replaces is our call with the target, whose place the far end's new call
	// takes: an attended transfer (RFC 3891).
	Replaces *Dialog
	// ReferredBy is the URI for whom we ask, "" for none (RFC 3892).
	ReferredBy string
	// OnProgress hears how the far end's call to the target goes: 100, 180 …
	OnProgress func(status int)
}

// referring is our REFER whose outcome is awaited.
type referring struct {
	progress chan int // provisional statuses; a full channel drops them
	final    chan int // the last status, 0 when it was not told
}

// Refer asks the far end to call target, a SIP or tel URI or, with Replaces, ""
// (RFC 3515). It returns the final status of that call: 200 when it was
// answered, 300 and more when it failed, 0 when the far end took the order and
// then hung up or tells nothing. Our own call stays until one side hangs up.
// Errors: *StatusError when the far end refused the order, ErrPending while
// another is under way, ErrEnded, ErrTimeout, and ctx's error when the outcome
// was not known in time.
func (d *Dialog) Refer(ctx context.Context, target string, o ReferOptions) (int, error) {
	headers, err := d.referHeaders(target, o)
	if err != nil {
		return 0, err
	}
	ref := &referring{progress: make(chan int, 16), final: make(chan int, 1)}
	if err := d.beginRefer(ref); err != nil {
		return 0, err
	}
	defer d.endRefer()
	res, err := d.request(ctx, wire.REFER, "", nil, headers...)
	if err != nil {
		return 0, err
	}
	if !res.IsSuccess() {
		return 0, d.lost(statusError(res))
	}
	if h := header(res, "Refer-Sub"); h != nil && strings.HasPrefix(strings.ToLower(strings.TrimSpace(h.Value())), "false") {
		return 0, nil // nothing more will be told (RFC 4488 section 4)
	}
	for {
		select {
		case status := <-ref.progress:
			if o.OnProgress != nil {
				o.OnProgress(status)
			}
		case status := <-ref.final:
			return status, nil
		case <-d.done:
			select {
			case status := <-ref.final:
				return status, nil
			default:
				return 0, nil
			}
		case <-ctx.Done():
			return 0, ctx.Err()
		case <-d.u.closing:
			return 0, ErrClosed
		}
	}
}

func (d *Dialog) beginRefer(ref *referring) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case d.ended:
		return ErrEnded
	case d.referring != nil:
		return ErrPending
	}
	d.referring = ref
	return nil
}

func (d *Dialog) endRefer() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.referring = nil
}

func (d *Dialog) referHeaders(target string, o ReferOptions) ([]wire.Header, error) {
	if o.Replaces != nil && target == "" {
		target = o.Replaces.RemoteContact()
	}
	var uri wire.Uri
	if err := checkedURI(target, &uri); err != nil {
		return nil, fmt.Errorf("sip: cannot refer to %q: %w", target, err)
	}
	to := uri.String()
	if o.Replaces != nil {
		s := o.Replaces.State()
		to = addURIHeader(to, "Replaces", s.CallID+";to-tag="+s.RemoteTag+";from-tag="+s.LocalTag)
	}
	hs := []wire.Header{wire.NewHeader("Refer-To", "<"+to+">"), wire.NewHeader("Supported", supported)}
	if o.ReferredBy != "" {
		if err := checkedURI(o.ReferredBy, &uri); err != nil {
			return nil, fmt.Errorf("sip: referred by %q: %w", o.ReferredBy, err)
		}
		hs = append(hs, wire.NewHeader("Referred-By", "<"+uri.String()+">"))
	}
	return hs, nil
}

// checkedURI parses a URI that goes into a header as it is.
func checkedURI(text string, uri *wire.Uri) error {
	if strings.ContainsFunc(text, unprintable) || strings.ContainsAny(text, "<>\" ") {
		return fmt.Errorf("it has a space, bracket or control character")
	}
	return wire.ParseUri(text, uri)
}

// addURIHeader adds a header to a URI (RFC 3261 section 19.1.1).
func addURIHeader(uri, name, value string) string {
	sep := "?"
	if strings.Contains(uri, "?") {
		sep = "&"
	}
	return uri + sep + name + "=" + strings.ReplaceAll(url.QueryEscape(value), "+", "%20")
}

// serveNotify takes the far end's word on the outcome of our REFER (RFC 3515
// section 2.4.4). It runs on the goroutine that reads, so that words stay in
// order.
func (d *Dialog) serveNotify(t *serverTx) {
	event := ""
	if h := either(t.req, "Event", "o"); h != nil {
		event, _, _ = strings.Cut(h.Value(), ";")
	}
	if !strings.EqualFold(strings.TrimSpace(event), "refer") {
		res := t.response(489, "Bad Event", nil)
		res.AppendHeader(wire.NewHeader("Allow-Events", "refer"))
		t.respond(res)
		return
	}
	d.mu.Lock()
	ref := d.referring
	d.mu.Unlock()
	if ref == nil {
		t.respond(t.response(481, "Subscription Does Not Exist", nil))
		return
	}
	status := sipfragStatus(t.req.Body())
	if status < 200 && status > 0 {
		select {
		case ref.progress <- status:
		default:
		}
		status = 0
	}
	over := false
	if h := header(t.req, "Subscription-State"); h != nil {
		state, _, _ := strings.Cut(h.Value(), ";")
		over = strings.EqualFold(strings.TrimSpace(state), "terminated")
	}
	if status >= 200 || over {
		select {
		case ref.final <- status:
		default:
		}
	}
	t.respond(t.response(200, "OK", nil))
}

// sipfragStatus reads the status line of a message/sipfrag body (RFC 3420), 0
// when there is none.
func sipfragStatus(body []byte) int {
	line, _, _ := strings.Cut(strings.TrimLeft(string(body), "\r\n "), "\n")
	fields := strings.Fields(line)
	if len(fields) < 2 || !strings.EqualFold(fields[0], "SIP/2.0") {
		return 0
	}
	status, err := strconv.Atoi(fields[1])
	if err != nil || status < 100 || status > 699 {
		return 0
	}
	return status
}

// Referral is the far end's wish that we call somebody for it (RFC 3515). Who
// takes it checks the target as it would any number that a stranger names.
type Referral struct {
	Target     string // URI to call, without headers
	Number     string // its user part, or the number of a tel URI
	Replaces   string // value of the Replaces header that the call must carry, or ""
	ReferredBy string // value of Referred-By, unverified, or ""

	d     *Dialog
	event string        // of the NOTIFYs, "" when the far end wants none
	began chan struct{} // closed when the far end was told that it is taken
	mu    sync.Mutex    // one NOTIFY after the other
	over  bool
}

// OnRefer sets what decides on the far end's REFERs. It returns at once: true
// takes the order (202), and Notify then tells how it goes; false, like no
// function, declines it (603).
func (d *Dialog) OnRefer(f func(*Referral) bool) { d.onRefer.put(f) }

func (d *Dialog) serveRefer(t *serverTx) {
	r, err := d.referral(t.req)
	if err != nil {
		d.u.log.Debug("sip: REFER not understood", "call", d.CallID(), "error", err)
		t.respond(t.response(400, "Bad Refer-To", nil))
		return
	}
	f := d.onRefer.get(d)
	if f == nil || !f(r) {
		t.respond(t.response(603, "Decline", nil))
		return
	}
	res := t.response(202, "Accepted", nil)
	res.AppendHeader(d.u.contact(t.req.To().Address.User, t.from))
	if r.event == "" {
		res.AppendHeader(wire.NewHeader("Refer-Sub", "false"))
	}
	t.respond(res)
	close(r.began)
	// The subscription begins with a NOTIFY (RFC 3515 section 2.4.4).
	ctx, cancel := context.WithTimeout(context.Background(), d.u.give)
	defer cancel()
	if err := r.Notify(ctx, 100, "Trying"); err != nil {
		d.u.log.Debug("sip: NOTIFY", "call", d.CallID(), "error", err)
	}
}

func (d *Dialog) referral(req *wire.Request) (*Referral, error) {
	hs := req.GetHeaders("Refer-To")
	if len(hs) != 1 {
		return nil, fmt.Errorf("%d Refer-To headers", len(hs))
	}
	to, ok := hs[0].(*wire.ReferToHeader)
	if !ok {
		return nil, fmt.Errorf("Refer-To %q", hs[0].Value())
	}
	uri := *to.Address.Clone()
	r := &Referral{d: d, began: make(chan struct{})}
	if v, ok := uri.Headers.Get("Replaces"); ok {
		plain, err := url.PathUnescape(v)
		if err != nil || strings.ContainsFunc(plain, unprintable) {
			return nil, fmt.Errorf("Replaces %q", v)
		}
		r.Replaces = plain
	}
	if method, _ := uri.UriParams.Get("method"); method != "" && !strings.EqualFold(method, "INVITE") {
		return nil, fmt.Errorf("method %q", method)
	}
	uri.Headers = nil
	r.Target, r.Number = uri.String(), number(uri)
	if h := either(req, "Referred-By", "b"); h != nil {
		r.ReferredBy = h.Value()
	}
	if h := header(req, "Refer-Sub"); h == nil || !strings.HasPrefix(strings.ToLower(strings.TrimSpace(h.Value())), "false") {
		d.mu.Lock()
		if d.referred++; d.referred == 1 {
			r.event = "refer"
		} else {
			r.event = fmt.Sprintf("refer;id=%d", req.CSeq().SeqNo)
		}
		d.mu.Unlock()
	}
	return r, nil
}

// Notify tells the far end how the call to the target goes; a status from 200
// on is the last word. When the far end wants no word, nothing is sent.
func (r *Referral) Notify(ctx context.Context, status int, reason string) error {
	if status < 100 || status > 699 || strings.ContainsFunc(reason, unprintable) {
		return fmt.Errorf("sip: %d %q is no status", status, reason)
	}
	select {
	case <-r.began:
	case <-r.d.done:
	case <-ctx.Done():
		return ctx.Err()
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case r.event == "":
		return nil
	case r.over || r.d.over():
		return ErrEnded
	}
	state := "active;expires=180"
	if status >= 200 {
		r.over, state = true, "terminated;reason=noresource"
	}
	res, err := r.d.request(ctx, wire.NOTIFY, "message/sipfrag;version=2.0", []byte(fmt.Sprintf("SIP/2.0 %d %s\r\n", status, reason)),
		wire.NewHeader("Event", r.event), wire.NewHeader("Subscription-State", state))
	if err != nil {
		return err
	}
	if !res.IsSuccess() { // 481: the far end does not wait for words any more
		r.over = true
		return statusError(res)
	}
	return nil
}
