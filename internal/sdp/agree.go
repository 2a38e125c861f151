package sdp

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// Options say what this side offers, or accepts of an offer.
type Options struct {
	Addr      netip.Addr
	AudioPort int
	Codecs    []string  // in order of preference, of PCMU, PCMA, G722, opus
	Events    bool      // telephone-event (RFC 4733)
	TextPort  int       // real-time text (RFC 4103); 0 for none
	Direction Direction // of the sound; "" is SendRecv
	// Crypto and TextCrypto are this side's keys (NewCrypto), nil for none. An
	// offer with keys is RTP/SAVP. An offer of RTP/AVP is answered without SRTP all
	// the same, unless RequireSRTP or unless it has keys too (RFC 8643).
	Crypto, TextCrypto []Crypto
	RequireSRTP        bool
	// ID and Version go into the o= line. A description sent later in the same
	// call keeps the ID and counts Version up (RFC 3264 section 8). 0 makes new ones.
	ID, Version uint64
}

// Payload types that offers use for what has no static one.
const (
	opusPT  = 96
	t140PT  = 98
	redPT   = 100
	eventPT = 101
)

// frameMillis is the packet time of everything that is offered here.
const frameMillis = 20

var known = map[string]Codec{
	"PCMU": static[0],
	"PCMA": static[8],
	"G722": static[9], // its RTP clock is 8000 although it samples at 16000 (RFC 3551 section 4.5.2)
	"OPUS": {PT: opusPT, Name: "opus", ClockRate: 48000, Channels: 2},
}

func (o Options) session() *Session {
	id, version := o.ID, o.Version
	if id == 0 {
		id = rand.Uint64N(1 << 62)
	}
	if version == 0 {
		version = 1
	}
	return &Session{ID: id, Version: version, Addr: o.Addr}
}

func (o Options) direction() Direction {
	if o.Direction == "" {
		return SendRecv
	}
	return o.Direction
}

// Answer answers an offer: the same m= lines in the same order, those that are
// not taken with port 0 (RFC 3264 section 6). The codec is the first of the
// offer's that o has too; ErrNoCodec when there is none, ErrNoKeys when only SRTP
// is in the way.
func Answer(offer *Session, o Options) (*Session, Agreed, error) {
	s, agreed := o.session(), Agreed{}
	var heard, read, keyless bool
	for _, m := range offer.Media {
		var reply *Media
		switch {
		case m.Port == 0 || !isRTP(m.Proto):
		case !o.protects(m):
			keyless = keyless || m.Kind == "audio"
		case m.Kind == "audio" && !heard:
			reply = o.answerAudio(m, &agreed)
			heard = reply != nil
		case m.Kind == "text" && !read && o.TextPort > 0:
			reply = o.answerText(m, &agreed)
			read = reply != nil
		}
		if reply == nil {
			reply = &Media{Kind: m.Kind, Proto: m.Proto, Formats: slices.Clone(m.Formats)}
		}
		s.Media = append(s.Media, reply)
	}
	if !heard && keyless {
		return nil, Agreed{}, fmt.Errorf("%w: offered %s", ErrNoKeys, describe(offer))
	}
	if !heard {
		return nil, Agreed{}, fmt.Errorf("%w: offered %s, have %s", ErrNoCodec, describe(offer), strings.Join(o.Codecs, " "))
	}
	s.pick()
	return s, agreed, nil
}

// protects reports whether a line can be answered as far as SRTP goes.
func (o Options) protects(m *Media) bool {
	_, keys := agreeOn(m.Crypto, o.keys(m))
	return keys != nil || !secured(m.Proto) && !o.RequireSRTP
}

func (o Options) keys(m *Media) []Crypto {
	if m.Kind == "text" {
		return o.TextCrypto
	}
	return o.Crypto
}

func (o Options) answerAudio(m *Media, agreed *Agreed) *Media {
	codec, ok := choose(m.Codecs, o.Codecs)
	if !ok {
		return nil
	}
	reply := &Media{
		Kind: "audio", Port: o.AudioPort, Proto: m.Proto, PTime: frameMillis, Codecs: []Codec{codec},
		Addr: netip.AddrPortFrom(o.Addr, uint16(o.AudioPort)),
	}
	agreed.AudioRemote, agreed.Codec = m.Addr, codec
	agreed.RTCPMux, agreed.RTCPRemote, reply.RTCPMux = m.RTCPMux, m.RTCP, m.RTCPMux
	if key, keys := agreeOn(m.Crypto, o.Crypto); keys != nil {
		reply.Crypto, agreed.Keys = []Crypto{key}, keys
	}
	if ev, ok := find(m.Codecs, "telephone-event", 8000); ok && o.Events {
		ev.Fmtp = "0-16"
		reply.Codecs = append(reply.Codecs, ev)
		agreed.EventPT, agreed.EventInPT = ev.PT, ev.PT
	}
	theirs := m.direction()
	reply.Direction = meet(o.direction(), theirs)
	agreed.Direction, agreed.Hold = reply.Direction, !theirs.Receives()
	return reply.list()
}

func (o Options) answerText(m *Media, agreed *Agreed) *Media {
	t140, red, ok := textTypes(m)
	if !ok {
		return nil
	}
	agreed.TextRemote, agreed.TextPT, agreed.RedPT = m.Addr, t140, red
	reply := o.text(red, t140, m.Proto, meet(o.direction(), m.direction()))
	if key, keys := agreeOn(m.Crypto, o.TextCrypto); keys != nil {
		reply.Crypto, agreed.TextKeys = []Crypto{key}, keys
	}
	return reply
}

// Accept reads the answer to an offer of ours. ErrNoKeys when we offered SRTP and
// the answer has no key for it.
func Accept(offer, answer *Session) (Agreed, error) {
	var agreed Agreed
	ours, theirs := offer.Audio, answer.Audio
	if ours == nil || theirs == nil {
		return Agreed{}, fmt.Errorf("%w: the answer rejects the audio line", ErrNoCodec)
	}
	names := make([]string, 0, len(ours.Codecs))
	for _, c := range ours.Codecs {
		names = append(names, c.Name)
	}
	codec, ok := choose(theirs.Codecs, names)
	if !ok {
		return Agreed{}, fmt.Errorf("%w: answered %s, offered %s", ErrNoCodec, describe(answer), strings.Join(names, " "))
	}
	agreed.Codec, agreed.AudioRemote = codec, theirs.Addr
	agreed.RTCPMux, agreed.RTCPRemote = ours.RTCPMux && theirs.RTCPMux, theirs.RTCP
	if agreed.Keys = answered(ours.Crypto, theirs.Crypto); agreed.Keys == nil && secured(ours.Proto) {
		return Agreed{}, fmt.Errorf("%w: answered %s", ErrNoKeys, describe(answer))
	}
	if offered, ok := find(ours.Codecs, "telephone-event", 8000); ok {
		if ev, ok := find(theirs.Codecs, "telephone-event", 8000); ok {
			agreed.EventPT, agreed.EventInPT = ev.PT, offered.PT
		}
	}
	way := theirs.direction()
	agreed.Direction, agreed.Hold = meet(ours.Direction, way), !way.Receives()
	if offer.Text != nil && answer.Text != nil {
		agreed.TextKeys = answered(offer.Text.Crypto, answer.Text.Crypto)
		if secured(offer.Text.Proto) && agreed.TextKeys == nil {
			return agreed, nil // the call goes on without text rather than with text in the clear
		}
		if t140, red, ok := textTypes(answer.Text); ok {
			agreed.TextRemote, agreed.TextPT, agreed.RedPT = answer.Text.Addr, t140, red
		}
	}
	return agreed, nil
}

// direction is the written direction, less receiving when the address says
// that nothing is to be sent there: hold as RFC 2543 did it (RFC 3264
// section 8.4).
func (m *Media) direction() Direction {
	if m.Addr.Addr().IsUnspecified() {
		return direction(m.Direction.Sends(), false)
	}
	return m.Direction
}

// meet narrows what one side wants by what the other side does.
func meet(want, theirs Direction) Direction {
	return direction(want.Sends() && theirs.Receives(), want.Receives() && theirs.Sends())
}

// choose returns the first of the offered codecs that is among names.
func choose(offered []Codec, names []string) (Codec, bool) {
	for _, c := range offered {
		k, ok := known[strings.ToUpper(c.Name)]
		if !ok || k.ClockRate != c.ClockRate {
			continue
		}
		if slices.ContainsFunc(names, func(n string) bool { return strings.EqualFold(n, c.Name) }) {
			return c, true
		}
	}
	return Codec{}, false
}

func find(codecs []Codec, name string, rate int) (Codec, bool) {
	for _, c := range codecs {
		if strings.EqualFold(c.Name, name) && c.ClockRate == rate {
			return c, true
		}
	}
	return Codec{}, false
}

// textTypes returns the payload types of a text line. Redundancy counts only
// when it is of that line's t140 (RFC 4103 section 8.1).
func textTypes(m *Media) (t140, red int, ok bool) {
	plain, ok := find(m.Codecs, "t140", 1000)
	if !ok {
		return 0, 0, false
	}
	if r, has := find(m.Codecs, "red", 1000); has {
		primary, _, _ := strings.Cut(r.Fmtp, "/")
		if strings.TrimSpace(primary) == strconv.Itoa(plain.PT) {
			red = r.PT
		}
	}
	return plain.PT, red, true
}

func isRTP(proto string) bool {
	return secured(proto) || strings.EqualFold(proto, "RTP/AVP") || strings.EqualFold(proto, "RTP/AVPF")
}

func describe(s *Session) string {
	var words []string
	for _, m := range s.Media {
		if m.Kind != "audio" {
			continue
		}
		words = append(words, m.Proto)
		for _, c := range m.Codecs {
			words = append(words, fmt.Sprintf("%s/%d", c.Name, c.ClockRate))
		}
	}
	if len(words) == 0 {
		return "no audio"
	}
	return strings.Join(words, " ")
}
