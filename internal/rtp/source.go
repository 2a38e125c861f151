package rtp

import (
	"time"

	pionrtp "github.com/pion/rtp"
)

const (
	// maxDropout is how far a sequence number may jump ahead, and maxMisorder how
	// far it may lie behind, within one stream (RFC 3550 A.1).
	maxDropout  = 3000
	maxMisorder = 100
	// silentFor is how long a stream has to be silent before another may take its
	// place. An intruder who forges the peer's address cannot speak in between.
	silentFor = 100 * time.Millisecond
)

// source is the one stream that is taken from the address that is believed: an
// SSRC with its sequence numbers. Another one, or a jump, is taken when the
// stream has fallen silent and two packets of the new one came in sequence
// (RFC 3550 A.1).
type source struct {
	started bool
	ssrc    uint32
	highest uint16
	at      time.Time // of the last packet

	candidate     uint32
	candidateNext uint16
	probing       bool
}

// accept says whether a packet belongs to the stream.
func (s *source) accept(h *pionrtp.Header, at time.Time) bool {
	delta := int(int16(h.SequenceNumber - s.highest))
	if s.started && h.SSRC == s.ssrc && delta < maxDropout && delta > -maxMisorder {
		if delta > 0 {
			s.highest = h.SequenceNumber
		}
		s.at, s.probing = at, false
		return true
	}
	if s.started {
		proven := s.probing && h.SSRC == s.candidate && h.SequenceNumber == s.candidateNext
		s.probing, s.candidate, s.candidateNext = true, h.SSRC, h.SequenceNumber+1
		if !proven || at.Sub(s.at) < silentFor {
			return false
		}
	}
	*s = source{started: true, ssrc: h.SSRC, highest: h.SequenceNumber, at: at}
	return true
}
