package rtp

import (
	"encoding/binary"
	"time"
)

// Types of RTCP packets (RFC 3550 §12.1).
const (
	senderReport   = 200
	receiverReport = 201
	description    = 202
	goodbye        = 203
)

const (
	reportHeaderSize = 8 // with the SSRC of who sends it
	senderInfoSize   = 20
	reportBlockSize  = 24
	maxControl       = 1 << 10 // of what is taken in
	ntpEpoch         = 2208988800
)

// isControl reports whether raw is RTCP rather than RTP: types 192 to 223 lie
// where RTP has marker and payload type (RFC 5761 §4).
func isControl(raw []byte) bool {
	return len(raw) >= reportHeaderSize && raw[0]>>6 == 2 && raw[1] >= 192 && raw[1] <= 223
}

func senderOf(raw []byte) uint32 { return binary.BigEndian.Uint32(raw[4:]) }

// reportBlock says how a stream is received (RFC 3550 §6.4.1).
type reportBlock struct {
	ssrc     uint32 // whose stream
	fraction uint8  // lost since the last report, of 256
	lost     int32  // in all, 24 bits
	highest  uint32 // extended sequence number
	jitter   uint32 // timestamp units
	lastSR   uint32 // middle 32 bits of the last sender report's time
	delay    uint32 // since then, in 1/65536 s
}

func (b reportBlock) put(dst []byte) {
	binary.BigEndian.PutUint32(dst, b.ssrc)
	lost := uint32(min(max(b.lost, -1<<23), 1<<23-1)) & 0xffffff
	binary.BigEndian.PutUint32(dst[4:], uint32(b.fraction)<<24|lost)
	binary.BigEndian.PutUint32(dst[8:], b.highest)
	binary.BigEndian.PutUint32(dst[12:], b.jitter)
	binary.BigEndian.PutUint32(dst[16:], b.lastSR)
	binary.BigEndian.PutUint32(dst[20:], b.delay)
}

func readBlock(raw []byte) reportBlock {
	return reportBlock{
		ssrc: binary.BigEndian.Uint32(raw), fraction: raw[4],
		lost:    int32(binary.BigEndian.Uint32(raw[4:])<<8) >> 8,
		highest: binary.BigEndian.Uint32(raw[8:]), jitter: binary.BigEndian.Uint32(raw[12:]),
		lastSR: binary.BigEndian.Uint32(raw[16:]), delay: binary.BigEndian.Uint32(raw[20:]),
	}
}

// compound is what one side tells in a compound packet.
type compound struct {
	ssrc      uint32
	sender    bool // it sends: the three fields below are known
	ntp       uint64
	timestamp uint32
	packets   uint32
	octets    uint32
	heard     bool // it receives: block is known
	block     reportBlock
	name      string // canonical name, at most 255 bytes
	bye       bool
}

// put writes the compound packet: SR or RR, SDES, and BYE (RFC 3550 §6.1).
func (r *compound) put(dst []byte) int {
	kind, n, blocks := byte(receiverReport), reportHeaderSize, byte(0)
	if r.sender {
		kind = senderReport
		binary.BigEndian.PutUint64(dst[n:], r.ntp)
		binary.BigEndian.PutUint32(dst[n+8:], r.timestamp)
		binary.BigEndian.PutUint32(dst[n+12:], r.packets)
		binary.BigEndian.PutUint32(dst[n+16:], r.octets)
		n += senderInfoSize
	}
	if r.heard {
		r.block.put(dst[n:])
		n += reportBlockSize
		blocks = 1
	}
	r.head(dst, kind, blocks, n)
	n += r.putName(dst[n:])
	if r.bye {
		r.head(dst[n:], goodbye, 1, reportHeaderSize)
		n += reportHeaderSize
	}
	return n
}

func (r *compound) head(dst []byte, kind, count byte, size int) {
	dst[0], dst[1] = 2<<6|count, kind
	binary.BigEndian.PutUint16(dst[2:], uint16(size/4-1))
	binary.BigEndian.PutUint32(dst[4:], r.ssrc)
}

// putName writes the SDES packet with the canonical name (RFC 3550 §6.5.1).
func (r *compound) putName(dst []byte) int {
	const cname = 1
	n := reportHeaderSize
	dst[n], dst[n+1] = cname, byte(len(r.name))
	n += 2 + copy(dst[n+2:], r.name)
	for end := (n/4 + 1) * 4; n < end; n++ { // one to four zeros end the list
		dst[n] = 0
	}
	r.head(dst, description, 1, n)
	return n
}

// heardControl is what is used of a compound packet that came in.
type heardControl struct {
	sender   uint32
	ntp      uint64 // of its last sender report; 0 for none
	block    reportBlock
	hasBlock bool // block is about our stream
}

// parseControl walks through a compound packet. Everything but reports is
// passed over: a BYE ends no call, for that is SIP's to say. It reports whether
// raw is well-formed (RFC 3550 A.2).
func parseControl(raw []byte, ours uint32) (heardControl, bool) {
	var c heardControl
	if len(raw) > maxControl || !isControl(raw) || raw[1] != senderReport && raw[1] != receiverReport {
		return c, false
	}
	c.sender = senderOf(raw)
	for len(raw) > 0 {
		if len(raw) < 4 || raw[0]>>6 != 2 {
			return c, false
		}
		size := 4 * (int(binary.BigEndian.Uint16(raw[2:])) + 1)
		if size > len(raw) {
			return c, false
		}
		if !c.take(raw[:size], ours) {
			return c, false
		}
		raw = raw[size:]
	}
	return c, true
}

func (c *heardControl) take(packet []byte, ours uint32) bool {
	count, at := int(packet[0]&31), reportHeaderSize
	switch packet[1] {
	case senderReport:
		if len(packet) < reportHeaderSize+senderInfoSize {
			return false
		}
		c.ntp = binary.BigEndian.Uint64(packet[at:])
		at += senderInfoSize
	case receiverReport:
	default:
		return true
	}
	if len(packet) < at+count*reportBlockSize {
		return false
	}
	for range count {
		if b := readBlock(packet[at:]); b.ssrc == ours {
			c.block, c.hasBlock = b, true
		}
		at += reportBlockSize
	}
	return true
}

// ntpTime is t as RTCP writes it: seconds since 1900 and 32 bits of fraction.
func ntpTime(t time.Time) uint64 {
	return uint64(t.Unix()+ntpEpoch)<<32 | uint64(t.Nanosecond())<<32/uint64(time.Second)
}

// middle is the part of an NTP time that reports echo, in 1/65536 s.
func middle(ntp uint64) uint32 { return uint32(ntp >> 16) }
