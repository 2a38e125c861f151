// Package sdp describes the media of a call as SDP (RFC 8866) and agrees on it
// by offer and answer (RFC 3264).
package sdp

import (
	"errors"
	"net/netip"
)

// ErrNoCodec says that the two sides have no audio codec in common.
var ErrNoCodec = errors.New("sdp: no audio codec in common")

// ErrNoKeys says that a media line has no SRTP keys that both sides can use,
// although one of them requires it to be protected.
var ErrNoKeys = errors.New("sdp: no SRTP keys in common")

// ErrMalformed says that a description cannot be understood; the error around
// it says where.
var ErrMalformed = errors.New("sdp: malformed session description")

// Direction is which way media flows, seen from the side that writes it
// (RFC 8866 section 6.7).
type Direction string

// The four directions.
const (
	SendRecv Direction = "sendrecv"
	SendOnly Direction = "sendonly"
	RecvOnly Direction = "recvonly"
	Inactive Direction = "inactive"
)

// Reverse returns the same flow seen from the other side.
func (d Direction) Reverse() Direction {
	switch d {
	case SendOnly:
		return RecvOnly
	case RecvOnly:
		return SendOnly
	}
	return d
}

// Sends reports whether the side that writes d sends media.
func (d Direction) Sends() bool { return d == SendRecv || d == SendOnly }

// Receives reports whether the side that writes d takes media.
func (d Direction) Receives() bool { return d == SendRecv || d == RecvOnly }

func direction(sends, receives bool) Direction {
	switch {
	case sends && receives:
		return SendRecv
	case sends:
		return SendOnly
	case receives:
		return RecvOnly
	}
	return Inactive
}

// Codec is one payload type of a media line.
type Codec struct {
	PT        int    // RTP payload type, 0 to 127
	Name      string // encoding name as the other side wrote it; compare without case
	ClockRate int    // hertz
	Channels  int    // 0 when not written
	Fmtp      string // format parameters, or ""
}

// Media is one m= line with what belongs to it.
type Media struct {
	Kind      string         // audio, text, video …
	Port      int            // 0 means rejected
	Proto     string         // RTP/AVP …
	Addr      netip.AddrPort // where the writer takes the media; its address is unspecified on hold by 0.0.0.0
	Direction Direction
	Codecs    []Codec
	Formats   []string       // the formats as written: kept for rejecting a line (RFC 3264 section 6)
	PTime     int            // milliseconds, 0 when not written
	Crypto    []Crypto       // the usable ones, in the writer's order of preference
	RTCPMux   bool           // RTCP may come on the port of RTP (RFC 5761)
	RTCP      netip.AddrPort // where RTCP goes (RFC 3605); not valid: the port above that of RTP
}

// Session is one session description.
type Session struct {
	ID      uint64 // o= session id
	Version uint64 // o= session version
	Addr    netip.Addr
	Media   []*Media // every m= line, in order
	Audio   *Media   // the first audio line that is not rejected, or nil
	Text    *Media   // the first text line that is not rejected, or nil
}

// Agreed is what an offer and an answer come to, seen from this side.
type Agreed struct {
	AudioRemote netip.AddrPort // where to send sound
	Codec       Codec          // the sound's codec
	Keys        *Secured       // of sound, nil when it is not protected
	RTCPMux     bool           // RTCP goes with the sound (RFC 5761)
	RTCPRemote  netip.AddrPort // else where to, when it is not the port above the sound's
	EventPT     int            // payload type of telephone-event (RFC 4733) to send, 0 for none
	EventInPT   int            // and the one that comes in
	TextRemote  netip.AddrPort // where to send text (RFC 4103); not valid when there is none
	TextPT      int            // payload type of t140, 0 for none
	RedPT       int            // payload type of red (RFC 2198) for text, 0 for none
	TextKeys    *Secured       // of text, nil when it is not protected
	Direction   Direction      // what this side does with sound
	Hold        bool           // the other side does not take our sound: it put us on hold
}
