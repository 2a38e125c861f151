package sip

import (
	"bufio"
	"errors"
	"io"
	"net"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"
)

// plug is a TCP connection to a user agent from a loopback address.
type plug struct {
	t *testing.T
	net.Conn
	r *bufio.Reader
}

// connectFrom opens a TCP connection to a user agent from a loopback address. It
// is closed with the test.
func connectFrom(t *testing.T, u *UA, ip string) net.Conn {
	t.Helper()
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(ip)}, Timeout: 5 * time.Second}
	c, err := d.Dial("tcp", u.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func newPlug(t *testing.T, u *UA, ip string) *plug {
	t.Helper()
	c := connectFrom(t, u, ip)
	return &plug{t, c, bufio.NewReader(c)}
}

func (p *plug) send(text string) {
	p.t.Helper()
	if _, err := p.Write([]byte(strings.ReplaceAll(text, "\n", "\r\n"))); err != nil {
		p.t.Fatal(err)
	}
}

// next returns the next message, or nil when the connection ends or is silent
// for d.
func (p *plug) next(d time.Duration) *reply {
	p.t.Helper()
	_ = p.SetReadDeadline(time.Now().Add(d))
	var head strings.Builder
	length := 0
	for {
		line, err := p.r.ReadString('\n')
		if err != nil {
			return nil
		}
		head.WriteString(line)
		if name, value, ok := strings.Cut(line, ":"); ok && strings.EqualFold(name, "Content-Length") {
			length, _ = strconv.Atoi(strings.TrimSpace(value))
		}
		if line == "\r\n" {
			break
		}
	}
	body := make([]byte, length)
	if _, err := io.ReadFull(p.r, body); err != nil {
		return nil
	}
	return newReply(p.t, []byte(head.String()+string(body)))
}

// closed waits until the user agent closes the connection.
func (p *plug) closed(d time.Duration) {
	p.t.Helper()
	_ = p.SetReadDeadline(time.Now().Add(d))
	for {
		if _, err := p.r.ReadByte(); err != nil {
			if errors.Is(err, os.ErrDeadlineExceeded) {
				p.t.Error("the connection stays open")
			}
			return
		}
	}
}

func (p *plug) options() string {
	return "OPTIONS sip:a@127.0.0.1 SIP/2.0\nVia: SIP/2.0/TCP 127.0.0.1;branch=" + newBranch() + "\nMax-Forwards: 70\nFrom: <sip:b@127.0.0.1>;tag=1\nTo: <sip:a@127.0.0.1>\nCall-ID: " +
		newTag() + "\nCSeq: 1 OPTIONS\nContent-Length: 0\n\n"
}

// alive checks that requests over the connection are answered.
func (p *plug) alive() {
	p.t.Helper()
	p.send(p.options())
	if res := p.next(10 * time.Second); res == nil || res.status != 200 {
		p.t.Errorf("OPTIONS over TCP: %v", res)
	}
}

// TestTortureTCP sends the same messages over connections. Those whose length
// is not clear end them.
func TestTortureTCP(t *testing.T) {
	t.Parallel()
	u := refusing(t, Options{TCP: true, Limits: Limits{MessageTimeout: 300 * time.Millisecond, ConnsPerSource: 1000}})
	ends := map[string]int{"mcl01": 400, "ncl": 400, "inv2543": 400, "clerr": 0}
	for name, data := range torture(t, "rfc4475.txt") {
		t.Run(name, func(t *testing.T) {
			p := newPlug(t, u, "127.0.0.1")
			if name == "dblreq" {
				data = data[:len(data)-5] // its second body is longer than it says, which ends a connection
			}
			if _, err := p.Write(data); err != nil {
				t.Fatal(err)
			}
			want := verdicts[name].status
			status, final := ends[name]
			if final && status != 0 {
				want = status
			}
			if name == "clerr" {
				want = 0 // the rest of it never comes
			}
			if want != 0 {
				res := p.next(5 * time.Second)
				for res != nil && res.status < 200 {
					res = p.next(5 * time.Second)
				}
				if res == nil || res.status != want {
					t.Fatalf("answered %v, want %d", res, want)
				}
			}
			if name == "dblreq" { // on a stream the second request is one
				res := p.next(5 * time.Second)
				for res != nil && res.status < 200 {
					res = p.next(5 * time.Second)
				}
				if res == nil || res.status != 486 {
					t.Fatalf("the second request is answered %v, want 486", res)
				}
			}
			if final && (status != 0 || name == "clerr") {
				p.closed(5 * time.Second)
			}
		})
	}
	newPlug(t, u, "127.0.0.1").alive()
}

func TestPingIsAnswered(t *testing.T) {
	t.Parallel()
	p := newPlug(t, newUA(t, Options{TCP: true}), "127.0.0.1")
	for range 3 {
		p.send("\n\n")
		_ = p.SetReadDeadline(time.Now().Add(5 * time.Second))
		pong := make([]byte, 2)
		if _, err := io.ReadFull(p.r, pong); err != nil || string(pong) != "\r\n" {
			t.Fatalf("a ping is answered %q, %v", pong, err)
		}
	}
	p.alive()
}

// TestSlowMessagesEndTheirConnection: a byte now and then keeps nothing open.
func TestSlowMessagesEndTheirConnection(t *testing.T) {
	t.Parallel()
	u := newUA(t, Options{TCP: true, Limits: Limits{MessageTimeout: 200 * time.Millisecond}})
	p := newPlug(t, u, "127.0.0.1")
	began := time.Now()
	for _, c := range strings.Repeat("OPTIONS ", 200) {
		if _, err := p.Write([]byte{byte(c)}); err != nil {
			break
		}
		_ = p.SetReadDeadline(time.Now().Add(10 * time.Millisecond))
		if _, err := p.r.ReadByte(); err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
			break
		}
	}
	if took := time.Since(began); took < 150*time.Millisecond || took > 8*time.Second {
		t.Errorf("closed after %v, want 200ms", took)
	}
	p.closed(time.Second)
}

func TestIdleConnectionsAreClosed(t *testing.T) {
	t.Parallel()
	u := newUA(t, Options{TCP: true, Limits: Limits{IdleTimeout: 3 * time.Second}, Admit: door(map[string]Admission{"127.0.0.1": Serve, "127.0.0.2": Guest})})
	peer, guest := newPlug(t, u, "127.0.0.1"), newPlug(t, u, "127.0.0.2")
	guest.closed(2500 * time.Millisecond) // a tenth of the patience
	peer.alive()
}

func TestTooLargeMessageEndsItsConnection(t *testing.T) {
	t.Parallel()
	u := newUA(t, Options{TCP: true})
	for name, text := range map[string]string{
		"header": "OPTIONS sip:a@127.0.0.1 SIP/2.0\nX: " + strings.Repeat("x", 70<<10),
		"body":   strings.Replace((&plug{}).options(), "Length: 0", "Length: 70000", 1),
		"no SIP": "GET / HTTP/1.1\nHost: 127.0.0.1\n\n",
	} {
		t.Run(name, func(t *testing.T) {
			p := newPlug(t, u, "127.0.0.1")
			_, _ = p.Write([]byte(strings.ReplaceAll(text, "\n", "\r\n"))) // it may be cut off before the end
			p.closed(5 * time.Second)
		})
	}
}

// TestStrangersCannotUseConnectionsUp: thousands of them hold a bounded number
// of connections, and a known peer still connects.
func TestStrangersCannotUseConnectionsUp(t *testing.T) {
	t.Parallel()
	u := newUA(t, Options{TCP: true, Admit: door(map[string]Admission{"127.0.0.1": Serve, "127.0.0.2": Guest, "127.0.0.3": Guest, "127.0.0.4": Guest}), Limits: Limits{Conns: 20, ConnsPerSource: 8, PeerConns: 4}})
	const each = 500
	for _, ip := range []string{"127.0.0.2", "127.0.0.3", "127.0.0.4", "127.0.0.5"} {
		for range each {
			newPlug(t, u, ip)
		}
	}
	for range 4 {
		newPlug(t, u, "127.0.0.1").alive()
	}
	newPlug(t, u, "127.0.0.1").closed(5 * time.Second) // its own share has a bound too
}
