//go:build linux

package rig

import (
	"encoding/binary"
	"math"
	"net"
	"net/netip"
	"time"
)

const (
	frame      = 20 * time.Millisecond
	headerSize = 12
	maxPayload = 160
)

// Turns says how a caller talks: an utterance each Every, the first After the
// answer or up to Every later, so that lines do not talk at once; never while the
// agent does.
type Turns struct {
	After, Every time.Duration
}

// offset spreads the lines over the time between two utterances.
func (t Turns) offset(index int) time.Duration {
	const golden = 0.6180339887 // its multiples lie evenly, however many there are
	return time.Duration(math.Mod(float64(index)*golden, 1) * float64(t.Every))
}

// Line is one call as the caller's side sees it. The sound's goroutine owns what
// is below remote.
type Line struct {
	Index   int
	CallID  string    // of SIP
	Invited time.Time // when the INVITE came
	Picked  time.Time // when the 200 was sent

	remote *net.UDPAddr
	phase  int
	voice  *Voice
	turns  Turns

	packet   [headerSize + maxPayload]byte
	seq      uint16
	sent     int // frames
	utter    int // frames of the utterance under way that were sent
	talking  bool
	nextTurn int // frame
	quietAt  time.Time
	waiting  bool // for the answer to an utterance

	started  bool
	lastSeq  uint16
	lastAt   time.Time
	firstAt  time.Time
	greetAt  time.Time
	loudAt   time.Time
	Received int
	Lost     int
}

// NewLine makes the caller's side of a call whose sound goes to remote.
func NewLine(index int, remote netip.AddrPort, v *Voice, t Turns) *Line {
	l := &Line{Index: index, remote: net.UDPAddrFromAddrPort(remote), voice: v, turns: t, nextTurn: int((t.After + t.offset(index)) / frame)}
	l.packet[0] = 2 << 6 // RTP version 2 (RFC 3550 §5.1)
	l.packet[1] = v.Codec.PayloadType
	binary.BigEndian.PutUint32(l.packet[8:], uint32(index)+1)
	return l
}

// next makes the packet of the next 20 ms.
func (l *Line) next(now time.Time) []byte {
	payload := l.sound(now)
	binary.BigEndian.PutUint16(l.packet[2:], l.seq)
	binary.BigEndian.PutUint32(l.packet[4:], uint32(l.sent)*rtpStep)
	n := copy(l.packet[headerSize:], payload)
	l.seq++
	l.sent++
	return l.packet[:headerSize+n]
}

// rtpStep is how far the timestamp goes each frame: 8 kHz, for G.722 too
// (RFC 3551 §4.5.2).
const rtpStep = 160

// agentPause is how long the agent must have been quiet before a caller speaks.
const agentPause = 400 * time.Millisecond

func (l *Line) sound(now time.Time) []byte {
	if !l.talking && l.turns.Every > 0 && l.sent >= l.nextTurn && now.Sub(l.loudAt) > agentPause {
		l.talking, l.utter = true, 0
		l.nextTurn = l.sent + int(l.turns.Every/frame)
	}
	if !l.talking {
		return l.voice.Room[l.sent%len(l.voice.Room)]
	}
	payload := l.voice.Speech[l.utter]
	if l.utter++; l.utter == len(l.voice.Speech) {
		l.talking, l.waiting, l.quietAt = false, true, now
	}
	return payload
}

// heard takes a packet of the agent that arrived at the given time.
func (l *Line) heard(packet []byte, at time.Time, o *observations) {
	seq := binary.BigEndian.Uint16(packet[2:])
	l.Received++
	if !l.started {
		l.started, l.firstAt = true, at
	} else {
		switch step := seq - l.lastSeq; {
		case step == 1:
			o.gap(at.Sub(l.lastAt))
		case step > 1 && step < 1<<15:
			l.Lost += int(step) - 1
			o.lost += int(step) - 1
		}
	}
	l.lastSeq, l.lastAt = seq, at
	if !l.voice.Loud(packet[headerSize:]) {
		return
	}
	if l.greetAt.IsZero() {
		l.greetAt = at
		o.greeting.Add(at.Sub(l.Picked))
	}
	l.loudAt = at
	if l.waiting && !l.talking {
		l.waiting = false
		o.response.Add(at.Sub(l.quietAt))
		if o.answered != nil {
			o.answered(l, at)
		}
	}
}
