package doctor

import (
	"crypto/md5" //nolint:gosec // digest authentication, RFC 2617
	"encoding/hex"
	"fmt"
	"net"
	"net/netip"
	"regexp"
	"strings"
	"testing"
)

// peer is a far end on a socket of its own: a server that knows one user.
type peer struct {
	conn     *net.UDPConn
	silent   bool   // for OPTIONS
	seen     string // what it says where the request came from; "" is the truth
	server   string
	password string
}

func newPeer(t *testing.T, p peer) *peer {
	t.Helper()
	conn, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	p.conn = conn
	done := make(chan struct{})
	go func() { defer close(done); p.serve() }()
	t.Cleanup(func() { _ = conn.Close(); <-done })
	return &p
}

func (p *peer) addr() netip.AddrPort { return p.conn.LocalAddr().(*net.UDPAddr).AddrPort() }

func (p *peer) serve() {
	buf := make([]byte, 65536)
	for {
		n, from, err := p.conn.ReadFromUDPAddrPort(buf)
		if err != nil {
			return
		}
		if answer := p.answer(string(buf[:n]), from); answer != "" {
			_, _ = p.conn.WriteToUDPAddrPort([]byte(answer), from)
		}
	}
}

var (
	digestField = regexp.MustCompile(`(\w+)="?([^",]+)"?`)
	viaRport    = regexp.MustCompile(`;rport\b`)
)

func (p *peer) answer(request string, from netip.AddrPort) string {
	method, _, _ := strings.Cut(request, " ")
	status, extra := "200 OK", "Server: "+p.server+"\r\n"
	if method == "OPTIONS" && p.silent {
		return ""
	}
	if method == "REGISTER" && !p.knows(request) {
		status = "401 Unauthorized"
		extra += "WWW-Authenticate: Digest realm=\"here\", nonce=\"once\", algorithm=MD5\r\n"
		if strings.Contains(request, "Authorization:") {
			status = "403 Forbidden"
		}
	}
	ip := p.seen
	if ip == "" {
		ip = from.Addr().String()
	}
	var b strings.Builder
	fmt.Fprintf(&b, "SIP/2.0 %s\r\n", status)
	for _, line := range strings.Split(request, "\r\n") {
		switch name, _, _ := strings.Cut(line, ":"); name {
		case "Via":
			line = viaRport.ReplaceAllString(line, fmt.Sprintf(";received=%s;rport=%d", ip, from.Port()))
		case "From", "Call-ID", "CSeq":
		case "To":
			line += ";tag=peer"
		default:
			continue
		}
		b.WriteString(line + "\r\n")
	}
	return b.String() + extra + "Content-Length: 0\r\n\r\n"
}

func hash(s string) string {
	sum := md5.Sum([]byte(s)) //nolint:gosec // see the import
	return hex.EncodeToString(sum[:])
}

func (p *peer) knows(request string) bool {
	_, header, found := strings.Cut(request, "Authorization: Digest ")
	if !found {
		return false
	}
	header, _, _ = strings.Cut(header, "\r\n")
	f := map[string]string{}
	for _, m := range digestField.FindAllStringSubmatch(header, -1) {
		f[m[1]] = m[2]
	}
	return f["response"] == hash(hash(f["username"]+":here:"+p.password)+":once:"+hash("REGISTER:"+f["uri"]))
}
