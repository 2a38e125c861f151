package sip

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	wire "github.com/emiago/sipgo/sip"
)

// CheckRegistration asks a registrar for the bindings of a user, which it only
// tells who knows the password, and changes none (RFC 3261 section 10.2.3). The
// error says in words what stands in the way.
func (u *UA) CheckRegistration(ctx context.Context, o Registration) error {
	if o.Username == "" {
		o.Username = o.User
	}
	r := &Registrar{u: u, o: o, callID: NewCallID(), tag: newTag()}
	if err := checkedURI(o.Server, &r.server); err != nil {
		return fmt.Errorf("sip: registrar %q: %w", o.Server, err)
	}
	r.server.User = ""
	r.aor = wire.Uri{Scheme: r.server.Scheme, User: o.User, Host: r.server.Host}
	hops, err := u.locate(ctx, &r.server)
	if err != nil {
		return errors.New(r.explain(err))
	}
	for _, h := range hops {
		one, cancel := context.WithTimeout(ctx, u.give/time.Duration(len(hops)))
		err = r.query(one, h)
		cancel()
		var status *StatusError
		if err == nil {
			return nil
		}
		if errors.As(err, &status) || ctx.Err() != nil {
			break
		}
		if errors.Is(err, context.DeadlineExceeded) {
			err = ErrTimeout
		}
	}
	return errors.New(r.explain(err))
}

// query sends REGISTER without a Contact, through a challenge.
func (r *Registrar) query(ctx context.Context, h hop) error {
	auth := credentials{username: r.o.Username, password: r.o.Password}
	var added []wire.Header
	for {
		if h.reliable() {
			if _, err := r.u.streams.connect(h, dialTimeout); err != nil {
				return err
			}
		}
		r.cseq++
		req := r.u.outside(wire.REGISTER, r.server, r.aor, r.aor, h, r.callID, r.tag, r.cseq)
		for _, a := range added {
			req.AppendHeader(a)
		}
		req.SetBody(nil)
		res, err := r.u.roundTrip(ctx, req, h)
		if err != nil {
			return err
		}
		if res.IsSuccess() {
			return nil
		}
		again, err := auth.answer(req, res)
		if err != nil {
			return err
		}
		if !again {
			return statusError(res)
		}
		added = slices.Concat(req.GetHeaders("Authorization"), req.GetHeaders("Proxy-Authorization"))
	}
}
