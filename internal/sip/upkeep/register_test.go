package upkeep

import (
	"net"
	"strings"
	"testing"
	"time"

	wire "github.com/emiago/sipgo/sip"

	"github.com/callwright/callwright/internal/sip"
	"github.com/callwright/callwright/internal/sip/siptest"
)

// registering registers "alice" and closes that before the user agent.
func registering(t *testing.T, u *sip.UA, o Registration) (*Registrar, <-chan RegistrationStatus) {
	t.Helper()
	if o.User == "" {
		o.User, o.Password = "alice", "secret"
	}
	heard := make(chan RegistrationStatus, 64)
	o.OnChange = func(s RegistrationStatus) { heard <- s }
	o.UA = u
	r, err := o.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)
	return r, heard
}

func becomes(t *testing.T, heard <-chan RegistrationStatus, want RegistrationState) RegistrationStatus {
	t.Helper()
	deadline := time.After(30 * time.Second)
	for {
		select {
		case s := <-heard:
			if s.State == want {
				return s
			}
		case <-deadline:
			t.Fatalf("never %s", want)
		}
	}
}

// closing closes in the background, for the peer answers in the test.
func (r *Registrar) closing() <-chan struct{} {
	done := make(chan struct{})
	go func() { r.Close(); close(done) }()
	return done
}

func TestRegister(t *testing.T) {
	t.Parallel()
	p, u := newPeer(t), newUA(t, sip.Options{})
	r, heard := registering(t, u, Registration{Server: "sip:" + p.addr()})
	first := p.request(wire.REGISTER)
	if first.Recipient.String() != "sip:"+p.addr() || first.To().Address.User != "alice" || value(first, "Expires") != "3600" ||
		first.Contact().Address.String() != "sip:alice@"+u.Addr().String() {
		t.Errorf("REGISTER:\n%s", first)
	}
	const ask = `Digest realm="r", nonce="1", algorithm=SHA-256, qop="auth"`
	p.respond(first, 401, "WWW-Authenticate: "+ask)
	second := p.request(wire.REGISTER)
	if !strings.Contains(value(second, "Authorization"), `username="alice"`) {
		t.Errorf("second REGISTER:\n%s", second)
	}
	// Somebody else is registered too; our own time counts, not his.
	p.respond(second, 200, "Expires: 900", "Contact: <sip:alice@192.0.2.1>;expires=500", "Contact: <"+second.Contact().Address.String()+">;expires=2")
	if s := becomes(t, heard, Registered); s.Server != p.at() || time.Until(s.Until) > 2*time.Second || s.Error != "" {
		t.Errorf("status %+v", s)
	}
	began := time.Now()
	third := p.request(wire.REGISTER)
	if took := time.Since(began); took < 1500*time.Millisecond || took > 2*time.Second+500*time.Millisecond {
		t.Errorf("renewed after %v, want 80 to 90 %% of 2 s", took)
	}
	if third.CallID().Value() != first.CallID().Value() || third.CSeq().SeqNo != second.CSeq().SeqNo+1 {
		t.Errorf("the renewal does not follow:\n%s", third)
	}
	p.respond(third, 200, "Expires: 60")
	closed := r.closing()
	last := p.request(wire.REGISTER)
	for last.CSeq().SeqNo == third.CSeq().SeqNo {
		last = p.request(wire.REGISTER)
	}
	if value(last, "Expires") != "0" {
		t.Errorf("the last REGISTER:\n%s", last)
	}
	p.respond(last, 200)
	<-closed
	if s := r.Status(); s.State != Unregistered {
		t.Errorf("status %+v", s)
	}
}

func TestRegisterAsksForLonger(t *testing.T) {
	t.Parallel()
	p, u := newPeer(t), newUA(t, sip.Options{T1: 20 * time.Millisecond})
	_, heard := registering(t, u, Registration{Server: "sip:" + p.addr(), Expires: time.Minute})
	p.respond(p.request(wire.REGISTER), 423, "Min-Expires: 1800")
	again := p.request(wire.REGISTER)
	for value(again, "Expires") == "60" {
		again = p.request(wire.REGISTER)
	}
	if value(again, "Expires") != "1800" {
		t.Errorf("REGISTER:\n%s", again)
	}
	p.respond(again, 200)
	becomes(t, heard, Registered)
}

func TestFailedsInWordsAndTriesAgain(t *testing.T) {
	t.Parallel()
	p, u := newPeer(t), newUA(t, sip.Options{T1: 20 * time.Millisecond})
	_, heard := registering(t, u, Registration{Server: "sip:" + p.addr(), Retry: 20 * time.Millisecond})
	for _, c := range []struct {
		status int
		words  string
	}{{403, "username or password"}, {404, "does not know sip:alice@127.0.0.1"}, {500, "answered 500"}} {
		p.respond(p.request(wire.REGISTER), c.status)
		for s := becomes(t, heard, Failed); !strings.Contains(s.Error, c.words); {
			s = becomes(t, heard, Failed)
		}
	}
	if s := becomes(t, heard, Failed); s.Error != "the server does not answer" {
		t.Errorf("after silence: %q", s.Error)
	}
	for { // late repetitions have answers of their own
		req := p.request(wire.REGISTER)
		p.respond(req, 200, "Expires: 60")
		select {
		case s := <-heard:
			if s.State == Registered {
				return
			}
		case <-time.After(100 * time.Millisecond):
		}
	}
}

func TestRegisterBackoff(t *testing.T) {
	t.Parallel()
	r := &Registrar{o: Registration{Retry: 30 * time.Second}}
	for failed, most := range map[int]time.Duration{1: 30 * time.Second, 2: time.Minute, 5: 8 * time.Minute, 9: 30 * time.Minute, 1000: 30 * time.Minute} {
		for range 100 {
			if got := r.pause(failed, sip.ErrTimeout); got < most/2 || got > most {
				t.Fatalf("after %d failures %v, want half to all of %v", failed, got, most)
			}
		}
	}
	if got := r.pause(1, &sip.StatusError{Status: 503, RetryAfter: 10 * time.Minute}); got != 10*time.Minute {
		t.Errorf("Retry-After gives %v", got)
	}
}

func TestRegisterAtTheNextServer(t *testing.T) {
	t.Parallel()
	mute, p := newPeer(t), newPeer(t)
	u := between(t, sip.Options{T1: 20 * time.Millisecond}, mute.at(), p.at())
	r, heard := registering(t, u, Registration{Server: "sip:domain", Beat: 60 * time.Millisecond, Retry: 20 * time.Millisecond})
	p.respond(p.request(wire.REGISTER), 200, "Expires: 600")
	becomes(t, heard, Registered)
	if got := r.Server().Addr; got != p.at() {
		t.Errorf("calls go to %v first", got)
	}
	// It dies; the other one, which came to, takes us.
	lost := becomes(t, heard, Unregistered)
	if !strings.Contains(lost.Error, "not answer") {
		t.Errorf("status %+v", lost)
	}
	back := mute.request(wire.REGISTER)
	for back != nil {
		mute.respond(back, 200, "Expires: 600")
		select {
		case s := <-heard:
			if s.State == Registered && s.Server == mute.at() {
				return
			}
		case <-time.After(50 * time.Millisecond):
		}
		back = mute.request(wire.REGISTER)
	}
}

func TestRegisterAgainWhenTheConnectionBreaks(t *testing.T) {
	t.Parallel()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = ln.Close() }()
	u := newUA(t, sip.Options{})
	_, heard := registering(t, u, Registration{Server: "sip:" + ln.Addr().String() + ";transport=tcp", Retry: 20 * time.Millisecond})
	for range 3 {
		c, err := ln.Accept()
		if err != nil {
			t.Fatal(err)
		}
		buf := make([]byte, 64<<10)
		_ = c.SetReadDeadline(time.Now().Add(30 * time.Second))
		n, err := c.Read(buf)
		if err != nil {
			t.Fatal(err)
		}
		m, err := wire.ParseMessage(buf[:n])
		if err != nil {
			t.Fatal(err)
		}
		req := m.(*wire.Request)
		if port := req.Via().Port; port != c.RemoteAddr().(*net.TCPAddr).Port || req.Contact().Address.Port != port {
			t.Errorf("Via and Contact name port %d and %d of a connection from %s", port, req.Contact().Address.Port, c.RemoteAddr())
		}
		res := wire.NewResponseFromRequest(req, 200, "OK", nil)
		res.AppendHeader(wire.NewHeader("Expires", "600"))
		if _, err := c.Write([]byte(res.String())); err != nil {
			t.Fatal(err)
		}
		_ = c.Close() // before anybody has looked at the answer
		becomes(t, heard, Registered)
		becomes(t, heard, Unregistered)
	}
}

func TestRegisterRefusesBadInput(t *testing.T) {
	t.Parallel()
	u := newUA(t, sip.Options{})
	for _, o := range []Registration{
		{}, {Server: "sip:h"}, {Server: "sip:h", User: "a b"}, {Server: "sip:h", User: "a@h"}, {Server: "tel:1", User: "a"},
		{Server: "sip:h;transport=ws", User: "a"}, {Server: "sip:h\r\nX: y", User: "a"}, {Server: "sip:b@h", User: "a"},
	} {
		o.UA = u
		if r, err := o.Start(); err == nil {
			r.Close()
			t.Errorf("%+v is taken", o)
		}
	}
}

func TestDomainOfARegistrar(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"example.com": "example.com", "example.com:5061;transport=tls": "example.com", "[::1]:5060": "[::1]", "[2001:db8::1]": "[2001:db8::1]",
	} {
		if got := domainOf(in); got != want {
			t.Errorf("%s: %s, want %s", in, got, want)
		}
	}
}

// A user agent that is closed ends what works on it.
func TestRegistrarEndsWithItsUserAgent(t *testing.T) {
	t.Parallel()
	p, u := newPeer(t), newUA(t, sip.Options{})
	r, _ := registering(t, u, Registration{Server: "sip:" + p.addr()})
	p.request(wire.REGISTER)
	_ = u.Close()
	<-r.life.done
	if s := r.Status(); s.State != Unregistered || r.Server().Addr.IsValid() {
		t.Errorf("status %+v", s)
	}
}

func TestForeignRegistrar(t *testing.T) {
	t.Parallel()
	for _, password := range []string{"secret", "guess"} {
		t.Run(password, func(t *testing.T) {
			t.Parallel()
			p := siptest.UAS(t, siptest.Scenario{Name: siptest.Registrar, User: "alice", Password: "secret"})
			_, heard := registering(t, newUA(t, sip.Options{}), Registration{Server: "sip:" + p.Addr.String(), User: "alice", Password: password})
			if password == "secret" {
				becomes(t, heard, Registered)
			} else if s := becomes(t, heard, Failed); !strings.Contains(s.Error, "username or password (403") {
				t.Errorf("status %+v", s)
			}
		})
	}
}
