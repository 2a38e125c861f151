package rtp

import (
	"encoding/binary"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/callwright/callwright/internal/audio"
)

// eventKeys are the telephone keys by event code (RFC 4733 §3.2).
const eventKeys = "0123456789*#ABCD"

const (
	eventSize   = 4  // bytes of payload
	eventVolume = 10 // −10 dBm0
	eventEnds   = 3  // packets that say an event is over (RFC 4733 §2.5.1.4)

	toneTicks  = int(100 * time.Millisecond / audio.FrameDuration)
	gapTicks   = int(60 * time.Millisecond / audio.FrameDuration) // the last end packets fall in it
	pauseTicks = int(500 * time.Millisecond / audio.FrameDuration)
	maxDigits  = 256 // queued at once
)

// event is the payload of RFC 4733 §2.3.
type event struct {
	code     uint8
	end      bool
	duration uint16 // timestamp units
}

func parseEvent(payload []byte) (event, bool) {
	if len(payload) < eventSize {
		return event{}, false
	}
	e := event{code: payload[0], end: payload[1]&0x80 != 0, duration: binary.BigEndian.Uint16(payload[2:])}
	return e, int(e.code) < len(eventKeys)
}

func (e event) put(dst []byte) int {
	dst[0], dst[1] = e.code, eventVolume
	if e.end {
		dst[1] |= 0x80
	}
	binary.BigEndian.PutUint16(dst[2:], e.duration)
	return eventSize
}

// checkDigits says what in digits is no key and no pause.
func checkDigits(digits string) error {
	for _, d := range digits {
		if !isPause(d) && !strings.ContainsRune(eventKeys, d) {
			return fmt.Errorf("rtp: %q cannot be sent as a key; keys are 0-9 * # A-D, and w or , for half a second", d)
		}
	}
	return nil
}

func isPause(d rune) bool { return d == 'w' || d == ',' }

// EventSender turns digits into telephone events (RFC 4733): each lasts 100 ms,
// a packet every 20 ms, the last of them three times, then 60 ms of rest.
type EventSender struct {
	mu    sync.Mutex
	queue []byte // keys and pauses
	tick  int    // of the first of queue
	start uint32 // timestamp at which its event began
}

// Send queues digits: 0-9 * # A-D, and w or , for a pause of half a second.
// Anything else is an error, and then nothing is sent.
func (s *EventSender) Send(digits string) error {
	if err := checkDigits(digits); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.queue)+len(digits) > maxDigits {
		return fmt.Errorf("rtp: more than %d digits are waiting to be sent", maxDigits)
	}
	s.queue = append(s.queue, digits...)
	return nil
}

// Busy reports whether digits are still being sent.
func (s *EventSender) Busy() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.queue) > 0
}

// eventTick is what to send in one tick.
type eventTick struct {
	busy   bool // digits are being sent: no other sound
	event  bool // send payload; else silence
	marker bool
	start  uint32 // the packet's timestamp
	size   int
}

// next puts the payload for the tick at a timestamp into dst.
func (s *EventSender) next(timestamp uint32, dst []byte) eventTick {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.queue) == 0 {
		return eventTick{}
	}
	key, tick := s.queue[0], s.tick
	s.tick++
	last := toneTicks + gapTicks
	if isPause(rune(key)) {
		last = pauseTicks
	}
	if s.tick == last {
		s.tick = 0
		s.queue = append(s.queue[:0], s.queue[1:]...)
	}
	if isPause(rune(key)) || tick >= toneTicks-1+eventEnds {
		return eventTick{busy: true}
	}
	if tick == 0 {
		s.start = timestamp
	}
	e := event{
		code:     uint8(strings.IndexByte(eventKeys, key)),
		end:      tick >= toneTicks-1,
		duration: uint16(min(tick+1, toneTicks) * frameSamples),
	}
	return eventTick{busy: true, event: true, marker: tick == 0, start: s.start, size: e.put(dst)}
}

// EventReceiver finds the digits in telephone events. Each event is reported
// once, when its first packet comes, however many of its packets are lost.
type EventReceiver struct {
	seen      bool
	ssrc      uint32
	timestamp uint32
	last      event
}

// Push takes an event packet and returns the key if it is a new one.
func (r *EventReceiver) Push(ssrc, timestamp uint32, payload []byte) (rune, bool) {
	e, ok := parseEvent(payload)
	if !ok {
		return 0, false
	}
	if r.seen && ssrc == r.ssrc {
		age := int32(timestamp - r.timestamp)
		if age < 0 { // an old packet that was overtaken
			return 0, false
		}
		if age == 0 {
			r.last.end = r.last.end || e.end
			r.last.duration = max(r.last.duration, e.duration)
			return 0, false
		}
		// An event too long for its duration field goes on in segments, each
		// where the one before ended (RFC 4733 §2.5.1.3).
		if e.code == r.last.code && !r.last.end && r.last.duration == 0xffff && age == 0xffff {
			r.timestamp, r.last = timestamp, e
			return 0, false
		}
	}
	r.seen, r.ssrc, r.timestamp, r.last = true, ssrc, timestamp, e
	return rune(eventKeys[e.code]), true
}

// tones returns the sound of digits at rate hertz, for peers that take no
// telephone events.
func tones(digits string, rate int) ([]int16, error) {
	var pcm []int16
	for _, d := range digits {
		if isPause(d) {
			pcm = append(pcm, audio.Silence(rate, time.Duration(pauseTicks)*audio.FrameDuration)...)
			continue
		}
		tone, err := audio.DTMF(rate, d, time.Duration(toneTicks)*audio.FrameDuration)
		if err != nil {
			return nil, err
		}
		pcm = append(append(pcm, tone...), audio.Silence(rate, time.Duration(gapTicks)*audio.FrameDuration)...)
	}
	return pcm, nil
}
