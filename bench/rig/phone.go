//go:build linux

package rig

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// resend is how long an ACK is waited for before a 200 is sent again (T1 of RFC
// 3261 §17.1.1.1, without its growth: nothing is lost on loopback for long).
const resend = 500 * time.Millisecond

// Phone answers every call at once, over SIP and UDP: the smallest user agent
// that the server is content with (RFC 3261 §8.2, §13.3), so that measuring
// costs little beside what is measured.
type Phone struct {
	conn  *net.UDPConn
	sound *Sound
	voice *Voice
	turns Turns

	mu    sync.Mutex
	calls map[string]*dialog // by Call-ID
	ended int
	acked Spread // from the INVITE's arrival to the ACK
}

// dialog is a call on the phone.
type dialog struct {
	line  *Line
	ok    []byte // the 200, until the ACK came
	okTo  *net.UDPAddr
	okAt  time.Time
	acked bool
}

// NewPhone opens the phone on a free port; Run answers.
func NewPhone(ip netip.Addr, s *Sound, v *Voice, t Turns) (*Phone, error) {
	conn, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(netip.AddrPortFrom(ip, 0)))
	if err != nil {
		return nil, err
	}
	return &Phone{conn: conn, sound: s, voice: v, turns: t, calls: map[string]*dialog{}}, errors.Join(conn.SetReadBuffer(recvBuffer))
}

// Addr is where the phone is called.
func (p *Phone) Addr() netip.AddrPort {
	if a, ok := p.conn.LocalAddr().(*net.UDPAddr); ok {
		return a.AddrPort()
	}
	return netip.AddrPort{}
}

// Live is how many calls are answered and not over, Ended how many are over.
func (p *Phone) Live() (live, ended int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, d := range p.calls {
		if d.acked {
			live++
		}
	}
	return live, p.ended
}

// Setup is the time from INVITE to ACK of the calls so far.
func (p *Phone) Setup() *Spread {
	p.mu.Lock()
	defer p.mu.Unlock()
	out := Spread{all: slices.Clone(p.acked.all)}
	return &out
}

// Run answers until ctx is done.
func (p *Phone) Run(ctx context.Context) error {
	stop := context.AfterFunc(ctx, func() { _ = p.conn.Close() })
	defer stop()
	buf := make([]byte, 1<<16)
	for {
		_ = p.conn.SetReadDeadline(time.Now().Add(resend)) // fails with the socket, as reading does
		n, from, err := p.conn.ReadFromUDP(buf)
		var slow net.Error
		switch {
		case errors.Is(err, net.ErrClosed):
			return nil
		case errors.As(err, &slow) && slow.Timeout():
			p.again()
		case err != nil:
			return err
		default:
			if err := p.take(buf[:n], from); err != nil {
				return err
			}
		}
	}
}

// again sends what was not acknowledged.
func (p *Phone) again() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, d := range p.calls {
		if !d.acked && time.Since(d.okAt) > resend {
			_, _ = p.conn.WriteToUDP(d.ok, d.okTo) // and again, until it works
		}
	}
}

// take handles one message. What is not a request is an answer to a BYE that
// nobody waits for.
func (p *Phone) take(raw []byte, from *net.UDPAddr) error {
	r, ok := ParseRequest(raw)
	if !ok {
		return nil
	}
	id := r.Head.Get("Call-Id")
	p.mu.Lock()
	defer p.mu.Unlock()
	d := p.calls[id]
	switch r.Method {
	case "INVITE":
		return p.invited(id, d, r, from)
	case "ACK":
		if d != nil && !d.acked {
			d.acked = true
			p.acked.Add(time.Since(d.line.Invited))
		}
		return nil
	case "BYE":
		if d != nil {
			delete(p.calls, id)
			p.ended++
			p.sound.Remove(d.line)
		}
	}
	_, err := p.conn.WriteToUDP(p.answer(r, "200 OK", nil), from)
	return err
}

func (p *Phone) invited(id string, d *dialog, r Request, from *net.UDPAddr) error {
	if d != nil {
		_, err := p.conn.WriteToUDP(p.answer(r, "200 OK", p.sdp()), from)
		return err
	}
	media, err := mediaOf(r.Body)
	if err != nil {
		return fmt.Errorf("the offer of call %s cannot be used: %w\n%s", id, err, r.Body)
	}
	index, err := strconv.Atoi(r.User[max(0, len(r.User)-6):])
	if err != nil {
		return fmt.Errorf("the number %q is none of this program's", r.User)
	}
	l := NewLine(index, media, p.voice, p.turns)
	l.CallID, l.Invited = id, time.Now()
	ok := p.answer(r, "200 OK", p.sdp())
	l.Picked = time.Now()
	p.calls[id] = &dialog{line: l, ok: ok, okTo: from, okAt: l.Picked}
	_, err = p.conn.WriteToUDP(ok, from)
	p.sound.Add(l)
	return err
}

func (p *Phone) answer(r Request, status string, body []byte) []byte {
	return r.Answer(status, "bench", p.Addr(), body)
}

func (p *Phone) sdp() []byte {
	at, codec := p.sound.Addr(), p.voice.Codec
	return fmt.Appendf(nil, "v=0\r\no=bench 1 1 IN IP4 %[1]s\r\ns=-\r\nc=IN IP4 %[1]s\r\nt=0 0\r\n"+
		"m=audio %[2]d RTP/AVP %[3]d\r\na=rtpmap:%[3]d %[4]s/8000\r\na=ptime:20\r\n",
		at.Addr(), at.Port(), codec.PayloadType, codec.Name)
}

// mediaOf reads where an offer wants its sound (RFC 4566 §5.7, §5.14).
func mediaOf(sdp []byte) (netip.AddrPort, error) {
	var ip netip.Addr
	port := 0
	for line := range strings.Lines(string(sdp)) {
		words := strings.Fields(line)
		switch {
		case len(words) == 3 && words[0] == "c=IN":
			ip, _ = netip.ParseAddr(words[2]) // checked below
		case len(words) > 2 && words[0] == "m=audio":
			port, _ = strconv.Atoi(words[1])
		}
	}
	if !ip.Is4() || port <= 0 || port > 65535 {
		return netip.AddrPort{}, errors.New("it has no IPv4 address and port for audio")
	}
	return netip.AddrPortFrom(ip, uint16(port)), nil
}
