package upkeep

import (
	"context"
	"errors"

	"github.com/callwright/callwright/internal/sip"
)

// Check asks the registrar for the bindings of the user, which it tells only
// who knows the password, and changes none (RFC 3261 section 10.2.3). The error
// says in words what stands in the way.
func (o Registration) Check(ctx context.Context) error {
	if o.Username == "" {
		o.Username = o.User
	}
	r, err := o.prepare()
	if err != nil {
		return err
	}
	servers, err := o.UA.Servers(ctx, o.Server)
	if err != nil {
		return errors.New(r.explain(err))
	}
	r.ask.User = ""
	for i, at := range servers {
		one, cancel := ctx, context.CancelFunc(func() {})
		if i < len(servers)-1 {
			one, cancel = context.WithTimeout(ctx, serverTime)
		}
		var a *sip.Answer
		a, err = o.UA.Ask(one, at, &r.ask)
		cancel()
		if err == nil && a.Status < 300 {
			return nil
		}
		if err == nil {
			return errors.New(r.explain(&a.StatusError))
		}
		if errors.Is(err, context.DeadlineExceeded) {
			err = sip.ErrTimeout
		}
	}
	return errors.New(r.explain(err))
}
