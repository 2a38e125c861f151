package native

import (
	"crypto/sha256"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/callwright/callwright/internal/api/wire"
	"github.com/callwright/callwright/internal/domain"
)

// How calls that lists showed are remembered.
const (
	shownAge     = 30 * time.Second // a generation lasts so long
	shownBytes   = 1 << 20          // or until it holds so much
	shownLargest = 4 << 10          // what is larger is not remembered
)

// shownCalls remembers the JSON of calls in lists, two generations of it. A call
// is shown as it was while its version is the same, for each change of a call
// makes another version. Nothing is remembered for longer than three times
// shownAge even so: a database that fails over to a copy may lose a version and
// give its number once more.
type shownCalls struct {
	mu         sync.Mutex
	young, old map[shownKey]*shownCall
	bytes      int // of young
	began      time.Time
}

// shownKey is what the JSON of a call in a list depends on beside its version.
type shownKey struct {
	call domain.ID
	base string // of links to recordings
	end  int64  // of these links
}

// shownCall is never changed.
type shownCall struct {
	version int64
	body    wire.Rendered[CallItem]
	sum     [sha256.Size]byte
}

// turn begins a new generation when it is time, or when the young one would hold
// too much with so many bytes more.
func (s *shownCalls) turn(more int) {
	age := time.Since(s.began)
	if age <= shownAge && s.bytes+more <= shownBytes {
		return
	}
	if age > 2*shownAge {
		s.young = nil
	}
	s.old, s.young, s.bytes, s.began = s.young, make(map[shownKey]*shownCall), 0, time.Now()
}

func (s *shownCalls) get(key shownKey) *shownCall {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.turn(0)
	if c := s.young[key]; c != nil {
		return c
	}
	return s.old[key]
}

func (s *shownCalls) add(key shownKey, c *shownCall) {
	size := len(c.body.JSON) + len(key.base)
	if size > shownLargest {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.turn(size)
	s.bytes += size
	s.young[key] = c
}

// look is what one list finds in shownCalls.
type look struct {
	shown *shownCalls
	key   shownKey // but for the call
	rows  []seenCall
	tag   []byte // what the list's tag is made of
}

// seenCall is a call of the list, with what was found of it, or nil.
type seenCall struct {
	id      domain.ID
	version int64
	found   *shownCall
}

// has looks for a version of a call, and keeps it.
func (l *look) has(id domain.ID, version int64) bool {
	l.key.call = id
	c := l.shown.get(l.key)
	if c != nil && c.version != version {
		c = nil
	}
	l.rows = append(l.rows, seenCall{id, version, c})
	return c != nil
}

// items returns the JSON of each of the n calls of the list: what was found of
// it, else what render makes of it.
func (l *look) items(n int, read []domain.Call, render func(*domain.Call) CallItem) ([]wire.Rendered[CallItem], error) {
	rows := l.rows[max(len(l.rows)-n, 0):] // when the list was read twice, the last time counts
	items := make([]wire.Rendered[CallItem], len(rows))
	l.tag = make([]byte, 0, (n+2)*sha256.Size)
	for i, r := range rows {
		if r.found == nil {
			at := slices.IndexFunc(read, func(c domain.Call) bool { return c.ID == r.id }) // in the order of the rows
			if at < 0 {
				return nil, domain.Errorf(domain.CodeInternal, "the list has no call %s, which nothing was found of", r.id)
			}
			body, err := wire.Render(render(&read[at]))
			if err != nil {
				return nil, err
			}
			r.found = &shownCall{version: r.version, body: body, sum: sha256.Sum256(body.JSON)}
			l.key.call = r.id
			l.shown.add(l.key, r.found)
			read = read[at+1:]
		}
		items[i] = r.found.body
		l.tag = append(l.tag, r.found.sum[:]...)
	}
	return items, nil
}

// etag names the version of a list of the items: another one for other bytes.
func (l *look) etag(total int, page domain.Page) string {
	for _, n := range []int{total, page.Limit, page.Offset} {
		l.tag = append(strconv.AppendInt(l.tag, int64(n), 10), ',')
	}
	return wire.TagOf(l.tag)
}
