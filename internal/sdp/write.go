package sdp

import (
	"fmt"
	"net/netip"
	"strings"
)

// Bytes renders the session with CRLF line ends. What Parse does not
// understand is not in it.
func (s *Session) Bytes() []byte {
	var b strings.Builder
	at := s.Addr
	if !at.IsValid() {
		at = netip.IPv4Unspecified()
	}
	fmt.Fprintf(&b, "v=0\r\no=- %d %d %s\r\ns=-\r\nc=%s\r\nt=0 0\r\n", s.ID, s.Version, inAddr(at), inAddr(at))
	for _, m := range s.Media {
		m.write(&b, at)
	}
	return []byte(b.String())
}

func inAddr(a netip.Addr) string {
	if a.Is4() {
		return "IN IP4 " + a.String()
	}
	return "IN IP6 " + a.String()
}

func (m *Media) write(b *strings.Builder, session netip.Addr) {
	fmt.Fprintf(b, "m=%s %d %s %s\r\n", m.Kind, m.Port, m.Proto, strings.Join(m.Formats, " "))
	if m.Port == 0 {
		return // a rejected line needs nothing more (RFC 3264 section 6)
	}
	if at := m.Addr.Addr(); at.IsValid() && at != session {
		fmt.Fprintf(b, "c=%s\r\n", inAddr(at))
	}
	for _, c := range m.Codecs {
		fmt.Fprintf(b, "a=rtpmap:%d %s/%d", c.PT, c.Name, c.ClockRate)
		if c.Channels > 1 {
			fmt.Fprintf(b, "/%d", c.Channels)
		}
		b.WriteString("\r\n")
	}
	for _, c := range m.Codecs {
		if c.Fmtp != "" {
			fmt.Fprintf(b, "a=fmtp:%d %s\r\n", c.PT, c.Fmtp)
		}
	}
	for _, c := range m.Crypto {
		fmt.Fprintf(b, "a=crypto:%s\r\n", c)
	}
	if m.RTCPMux {
		b.WriteString("a=rtcp-mux\r\n")
	}
	if m.PTime > 0 {
		fmt.Fprintf(b, "a=ptime:%d\r\n", m.PTime)
	}
	fmt.Fprintf(b, "a=%s\r\n", m.Direction)
}
