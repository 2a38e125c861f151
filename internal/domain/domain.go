// Package domain holds the nouns of Callwright and the rules that belong to
// them: workspaces, agents, flows, calls, attempts, turns, events and what the
// rest of the house must offer to keep and move them. It does no I/O.
package domain

import (
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"sync"
	"time"
)

// ID names one object: 24 lowercase hexadecimal digits that sort by time of
// creation (48 bits of Unix milliseconds, then 48 bits that are random for the
// first id of a millisecond and counted up from there).
type ID string

var ids struct {
	sync.Mutex
	ms   uint64
	tail uint64
}

const idTailMask = 1<<48 - 1

// NewID returns a fresh id. Ids made by one process are strictly increasing,
// also when the clock steps back.
func NewID() ID {
	ids.Lock()
	defer ids.Unlock()
	now := uint64(time.Now().UnixMilli()) & idTailMask
	if now > ids.ms {
		var seed [8]byte
		_, _ = rand.Read(seed[:]) // crypto/rand.Read never fails (Go 1.24)
		ids.ms = now
		// The top bit stays clear so that counting up cannot run over.
		ids.tail = binary.BigEndian.Uint64(seed[:]) & (idTailMask >> 1)
	} else {
		ids.tail = (ids.tail + 1) & idTailMask
		if ids.tail == 0 {
			ids.ms++
		}
	}
	var raw [12]byte
	putUint48(raw[:6], ids.ms)
	putUint48(raw[6:], ids.tail)
	return ID(hex.EncodeToString(raw[:]))
}

// Valid reports whether id has the shape of an id: 24 lowercase hex digits.
func (id ID) Valid() bool {
	if len(id) != 24 {
		return false
	}
	for _, c := range []byte(id) {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}

func putUint48(dst []byte, v uint64) {
	for i := 5; i >= 0; i-- {
		dst[i] = byte(v)
		v >>= 8
	}
}

// Mode separates real telephony from the sandbox. Every query is bound to one.
type Mode string

// The two modes.
const (
	Live Mode = "live"
	Test Mode = "test"
)

// Scope is what a caller may see: one workspace in one mode. Every query of a
// workspace's objects takes it; an object outside it does not exist.
type Scope struct {
	Workspace ID
	Mode      Mode
}

// Page bounds a list: at most Limit rows after Offset, or after the object
// named by After (a keyset cursor, which wins over Offset). Lists are newest
// first.
type Page struct {
	Limit  int
	Offset int
	After  ID
}
