package sdp

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// NewOffer describes what o is ready for. A codec name that is not known is an
// error.
func NewOffer(o Options) (*Session, error) {
	if o.RequireSRTP && (len(o.Crypto) == 0 || o.TextPort > 0 && len(o.TextCrypto) == 0) {
		return nil, fmt.Errorf("%w: there are none to offer", ErrNoKeys)
	}
	audio := &Media{
		Kind: "audio", Port: o.AudioPort, Proto: protocol(o.Crypto), Direction: o.direction(), PTime: frameMillis,
		Crypto: o.Crypto, RTCPMux: true,
		Addr: netip.AddrPortFrom(o.Addr, uint16(o.AudioPort)),
	}
	for _, name := range o.Codecs {
		c, ok := known[strings.ToUpper(name)]
		if !ok {
			return nil, fmt.Errorf("sdp: codec %q is not known; use PCMU, PCMA, G722 or opus", name)
		}
		audio.Codecs = append(audio.Codecs, c)
	}
	if len(audio.Codecs) == 0 {
		return nil, fmt.Errorf("%w: none was given to offer", ErrNoCodec)
	}
	if o.Events {
		audio.Codecs = append(audio.Codecs, Codec{PT: eventPT, Name: "telephone-event", ClockRate: 8000, Fmtp: "0-16"})
	}
	s := o.session()
	s.Media = append(s.Media, audio.list())
	if o.TextPort > 0 {
		text := o.text(redPT, t140PT, protocol(o.TextCrypto), o.direction())
		text.Crypto = o.TextCrypto
		s.Media = append(s.Media, text)
	}
	s.pick()
	return s, nil
}

func protocol(keys []Crypto) string {
	if len(keys) > 0 {
		return "RTP/SAVP"
	}
	return "RTP/AVP"
}

// text describes the text line; red 0 leaves redundancy out. It follows the
// sound's direction, so that hold holds both.
func (o Options) text(red, t140 int, proto string, way Direction) *Media {
	m := &Media{
		Kind: "text", Port: o.TextPort, Proto: proto, Direction: way,
		Addr: netip.AddrPortFrom(o.Addr, uint16(o.TextPort)),
	}
	plain := Codec{PT: t140, Name: "t140", ClockRate: 1000, Fmtp: "cps=30"}
	if red == 0 {
		m.Codecs = []Codec{plain}
		return m.list()
	}
	// The redundant form first: it is preferred (RFC 4103 section 10). The
	// generations are the primary and two older ones.
	m.Codecs = []Codec{{PT: red, Name: "red", ClockRate: 1000, Fmtp: fmt.Sprintf("%d/%d/%d", t140, t140, t140)}, plain}
	return m.list()
}

// list fills the formats of the m= line from the codecs.
func (m *Media) list() *Media {
	m.Formats = m.Formats[:0]
	for _, c := range m.Codecs {
		m.Formats = append(m.Formats, strconv.Itoa(c.PT))
	}
	return m
}
