package sip

import (
	"crypto/sha256"
	"encoding/hex"
	"net/netip"
	"strconv"
	"strings"

	wire "github.com/emiago/sipgo/sip"

	"github.com/callwright/callwright/internal/sip/message"
)

// refuseText answers a request that cannot be understood with what can be read
// of it (RFC 3261 section 21.4.1). Broken responses are dropped (section 18.1.2),
// and so is an ACK, and what does not say where it came from.
func (u *UA) refuseText(m *message.Text, from hop, f *message.Fault) {
	if m.IsResponse() || m.Method() == string(wire.ACK) {
		return
	}
	top, ok := m.Get("via")
	if !ok {
		return // nobody to answer
	}
	var b strings.Builder
	b.WriteString("SIP/2.0 " + strconv.Itoa(f.Status) + " " + f.Reason + "\r\n")
	to := from
	for i, value := range m.Vias() {
		if i == 0 {
			value, to = stampText(value, from)
		}
		b.WriteString("Via: " + value + "\r\n")
	}
	for _, name := range []string{"from", "to", "call-id", "cseq"} {
		value, ok := m.Get(name)
		if !ok {
			continue
		}
		if name == "to" && !strings.Contains(value, "tag") {
			if addr, ok := message.NameAddr(value); ok {
				sum := sha256.Sum256([]byte(top))
				value = addr + ";tag=" + hex.EncodeToString(sum[:8])
			}
		}
		b.WriteString(wireName[name] + ": " + value + "\r\n")
	}
	b.WriteString("Server: " + u.opts.UserAgent + "\r\nContent-Length: 0\r\n\r\n")
	u.reply(to, []byte(b.String()))
}

// wireName is how the names of header fields are written.
var wireName = map[string]string{"from": "From", "to": "To", "call-id": "Call-ID", "cseq": "CSeq"}

// stampText notes on the text of a Via where its request came from, as stamp
// does, and returns where the answer goes: back to where it came from, when the
// Via does not say anything that can be read.
func stampText(value string, from hop) (string, hop) {
	if _, ok := message.Via(value); !ok {
		return value, from
	}
	parts := strings.Split(value, ";")
	to := from
	if _, sentBy, _ := strings.Cut(parts[0], " "); !from.Reliable() {
		to.Addr = netip.AddrPortFrom(from.Addr.Addr(), portOf(sentBy))
	}
	out := parts[0]
	for _, p := range parts[1:] {
		name, _, _ := strings.Cut(p, "=")
		switch strings.ToLower(name) {
		case "received":
			continue
		case "rport":
			p = "rport=" + strconv.Itoa(int(from.Addr.Port()))
			to = from
		}
		out += ";" + p
	}
	return out + ";received=" + from.Addr.Addr().String(), to
}

// portOf returns the port of a Via's sent-by, 5060 when it names none.
func portOf(sentBy string) uint16 {
	if at := strings.LastIndexByte(sentBy, ':'); at >= 0 && !strings.HasSuffix(sentBy, "]") {
		if n, err := strconv.ParseUint(sentBy[at+1:], 10, 16); err == nil && n > 0 {
			return uint16(n)
		}
	}
	return 5060
}
