package rtp

import (
	"encoding/binary"
	"errors"
)

// errRedundant says that a payload is not of RFC 2198.
var errRedundant = errors.New("rtp: malformed redundant payload")

const (
	maxGenerations = 7 // redundant blocks that are looked at
	redHeaderSize  = 4
	maxRedOffset   = 1<<14 - 1
	maxRedLength   = 1<<10 - 1
)

// redundant is a payload of RFC 2198, split: older data again, then new.
type redundant struct {
	older   [maxGenerations][]byte // oldest first
	n       int                    // of older
	primary []byte
}

// parseRedundant splits a payload whose blocks must all be of type pt. What it
// returns points into payload.
func parseRedundant(payload []byte, pt uint8) (redundant, error) {
	var r redundant
	var lengths [maxGenerations]int
	at := 0
	for {
		if at >= len(payload) {
			return r, errRedundant
		}
		head := payload[at]
		if head&0x7f != pt {
			return r, errRedundant
		}
		if head&0x80 == 0 { // the primary block, whose header is one byte
			at++
			break
		}
		if r.n == maxGenerations || at+redHeaderSize > len(payload) {
			return r, errRedundant
		}
		lengths[r.n] = int(binary.BigEndian.Uint32(payload[at:]) & maxRedLength)
		r.n++
		at += redHeaderSize
	}
	for i := range r.n {
		if at+lengths[i] > len(payload) {
			return r, errRedundant
		}
		r.older[i] = payload[at : at+lengths[i]]
		at += lengths[i]
	}
	r.primary = payload[at:]
	return r, nil
}

// putRedHeader writes the header of one redundant block (RFC 2198 §3): offset
// in timestamp units before the packet's timestamp, length in bytes.
func putRedHeader(dst []byte, pt uint8, offset uint32, length int) int {
	binary.BigEndian.PutUint32(dst, 1<<31|uint32(pt)<<24|min(offset, maxRedOffset)<<10|uint32(length)&maxRedLength)
	return redHeaderSize
}
