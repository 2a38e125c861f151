package sip

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	wire "github.com/emiago/sipgo/sip"
)

// transfer refers the far end in the background.
func transfer(t *testing.T, d *Dialog, target string, o ReferOptions) <-chan outcomeOfRefer {
	t.Helper()
	c := make(chan outcomeOfRefer, 1)
	ctx := within(t, 10*time.Second)
	go func() {
		status, err := d.Refer(ctx, target, o)
		c <- outcomeOfRefer{status, err}
	}()
	return c
}

type outcomeOfRefer struct {
	status int
	err    error
}

func (r *raw) notify(invite *wire.Request, cseq int, state, sipfrag string) {
	r.t.Helper()
	r.send(r.within(invite, "one", "NOTIFY", cseq, "Event: refer\nSubscription-State: "+state+"\nContent-Type: message/sipfrag\n", sipfrag))
}

func TestReferIsFollowed(t *testing.T) {
	t.Parallel()
	r, u := newRaw(t, nil), newUA(t, Options{})
	d, invite := r.dial(u, Invite{})
	var heard []int
	got := transfer(t, d, "sip:+15550009@192.0.2.7", ReferOptions{
		ReferredBy: "sip:+15550001@192.0.2.1", OnProgress: func(s int) { heard = append(heard, s) },
	})
	refer := r.request(wire.REFER)
	if headerValue(refer, "Refer-To") != "<sip:+15550009@192.0.2.7>" || headerValue(refer, "Referred-By") != "<sip:+15550001@192.0.2.1>" || refer.Contact() == nil {
		t.Errorf("REFER:\n%s", refer)
	}
	r.notify(invite, 1, "active;expires=60", "SIP/2.0 100 Trying\n") // may come before the answer
	r.status(200)
	if _, err := d.Refer(context.Background(), "sip:1@192.0.2.7", ReferOptions{}); !errors.Is(err, ErrPending) {
		t.Errorf("a second REFER: %v", err)
	}
	r.respond(refer, 202, "")
	r.notify(invite, 2, "active", "SIP/2.0 180 Ringing\n")
	r.status(200)
	r.send(r.within(invite, "one", "NOTIFY", 3, "Event: presence\n", ""))
	r.status(489)
	r.notify(invite, 4, "terminated;reason=noresource", "SIP/2.0 200 OK\n")
	r.status(200)
	if o := <-got; o.err != nil || o.status != 200 {
		t.Errorf("%+v, want 200", o)
	}
	if len(heard) > 0 && !slices.Equal(heard, []int{100, 180}[2-len(heard):]) && !slices.Equal(heard, []int{100}) {
		t.Errorf("progress %v", heard)
	}
	r.notify(invite, 5, "active", "SIP/2.0 200 OK\n")
	r.status(481) // nobody waits any more
}

func TestReferOutcomes(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		play   func(r *raw, invite, refer *wire.Request)
		status int
		failed int
	}{
		"target busy": {func(r *raw, invite, refer *wire.Request) {
			r.respond(refer, 202, "")
			r.notify(invite, 1, "terminated", "SIP/2.0 486 Busy Here\n")
		}, 486, 0},
		"subscription ends without a word": {func(r *raw, invite, refer *wire.Request) {
			r.respond(refer, 202, "")
			r.notify(invite, 1, "terminated;reason=timeout", "SIP/2.0 100 Trying\n")
		}, 0, 0},
		"no subscription": {func(r *raw, _, refer *wire.Request) { r.respond(refer, 202, "", "Refer-Sub: false") }, 0, 0},
		"hangs up": {func(r *raw, invite, refer *wire.Request) {
			r.respond(refer, 202, "")
			r.send(r.within(invite, "one", "BYE", 1, "", ""))
		}, 0, 0},
		"declines": {func(r *raw, _, refer *wire.Request) { r.respond(refer, 603, "") }, 0, 603},
		"does not know REFER": {func(r *raw, _, refer *wire.Request) {
			r.respond(refer, 405, "")
		}, 0, 405},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, u := newRaw(t, nil), newUA(t, Options{})
			d, invite := r.dial(u, Invite{})
			got := transfer(t, d, "tel:+15550009", ReferOptions{})
			tt.play(r, invite, r.request(wire.REFER))
			o := <-got
			var refused *StatusError
			if tt.failed != 0 && (!errors.As(o.err, &refused) || refused.Status != tt.failed) || tt.failed == 0 && o.err != nil || o.status != tt.status {
				t.Errorf("%+v, want status %d, refused %d", o, tt.status, tt.failed)
			}
		})
	}
}

func TestReferRefusesBadTargets(t *testing.T) {
	t.Parallel()
	r, u := newRaw(t, nil), newUA(t, Options{})
	d, _ := r.dial(u, Invite{})
	for _, target := range []string{"", "sip:1@h>\r\nX: y", "<sip:1@h>", "sip:1@h x"} {
		if _, err := d.Refer(context.Background(), target, ReferOptions{}); err == nil {
			t.Errorf("%q is referred to", target)
		}
	}
	if _, err := d.Refer(context.Background(), "sip:1@h", ReferOptions{ReferredBy: "a b"}); err == nil {
		t.Error("a bad Referred-By is sent")
	}
}

func TestFarEndRefers(t *testing.T) {
	t.Parallel()
	u, calls := answering(t, Options{})
	r := newRaw(t, u)
	r.send(r.invitation("refers"))
	res := r.status(200)
	r.ack(res, 1)
	d := <-calls
	got := make(chan *Referral, 4)
	d.OnRefer(func(ref *Referral) bool { got <- ref; return ref.Number != "666" })
	r.send(r.inside(res, "REFER", 2, "Refer-To: <sip:666@192.0.2.9>\n", ""))
	r.status(603)
	<-got
	r.send(r.inside(res, "REFER", 3, "", ""))
	r.status(400)
	r.send(r.inside(res, "REFER", 4, "Refer-To: <sip:1@h;method=BYE>\n", ""))
	r.status(400)
	r.send(r.inside(res, "REFER", 5, "Refer-To: <sip:+15550009@192.0.2.9?Replaces=a%40b%3Bto-tag%3Dx%3Bfrom-tag%3Dy>\nReferred-By: <sip:boss@192.0.2.1>\n", ""))
	r.status(202)
	ref := <-got
	if ref.Target != "sip:+15550009@192.0.2.9" || ref.Number != "+15550009" || ref.Replaces != "a@b;to-tag=x;from-tag=y" || !strings.Contains(ref.ReferredBy, "boss") {
		t.Errorf("%+v", ref)
	}
	told := func(want string) {
		t.Helper()
		n := r.request(wire.NOTIFY)
		if !strings.HasPrefix(string(n.Body()), want) || !strings.HasPrefix(headerValue(n, "Event"), "refer") || contentType(n) != "message/sipfrag" {
			t.Errorf("NOTIFY, want %s:\n%s", want, n)
		}
		r.respond(n, 200, "")
	}
	told("SIP/2.0 100 Trying\r\n")
	done := make(chan error, 2)
	go func() {
		done <- ref.Notify(within(t, 5*time.Second), 180, "Ringing")
		done <- ref.Notify(within(t, 5*time.Second), 200, "OK")
	}()
	told("SIP/2.0 180 Ringing\r\n")
	told("SIP/2.0 200 OK\r\n")
	if err := errors.Join(<-done, <-done); err != nil {
		t.Error(err)
	}
	if err := ref.Notify(context.Background(), 200, "OK"); !errors.Is(err, ErrEnded) {
		t.Errorf("a word after the last: %v", err)
	}
	// The second subscription of a dialog is named; one that is not wanted is none.
	r.send(r.inside(res, "REFER", 6, "Refer-To: sip:1@h\n", ""))
	r.status(202)
	if n := r.request(wire.NOTIFY); headerValue(n, "Event") != "refer;id=6" {
		t.Errorf("second NOTIFY:\n%s", n)
	} else {
		r.respond(n, 200, "")
	}
	r.send(r.inside(res, "REFER", 7, "Refer-To: sip:1@h\nRefer-Sub: false\n", ""))
	if quiet := r.status(202); headerValue(quiet, "Refer-Sub") != "false" {
		t.Errorf("answer:\n%s", quiet)
	}
	<-got
	if err := (<-got).Notify(context.Background(), 200, "OK"); err != nil {
		t.Errorf("an unwanted word: %v", err)
	}
}

func TestReferOfNobodyIsDeclined(t *testing.T) {
	t.Parallel()
	u, calls := answering(t, Options{T1: quick})
	r := newRaw(t, u)
	r.send(r.invitation("nobody"))
	res := r.status(200)
	r.ack(res, 1)
	<-calls
	r.send(r.inside(res, "REFER", 2, "Refer-To: <sip:1@192.0.2.9>\n", ""))
	r.status(603)
}

// An attended transfer between three of us: A talks to B and to C, and has B
// take A's place with C.
func TestAttendedTransfer(t *testing.T) {
	t.Parallel()
	b, ofB := answering(t, Options{})
	replaced := make(chan *Dialog, 1)
	ofC := make(chan *Dialog, 2)
	c := newUA(t, Options{OnInvite: func(in *Incoming) {
		replaced <- in.Replaces
		d, err := in.Answer([]byte(answer))
		if err != nil {
			t.Errorf("Answer: %v", err)
		}
		ofC <- d
	}})
	a := newUA(t, Options{})
	dial := func(u *UA, uri string, headers map[string]string) *Dialog {
		d, err := u.Invite(within(t, 10*time.Second), Invite{URI: uri, Body: []byte(offer), Headers: headers})
		if err != nil {
			t.Fatalf("%s: %v", uri, err)
		}
		return d
	}
	toB, toC := dial(a, "sip:b@"+b.Addr().String(), nil), dial(a, "sip:c@"+c.Addr().String(), nil)
	<-replaced
	held := <-ofC
	told := make(chan struct{})
	(<-ofB).OnRefer(func(ref *Referral) bool {
		go func() {
			defer close(told)
			dial(b, ref.Target, map[string]string{"Replaces": ref.Replaces})
			if err := ref.Notify(context.Background(), 200, "OK"); err != nil {
				t.Errorf("Notify: %v", err)
			}
		}()
		return true
	})
	status, err := toB.Refer(within(t, 10*time.Second), "", ReferOptions{Replaces: toC})
	if err != nil || status != 200 {
		t.Fatalf("Refer: %d, %v", status, err)
	}
	await(t, "the answer to the NOTIFY", told)
	if old := <-replaced; old != held {
		t.Errorf("it replaces %p, want %p", old, held)
	}
	await(t, "the end of A's call to C", toC.Done())
	if next := <-ofC; held.Successor() != next || toC.Successor() != nil {
		t.Error("the successor is not known")
	}
}

func TestReplacesNobody(t *testing.T) {
	t.Parallel()
	u, calls := answering(t, Options{})
	r := newRaw(t, u)
	r.send(r.invitation("old"))
	res := r.status(200)
	r.ack(res, 1)
	old := <-calls
	for want, replaces := range map[int]string{
		481: "Replaces: nothing;to-tag=a;from-tag=b\n",
		486: "Replaces: old;to-tag=" + old.id.localTag + ";from-tag=" + old.id.remoteTag + ";early-only\n",
		400: "Replaces: a;to-tag=b;from-tag=c\nReplaces: d;to-tag=e;from-tag=f\n",
	} {
		r.send(r.ask("INVITE", "sip:+15550002@127.0.0.1", peerFrom, ourTo, "new"+replaces[10:16], 1, replaces, offer))
		r.status(want)
	}
	if old.over() {
		t.Error("the old call is over")
	}
}
