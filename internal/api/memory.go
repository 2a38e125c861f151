package api

import (
	"context"
	"maps"
	"net/http"
	"slices"
	"sync"

	"github.com/callwright/callwright/internal/api/wire"
	"github.com/callwright/callwright/internal/domain"
)

// Bounds of what is remembered, in bytes.
const (
	memoryMost  = 6 << 20
	memoryEntry = 1 << 10 // what an answer takes beside its texts, or a little more
)

// memory remembers good answers of routes that are Stored, until something is
// committed to the database: in the next generation none is true for certain.
type memory struct {
	mu         sync.Mutex
	generation uint64 // of all that is there
	answers    map[question]*remembered
	bytes      int
}

// question is all that the answer of a Stored route depends on, beside what is
// stored.
type question struct {
	face   *face
	scope  domain.Scope
	target string // as the client wrote it
	base   string // of links
	end    int64  // of links to recordings
}

// remembered is an answer.
type remembered struct {
	header http.Header // what the route said in it
	body   []byte
	zipped []byte // the body, once it was asked for so; of memory.mu
	texts  int    // bytes of all else that the client or the route wrote
}

// newRemembered is an answer to q. What the header has in common with given is
// left out.
func newRemembered(q question, header, given http.Header, body []byte) *remembered {
	r := &remembered{header: make(http.Header), body: slices.Clone(body), texts: len(q.target) + len(q.base)}
	for name, values := range header {
		if _, common := given[name]; common {
			continue
		}
		r.header[name] = slices.Clip(slices.Clone(values))
		for _, value := range values {
			r.texts += len(value)
		}
	}
	return r
}

func (r *remembered) size() int { return len(r.body) + len(r.zipped) + r.texts + memoryEntry }

// find returns what was answered to q in a generation, or nil.
func (m *memory) find(generation uint64, q question) *remembered {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.generation != generation {
		return nil
	}
	return m.answers[q]
}

// keep remembers what was answered to q by a generation, or later.
func (m *memory) keep(generation uint64, q question, one *remembered) {
	if one.size() > largeAnswer {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.generation != generation {
		m.generation, m.answers, m.bytes = generation, nil, 0
	}
	if m.answers == nil {
		m.answers = make(map[question]*remembered)
	}
	if m.answers[q] == nil {
		m.grow(one.size())
		m.answers[q] = one
	}
}

// grow counts more bytes and makes room for them; which answer goes is chance.
func (m *memory) grow(n int) {
	m.bytes += n
	for q, one := range m.answers {
		if m.bytes <= memoryMost {
			return
		}
		m.bytes -= one.size()
		delete(m.answers, q)
	}
}

// zip returns the compressed body of what was answered to q.
func (m *memory) zip(q question, one *remembered) []byte {
	m.mu.Lock()
	zipped := one.zipped
	m.mu.Unlock()
	if zipped != nil {
		return zipped
	}
	zipped = compress(one.body)
	m.mu.Lock()
	defer m.mu.Unlock()
	if one.zipped == nil && m.answers[q] == one {
		one.zipped = zipped
		m.grow(len(zipped))
	}
	return zipped
}

// recollection is what the memory has to do with one answer.
type recollection struct {
	memory     *memory
	question   question
	generation uint64
	given      http.Header // what the answer says whatever the route says
	one        *remembered // once there is one
}

// recall has a route answer, or the memory in its place.
func (s *server) recall(ctx context.Context, w *answer, a address, route wire.Route) {
	read := a.Method == http.MethodGet || a.Method == http.MethodHead
	if !read || !route.Stored || s.Generation == nil || wire.Allowed(ctx, route.Scope) != nil {
		a.face.Router.ServeHTTP(w, a.asked(ctx))
		return
	}
	// It is read first: what is committed from here on has another one.
	generation, known := s.Generation(ctx)
	if known {
		req := wire.RequestOf(ctx)
		w.recall = &recollection{memory: &s.memory, generation: generation, question: question{
			face: a.face, scope: req.Caller.Scope, target: a.RequestURI, base: req.PublicURL, end: s.Service.LinksEnd(),
		}}
		if w.recall.found(w) {
			return
		}
		w.recall.given = maps.Clone(w.Header())
	}
	a.face.Router.ServeHTTP(w, a.asked(ctx))
}

// found answers with what is remembered, if anything is.
func (r *recollection) found(w *answer) bool {
	if r.one = r.memory.find(r.generation, r.question); r.one == nil {
		return false
	}
	maps.Copy(w.Header(), r.one.header)
	w.status, w.holding = http.StatusOK, true
	return true
}

// learn remembers a good answer, unless it is one that was remembered.
func (r *recollection) learn(header http.Header, body []byte) {
	if r == nil || r.one != nil {
		return
	}
	r.one = newRemembered(r.question, header, r.given, body)
	r.memory.keep(r.generation, r.question, r.one)
}

// compressed is an answer's body.
func (r *recollection) compressed(body []byte) []byte {
	if r == nil || r.one == nil {
		return compress(body)
	}
	return r.memory.zip(r.question, r.one)
}
