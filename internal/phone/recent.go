package phone

import (
	"strings"
	"sync"
)

// lately is how many numbers are remembered at least.
const lately = 4096

// recent remembers what numbers say about themselves: to read one takes longer
// than a query of a database, and who dials one asks several times. It never
// changes, as the numbering plans are compiled in. The zero recent is empty.
type recent struct {
	mu         sync.Mutex
	young, old map[string]Number
}

func (r *recent) get(number string) (Number, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if n, known := r.young[number]; known {
		return n, true
	}
	n, known := r.old[number]
	return n, known
}

// put remembers a number, and forgets older ones from time to time.
func (r *recent) put(n Number) {
	n.E164 = strings.Clone(n.E164) // it may be part of something large
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.young == nil || len(r.young) >= lately {
		r.young, r.old = make(map[string]Number), r.young
	}
	r.young[n.E164] = n
}
