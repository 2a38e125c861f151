package sip

import (
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	wire "github.com/emiago/sipgo/sip"
)

// raw is a SIP peer that does what its test says, right or wrong, packet by
// packet.
type raw struct {
	t    *testing.T
	conn *net.UDPConn
	to   *net.UDPAddr
	had  []string // the final responses that a test was given
}

// newRaw makes a peer that talks to u; nil when u calls it.
func newRaw(t *testing.T, u *UA) *raw {
	t.Helper()
	return newRawAt(t, u, "127.0.0.1")
}

// newRawAt makes a peer at another loopback address.
func newRawAt(t *testing.T, u *UA, ip string) *raw {
	t.Helper()
	conn, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.ParseIP(ip)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	r := &raw{t: t, conn: conn}
	if u != nil {
		r.to = net.UDPAddrFromAddrPort(u.Addr())
	}
	return r
}

func (r *raw) addr() string { return r.conn.LocalAddr().String() }

// uri is how the peer is called.
func (r *raw) uri() string { return "sip:+15550002@" + r.addr() }

// send writes a message; the lines may end as they like.
func (r *raw) send(text string) {
	r.t.Helper()
	text = strings.ReplaceAll(strings.ReplaceAll(text, "\r\n", "\n"), "\n", "\r\n")
	if _, err := r.conn.WriteTo([]byte(text), r.to); err != nil {
		r.t.Fatal(err)
	}
}

// next returns the next message within d, or nil.
func (r *raw) next(d time.Duration) wire.Message {
	r.t.Helper()
	if err := r.conn.SetReadDeadline(time.Now().Add(d)); err != nil {
		r.t.Fatal(err)
	}
	buf := make([]byte, 64<<10)
	n, from, err := r.conn.ReadFromUDP(buf)
	if err != nil {
		return nil
	}
	r.to = from
	m, err := wire.ParseMessage(buf[:n])
	if err != nil {
		r.t.Fatalf("%v\n%s", err, buf[:n])
	}
	return m
}

// request waits for the next request of that method, passing over others and
// responses.
func (r *raw) request(method wire.RequestMethod) *wire.Request {
	r.t.Helper()
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); {
		if req, ok := r.next(time.Until(deadline)).(*wire.Request); ok && req.Method == method {
			return req
		}
	}
	r.t.Fatalf("no %s came", method)
	return nil
}

// status waits for the next final response, or one of the wanted status. It
// passes over what was had before and comes again, as it does on a busy machine.
func (r *raw) status(want int) *wire.Response {
	r.t.Helper()
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); {
		res, ok := r.next(time.Until(deadline)).(*wire.Response)
		if !ok || res.StatusCode < 200 && res.StatusCode != want {
			continue
		}
		which := fmt.Sprint(res.StatusCode, res.CSeq().Value(), res.Via().Params)
		if res.StatusCode != want && slices.Contains(r.had, which) {
			continue
		}
		if res.StatusCode != want {
			r.t.Fatalf("answered %s, want %d", res.StartLine(), want)
		}
		r.had = append(r.had, which)
		return res
	}
	r.t.Fatalf("no %d came", want)
	return nil
}

// respond answers a request with a tag of the peer's choice.
func (r *raw) respond(req *wire.Request, status int, tag string, headers ...string) {
	r.t.Helper()
	r.respondBody(req, status, tag, "", headers...)
}

func (r *raw) respondBody(req *wire.Request, status int, tag, body string, headers ...string) {
	r.t.Helper()
	res := wire.NewResponseFromRequest(req, status, "Because", nil)
	if tag != "" {
		res.To().Params.Add("tag", tag)
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		res.AppendHeader(wire.NewHeader(name, value))
	}
	if body != "" {
		res.AppendHeader(wire.NewHeader("Content-Type", "application/sdp"))
	}
	res.SetBody([]byte(body))
	r.send(res.String())
}

// accept answers an INVITE with 200.
func (r *raw) accept(req *wire.Request, tag string, headers ...string) {
	r.t.Helper()
	r.respondBody(req, 200, tag, answer, append([]string{"Contact: <sip:peer@" + r.addr() + ">"}, headers...)...)
}

// ask makes a request of the peer's own.
func (r *raw) ask(method, target, from, to, callID string, cseq int, extra, body string) string {
	return fmt.Sprintf("%s %s SIP/2.0\nVia: SIP/2.0/UDP %s;branch=%s\nMax-Forwards: 70\nFrom: %s\nTo: %s\nCall-ID: %s\nCSeq: %d %s\nContact: <sip:peer@%s>\n%sContent-Length: %d\n\n%s",
		method, target, r.addr(), newBranch(), from, to, callID, cseq, method, r.addr(), extra, len(body), body)
}

// within makes a request of the peer's own inside the dialog that its 200 to
// an INVITE made.
func (r *raw) within(invite *wire.Request, tag, method string, cseq int, extra, body string) string {
	return r.ask(method, invite.Contact().Address.String(), invite.To().Value()+";tag="+tag, invite.From().Value(),
		invite.CallID().Value(), cseq, extra, body)
}

// dial has u call the peer, which accepts with tag "one", and returns both
// sides once the call is confirmed.
func (r *raw) dial(u *UA, in Invite, headers ...string) (*Dialog, *wire.Request) {
	r.t.Helper()
	in.URI, in.From, in.Body = r.uri(), "+15550001", []byte(offer)
	type outcome struct {
		d   *Dialog
		err error
	}
	got := make(chan outcome, 1)
	go func() {
		d, err := u.Invite(within(r.t, 10*time.Second), in)
		got <- outcome{d, err}
	}()
	invite := r.request(wire.INVITE)
	r.accept(invite, "one", headers...)
	r.request(wire.ACK)
	o := <-got
	if o.err != nil {
		r.t.Fatalf("Invite: %v", o.err)
	}
	return o.d, invite
}

// toCancel makes the CANCEL of an INVITE.
func toCancel(invite string) string {
	text := strings.Replace(strings.Replace(invite, "INVITE", "CANCEL", 1), " INVITE\n", " CANCEL\n", 1)
	head, _, _ := strings.Cut(text, "Content-Length")
	return head + "Content-Length: 0\n\n"
}
