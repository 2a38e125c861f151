//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/callwright/callwright/bench/rig"
)

// Timers of RFC 3261 section 17.1.1.1.
const (
	t1      = 500 * time.Millisecond
	t2      = 4 * time.Second
	giveUp  = 64 * t1
	udpRoom = 4 << 20 // bytes of a socket's buffer
)

// peer is the far end of all calls: a SIP user agent over UDP that shares nothing
// with the server's, follows a script for each number, and keeps what came.
type peer struct {
	conn  *net.UDPConn
	sound *net.UDPConn // takes the sound of all calls, and is never read
	over  bool         // the run is: nothing is said any more

	mu      sync.Mutex
	dialogs map[string]*dialog // by Call-ID
	numbers map[string][]string
	hurried bool          // nobody is overloaded: who is gets another call only a minute later
	limit   time.Duration // for the BYE to an orphan
	strays  int           // requests of dialogs that nobody opened
}

// stage is how far a dialog has come.
type stage int

const (
	trying stage = iota
	refused
	answered // 200 was sent
	talking  // the ACK came
	over
)

// dialog is what came under one Call-ID.
type dialog struct {
	id, number string
	script     script
	from       *net.UDPAddr // the server that dialed
	invite     rig.Request
	branches   map[string]int // how often an INVITE came in each transaction
	acks, byes int
	overlaps   int // other calls that the number had when this one came
	last       []byte
	stage      stage
	invitedAt  time.Time
	answeredAt time.Time
	acked      bool

	orphan  bool      // its server has died
	diedAt  time.Time // when
	revived time.Time // when that was started again, or another was there for it
	byeAt   time.Time
}

// listen opens a peer on loopback; run answers.
func listen() (*peer, error) {
	local := &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)}
	conn, err := net.ListenUDP("udp4", local)
	if err != nil {
		return nil, err
	}
	sound, err := net.ListenUDP("udp4", local)
	if err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return &peer{conn: conn, sound: sound, dialogs: map[string]*dialog{}, numbers: map[string][]string{}}, conn.SetReadBuffer(udpRoom)
}

func (p *peer) addr() netip.AddrPort { return addrOf(p.conn) }

func addrOf(conn *net.UDPConn) netip.AddrPort {
	if a, ok := conn.LocalAddr().(*net.UDPAddr); ok {
		return a.AddrPort()
	}
	return netip.AddrPort{}
}

// run answers until ctx is done.
func (p *peer) run(ctx context.Context) error {
	stop := context.AfterFunc(ctx, func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.over = true
		_ = errors.Join(p.conn.Close(), p.sound.Close())
	})
	defer stop()
	buf := make([]byte, 1<<16)
	for {
		n, from, err := p.conn.ReadFromUDP(buf)
		switch {
		case errors.Is(err, net.ErrClosed):
			return nil
		case err != nil:
			return err
		}
		if r, ok := rig.ParseRequest(buf[:n]); ok {
			p.take(r, from)
		}
	}
}

// take handles a request. What is none answers one of ours, and is not waited for.
func (p *peer) take(r rig.Request, from *net.UDPAddr) {
	p.mu.Lock()
	defer p.mu.Unlock()
	d := p.dialogs[r.Head.Get("Call-Id")]
	switch {
	case r.Method == "OPTIONS":
		p.send(from, r.Answer("200 OK", "chaos", p.addr(), nil))
	case r.Method == "INVITE":
		p.invited(d, r, from)
	case d == nil:
		p.strays++
		if r.Method != "ACK" {
			p.send(from, r.Answer("481 Call/Transaction Does Not Exist", "chaos", p.addr(), nil))
		}
	case r.Method == "ACK":
		d.acks++
		p.acknowledged(d)
	case r.Method == "BYE":
		p.ended(d)
		p.send(from, r.Answer("200 OK", d.tag(), p.addr(), nil))
	case r.Method == "CANCEL":
		p.send(from, r.Answer("200 OK", d.tag(), p.addr(), nil))
		if d.stage == trying {
			p.final(d, refused, "487 Request Terminated", nil)
		}
	default:
		p.send(from, r.Answer("200 OK", d.tag(), p.addr(), nil))
	}
}

func (d *dialog) tag() string { return "t" + d.id }

func (p *peer) send(to *net.UDPAddr, data []byte) {
	_, _ = p.conn.WriteToUDP(data, to) // who is dead does not hear it
}

func (p *peer) invited(d *dialog, r rig.Request, from *net.UDPAddr) {
	branch := branchOf(r)
	if d != nil {
		d.branches[branch]++
		if d.last != nil {
			p.send(from, d.last)
		}
		return
	}
	d = &dialog{id: r.Head.Get("Call-Id"), number: r.User, script: scriptOf(r.User), from: from, invite: r,
		branches: map[string]int{branch: 1}, invitedAt: time.Now()}
	if len(p.numbers[r.User]) > 0 || p.hurried && d.script.name == overloaded {
		d.script = again // whoever was overloaded is called once more, and talks
	}
	for _, id := range p.numbers[r.User] {
		if other := p.dialogs[id]; other.stage == answered || other.stage == talking {
			d.overlaps++
		}
	}
	p.dialogs[d.id] = d
	p.numbers[r.User] = append(p.numbers[r.User], d.id)
	p.later(d.script.quiet, func() { p.proceed(d) })
}

// branchOf is the transaction of a request (RFC 3261 section 17.2.3).
func branchOf(r rig.Request) string {
	_, branch, _ := strings.Cut(r.Head.Get("Via"), "branch=")
	branch, _, _ = strings.Cut(branch, ";")
	return branch
}

// later does what under the lock, unless the run is over.
func (p *peer) later(wait time.Duration, what func()) {
	time.AfterFunc(wait, func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		if !p.over {
			what()
		}
	})
}

// proceed says that the call is on its way, and rings.
func (p *peer) proceed(d *dialog) {
	if d.stage != trying {
		return
	}
	d.last = d.invite.Answer("100 Trying", d.tag(), p.addr(), nil)
	p.send(d.from, d.last)
	if d.script.rings {
		p.later(10*time.Millisecond, func() {
			if d.stage == trying {
				d.last = d.invite.Answer("180 Ringing", d.tag(), p.addr(), nil)
				p.send(d.from, d.last)
			}
		})
	}
	p.later(20*time.Millisecond+d.script.after, func() {
		switch {
		case d.stage != trying:
		case strings.HasPrefix(d.script.final, "200"):
			d.answeredAt = time.Now()
			p.final(d, answered, d.script.final, p.sdp())
		default:
			p.final(d, refused, d.script.final, nil)
		}
	})
}

func (p *peer) sdp() []byte {
	at := addrOf(p.sound)
	return fmt.Appendf(nil, "v=0\r\no=chaos 1 1 IN IP4 %[1]s\r\ns=-\r\nc=IN IP4 %[1]s\r\nt=0 0\r\nm=audio %[2]d RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n",
		at.Addr(), at.Port())
}

// final sends the final response, again and again until it is acknowledged
// (RFC 3261 sections 13.3.1.4 and 17.2.1).
func (p *peer) final(d *dialog, to stage, status string, body []byte) {
	d.stage, d.last = to, d.invite.Answer(status, d.tag(), p.addr(), body)
	wait, since := t1, time.Now()
	var again func()
	again = func() {
		if d.acked || d.stage == over || time.Since(since) > giveUp {
			return
		}
		p.send(d.from, d.last)
		p.later(wait, again)
		wait = min(2*wait, t2)
	}
	again()
}

func (p *peer) acknowledged(d *dialog) {
	first := !d.acked
	d.acked = true
	switch {
	case d.stage == refused:
		d.stage = over
	case d.stage == answered && first:
		d.stage = talking
		if d.script.hangsUp > 0 {
			p.later(d.script.hangsUp, func() { p.hangUp(d) })
		}
	}
}

// hangUp ends a call from this side, unless its server has died: who is left
// behind is to be hung up.
func (p *peer) hangUp(d *dialog) {
	if d.stage != talking || d.orphan {
		return
	}
	d.stage = over
	target, _, _ := strings.Cut(d.invite.Head.Get("Contact"), ">")
	_, target, _ = strings.Cut(target, "<")
	to := d.invite.Head.Get("To") + ";tag=" + d.tag()
	p.send(d.from, fmt.Appendf(nil, "BYE %s SIP/2.0\r\nVia: SIP/2.0/UDP %s;branch=z9hG4bKbye%s\r\nMax-Forwards: 70\r\nFrom: %s\r\nTo: %s\r\n"+
		"Call-ID: %s\r\nCSeq: 1 BYE\r\nContent-Length: 0\r\n\r\n", target, p.addr(), d.id, to, d.invite.Head.Get("From"), d.id))
}

func (p *peer) ended(d *dialog) {
	d.byes++
	if d.byeAt.IsZero() {
		d.byeAt = time.Now()
	}
	d.stage = over
}
