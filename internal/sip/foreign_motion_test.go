package sip

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/callwright/callwright/internal/sip/siptest"
)

func TestForeignRefer(t *testing.T) {
	t.Parallel()
	for _, status := range []int{200, 486} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			t.Parallel()
			p := siptest.UAS(t, siptest.Scenario{Name: siptest.Refer, Status: status})
			d, err := call(t, within(t, 10*time.Second), newUA(t, Options{}), p, Invite{})
			if err != nil {
				t.Fatal(err)
			}
			var heard []int
			got, err := d.Refer(within(t, 10*time.Second), "sip:+15550009@192.0.2.7", ReferOptions{OnProgress: func(s int) { heard = append(heard, s) }})
			if err != nil || got != status || !slices.Equal(heard, []int{100}) {
				t.Errorf("Refer: %d, %v after %v; want %d after 100", got, err, heard, status)
			}
			if err := d.Bye(within(t, 5*time.Second)); err != nil {
				t.Errorf("Bye: %v", err)
			}
			if m := p.Messages(); !slices.ContainsFunc(m, func(m siptest.Message) bool {
				return m.Received && m.Is("REFER") && m.Header("Refer-To") == "<sip:+15550009@192.0.2.7>"
			}) {
				t.Error("sipp saw no REFER to the target")
			}
		})
	}
}

// sipp has us refresh a session, then takes that on itself and never does it.
func TestForeignSessionTimer(t *testing.T) {
	t.Parallel()
	p := siptest.UAS(t, siptest.Scenario{Name: siptest.Timer})
	d, err := call(t, within(t, 10*time.Second), newUA(t, Options{}), p, Invite{})
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	await(t, "the end", d.Done())
	if took := time.Since(began); !d.ByRemote() || took < 2*time.Second {
		t.Errorf("over after %v, by remote %v; want two seconds, and the far end blamed", took, d.ByRemote())
	}
	p.Expect("BYE", 1, 5*time.Second)
	if n := p.Received("UPDATE"); n != 1 {
		t.Errorf("%d refreshes, want 1", n)
	}
}

// secureBaresip starts a phone that listens for TLS, one port above the others.
func secureBaresip(t *testing.T, a *siptest.Authority, o siptest.BaresipOptions) (*siptest.Baresip, netip.AddrPort) {
	t.Helper()
	o.Transport, o.Certificate, o.CAs = "tls", a.Files("127.0.0.1"), a.File()
	b := siptest.StartBaresip(t, o)
	return b, netip.AddrPortFrom(b.Addr.Addr(), b.Addr.Port()+1)
}

func TestBaresipOverTLS(t *testing.T) {
	t.Parallel()
	a := siptest.NewAuthority(t)
	b, at := secureBaresip(t, a, siptest.BaresipOptions{})
	u := newUA(t, Options{TLS: &TLS{Listen: loopback, Certificate: a.Issue("127.0.0.1"), Roots: a.Roots()}})
	d, err := u.Invite(within(t, 10*time.Second), Invite{URI: "sip:bare@" + at.String() + ";transport=tls", From: "+15550001", Body: []byte(offer)})
	if err != nil {
		t.Fatal(err)
	}
	b.Expect(siptest.BaresipEstablished, 1, 10*time.Second)
	d.OnReinvite(func([]byte) ([]byte, error) { return []byte(answer), nil })
	if _, err := d.Reinvite(within(t, 10*time.Second), []byte(strings.Replace(offer, "sendrecv", "sendonly", 1))); err != nil {
		t.Errorf("hold: %v", err)
	}
	if err := d.Bye(within(t, 10*time.Second)); err != nil {
		t.Errorf("Bye: %v", err)
	}
	b.Expect(siptest.BaresipClosed, 1, 10*time.Second)
}

func TestBaresipCallsOverTLS(t *testing.T) {
	t.Parallel()
	a := siptest.NewAuthority(t)
	u, calls := secure(t, a, "127.0.0.1")
	b, _ := secureBaresip(t, a, siptest.BaresipOptions{})
	b.Dial("sip:+15550002@" + u.TLSAddr().String() + ";transport=tls")
	d := <-calls
	b.Expect(siptest.BaresipEstablished, 1, 10*time.Second)
	if err := d.Bye(within(t, 10*time.Second)); err != nil { // over the phone's own connection
		t.Errorf("Bye: %v", err)
	}
	b.Expect(siptest.BaresipClosed, 1, 10*time.Second)
}

// baresip calls the target and leaves the call before it can tell how it went.
func TestBaresipIsReferred(t *testing.T) {
	t.Parallel()
	target, calls := answering(t, Options{})
	b := siptest.StartBaresip(t, siptest.BaresipOptions{})
	u := newUA(t, Options{})
	d, err := u.Invite(within(t, 10*time.Second), Invite{URI: b.URI(), From: "+15550001", Body: []byte(offer)})
	if err != nil {
		t.Fatal(err)
	}
	status, err := d.Refer(within(t, 10*time.Second), "sip:+15550009@"+target.Addr().String(), ReferOptions{})
	if err != nil || status != 0 && status != 200 {
		t.Errorf("Refer: %d, %v", status, err)
	}
	select {
	case other := <-calls:
		_ = other.Bye(within(t, 10*time.Second)) // it counts that the phone called
	case <-time.After(10 * time.Second):
		t.Error("the phone did not call the target")
	}
}
