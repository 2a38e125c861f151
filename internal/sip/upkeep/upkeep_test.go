package upkeep

import (
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	wire "github.com/emiago/sipgo/sip"

	"github.com/callwright/callwright/internal/sip"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func newUA(t *testing.T, o sip.Options) *sip.UA {
	t.Helper()
	o.Listen = netip.MustParseAddrPort("127.0.0.1:0")
	u, err := sip.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = u.Close() }) // a test may have closed it
	return u
}

func value(m wire.Message, name string) string {
	if hs := m.GetHeaders(name); len(hs) > 0 {
		return hs[0].Value()
	}
	return ""
}

// peer is a server that answers what its test says.
type peer struct {
	t    *testing.T
	conn *net.UDPConn
	to   net.Addr
}

func newPeer(t *testing.T) *peer {
	t.Helper()
	conn, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return &peer{t: t, conn: conn}
}

func (p *peer) addr() string { return p.conn.LocalAddr().String() }

func (p *peer) at() netip.AddrPort { return netip.MustParseAddrPort(p.addr()) }

// request returns the next request of that method, and passes over others.
func (p *peer) request(method wire.RequestMethod) *wire.Request {
	p.t.Helper()
	buf := make([]byte, 64<<10)
	if err := p.conn.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		p.t.Fatal(err)
	}
	for {
		n, from, err := p.conn.ReadFrom(buf)
		if err != nil {
			p.t.Fatalf("no %s came: %v", method, err)
		}
		p.to = from
		m, err := wire.ParseMessage(buf[:n])
		if err != nil {
			p.t.Fatalf("%v\n%s", err, buf[:n])
		}
		if req, ok := m.(*wire.Request); ok && (method == "" || req.Method == method) {
			return req
		}
	}
}

// respond answers a request; headers are "Name: value".
func (p *peer) respond(req *wire.Request, status int, headers ...string) {
	p.t.Helper()
	res := wire.NewResponseFromRequest(req, status, "Because", nil)
	for _, h := range headers {
		name, v, _ := strings.Cut(h, ": ")
		res.AppendHeader(wire.NewHeader(name, v))
	}
	res.SetBody(nil)
	if _, err := p.conn.WriteTo([]byte(res.String()), p.to); err != nil {
		p.t.Fatal(err)
	}
}
