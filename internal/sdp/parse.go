package sdp

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	pion "github.com/pion/sdp/v3"
)

// Bounds on what is taken from a network peer.
const (
	maxBytes   = 64 << 10
	maxMedia   = 32
	maxFormats = 64
)

// static are the payload types that need no rtpmap (RFC 3551 section 6).
var static = map[int]Codec{
	0:  {PT: 0, Name: "PCMU", ClockRate: 8000},
	3:  {PT: 3, Name: "GSM", ClockRate: 8000},
	8:  {PT: 8, Name: "PCMA", ClockRate: 8000},
	9:  {PT: 9, Name: "G722", ClockRate: 8000},
	18: {PT: 18, Name: "G729", ClockRate: 8000},
}

func malformed(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrMalformed, fmt.Sprintf(format, args...))
}

// Parse reads a session description. It never panics; whatever it cannot
// understand is an ErrMalformed that says where.
func Parse(body []byte) (*Session, error) {
	if len(body) > maxBytes {
		return nil, malformed("%d bytes, at most %d are read", len(body), maxBytes)
	}
	var raw pion.SessionDescription
	text, strange := disguise(body)
	if err := raw.UnmarshalString(text); err != nil {
		return nil, malformed("%v", err)
	}
	if raw.Origin.NetworkType == "" {
		return nil, malformed("it is empty")
	}
	if len(raw.MediaDescriptions) > maxMedia {
		return nil, malformed("%d media lines, at most %d are read", len(raw.MediaDescriptions), maxMedia)
	}
	s := &Session{ID: raw.Origin.SessionID, Version: raw.Origin.SessionVersion}
	var err error
	if s.Addr, err = connection(raw.ConnectionInformation); err != nil {
		return nil, err
	}
	way := SendRecv
	for _, a := range raw.Attributes {
		way = directionOf(a.Key, way)
	}
	for i, md := range raw.MediaDescriptions {
		m, err := parseMedia(md, s.Addr, way)
		if err != nil {
			return nil, fmt.Errorf("media line %d: %w", i+1, err)
		}
		if f, ok := strange[i]; ok {
			m.Kind, m.Port, m.Proto, m.Formats, m.Codecs = f.kind, f.port, f.proto, f.formats, nil
		}
		s.Media = append(s.Media, m)
	}
	s.pick()
	return s, nil
}

// pick points Audio and Text at the first lines of their kind that are alive.
func (s *Session) pick() {
	for _, m := range s.Media {
		switch {
		case m.Port == 0:
		case m.Kind == "audio" && s.Audio == nil:
			s.Audio = m
		case m.Kind == "text" && s.Text == nil:
			s.Text = m
		}
	}
}

func parseMedia(md *pion.MediaDescription, at netip.Addr, way Direction) (*Media, error) {
	name := md.MediaName
	m := &Media{
		Kind:      strings.ToLower(name.Media),
		Port:      name.Port.Value,
		Proto:     strings.Join(name.Protos, "/"),
		Direction: way,
		Formats:   name.Formats,
	}
	if m.Port < 0 || m.Port > 65535 {
		return nil, malformed("port %d is not one", m.Port)
	}
	if len(m.Formats) > maxFormats {
		return nil, malformed("%d formats, at most %d are read", len(m.Formats), maxFormats)
	}
	if md.ConnectionInformation != nil {
		own, err := connection(md.ConnectionInformation)
		if err != nil {
			return nil, err
		}
		at = own
	}
	if m.Port != 0 && !at.IsValid() && (m.Kind == "audio" || m.Kind == "text") {
		return nil, malformed("no c= line says where the %s goes", m.Kind)
	}
	m.Addr = netip.AddrPortFrom(at, uint16(m.Port))
	for _, a := range md.Attributes {
		m.Direction = directionOf(a.Key, m.Direction)
		m.attribute(a)
	}
	m.Codecs = parseCodecs(m.Formats, md.Attributes)
	return m, nil
}

func (m *Media) attribute(a pion.Attribute) {
	switch a.Key {
	case "ptime":
		m.PTime, _ = strconv.Atoi(strings.TrimSpace(a.Value)) // a ptime that is no number is as good as none
	case "crypto":
		if c, ok := parseCrypto(a.Value); ok && len(m.Crypto) < maxCrypto {
			m.Crypto = append(m.Crypto, c)
		}
	case "rtcp-mux":
		m.RTCPMux = true
	case "rtcp":
		m.RTCP = parseRTCP(a.Value, m.Addr.Addr())
	}
}

// parseRTCP reads "53020" or "53020 IN IP4 192.0.2.1" (RFC 3605). RTCP is sent
// to the host of the media only: another could be anybody.
func parseRTCP(v string, at netip.Addr) netip.AddrPort {
	f := strings.Fields(v)
	if len(f) == 0 {
		return netip.AddrPort{}
	}
	port, err := strconv.ParseUint(f[0], 10, 16)
	if err != nil || port == 0 || !at.IsValid() {
		return netip.AddrPort{}
	}
	if len(f) == 4 && f[3] != at.String() {
		return netip.AddrPort{}
	}
	return netip.AddrPortFrom(at, uint16(port))
}

func directionOf(key string, otherwise Direction) Direction {
	switch d := Direction(key); d {
	case SendRecv, SendOnly, RecvOnly, Inactive:
		return d
	}
	return otherwise
}

// connection reads a c= line. A host name is refused: resolving names from a
// message of the network would let its sender make us ask any DNS server.
func connection(c *pion.ConnectionInformation) (netip.Addr, error) {
	if c == nil || c.Address == nil {
		return netip.Addr{}, nil
	}
	addr, err := netip.ParseAddr(c.Address.Address)
	if err != nil {
		return netip.Addr{}, malformed("c= line has %q, which is not an IP address", c.Address.Address)
	}
	addr = addr.Unmap()
	if addr.IsMulticast() || addr.Zone() != "" {
		return netip.Addr{}, malformed("c= line has %q; media goes to unicast addresses only", c.Address.Address)
	}
	return addr, nil
}

// parseCodecs joins the formats of an m= line with their rtpmap and fmtp
// attributes. Formats that are no payload type or have no name are left out.
func parseCodecs(formats []string, attrs []pion.Attribute) []Codec {
	maps, params := map[int]Codec{}, map[int]string{}
	for _, a := range attrs {
		pt, rest, ok := payloadType(a.Value)
		if !ok {
			continue
		}
		switch a.Key {
		case "rtpmap":
			if c, ok := parseRTPMap(pt, rest); ok {
				maps[pt] = c
			}
		case "fmtp":
			params[pt] = rest
		}
	}
	var out []Codec
	for _, f := range formats {
		pt, err := strconv.Atoi(f)
		if err != nil || pt < 0 || pt > 127 {
			continue
		}
		c, ok := maps[pt]
		if !ok {
			if c, ok = static[pt]; !ok {
				continue
			}
		}
		c.Fmtp = params[pt]
		out = append(out, c)
	}
	return out
}

func payloadType(v string) (pt int, rest string, ok bool) {
	head, rest, ok := strings.Cut(strings.TrimSpace(v), " ")
	if !ok {
		return 0, "", false
	}
	pt, err := strconv.Atoi(head)
	return pt, strings.TrimSpace(rest), err == nil && pt >= 0 && pt <= 127
}

// parseRTPMap reads "PCMU/8000" or "opus/48000/2".
func parseRTPMap(pt int, v string) (Codec, bool) {
	parts := strings.Split(v, "/")
	if len(parts) < 2 || parts[0] == "" {
		return Codec{}, false
	}
	rate, err := strconv.Atoi(parts[1])
	if err != nil || rate <= 0 {
		return Codec{}, false
	}
	c := Codec{PT: pt, Name: parts[0], ClockRate: rate}
	if len(parts) > 2 {
		c.Channels, _ = strconv.Atoi(parts[2]) // not a number: as if not written
	}
	return c, true
}
