package providertest

import (
	"io"
	"net/http"
	"sync"
	"time"
)

// Replay is a server that sends recorded bytes, honestly or not. Once Body is
// sent, the answer ends, unless one of the flags says otherwise.
type Replay struct {
	Status int    // 0 is 200
	Type   string // content type; "" is text/event-stream
	Header map[string]string
	Body   []byte
	Chunk  int           // bytes at once; 0 is all
	Before time.Duration // before the head of the answer
	Pause  time.Duration // between chunks
	Stall  bool          // after the body: sends nothing more, and does not end
	Break  bool          // after the body: drops the connection
	Repeat int           // how often the body is sent again; −1 is for ever

	mu    sync.Mutex
	calls int
	sent  int64
	gone  chan struct{}
}

// Calls is how many requests came.
func (p *Replay) Calls() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.calls
}

// Sent is how many bytes were sent.
func (p *Replay) Sent() int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.sent
}

// Gone is closed when a client has left before its answer was over.
func (p *Replay) Gone() <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.gone == nil {
		p.gone = make(chan struct{})
	}
	return p.gone
}

func (p *Replay) left() {
	c := p.Gone()
	p.mu.Lock()
	defer p.mu.Unlock()
	select {
	case <-c:
	default:
		close(p.gone)
	}
}

// ServeHTTP answers one request.
func (p *Replay) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	p.calls++
	p.mu.Unlock()
	_, _ = io.Copy(io.Discard, r.Body) // net/http notices that a client has gone only after its body
	if !pause(r.Context(), p.Before) {
		p.left()
		return
	}
	kind := p.Type
	if kind == "" {
		kind = "text/event-stream"
	}
	w.Header().Set("Content-Type", kind)
	for name, value := range p.Header {
		w.Header().Set(name, value)
	}
	if p.Status != 0 {
		w.WriteHeader(p.Status)
	}
	for i := 0; p.Repeat < 0 || i <= p.Repeat; i++ {
		if !p.send(w, r) {
			p.left()
			return
		}
	}
	if p.Stall {
		<-r.Context().Done()
		p.left()
	}
	if p.Break {
		panic(http.ErrAbortHandler) // which is how net/http is told to drop the connection
	}
}

func (p *Replay) send(w http.ResponseWriter, r *http.Request) bool {
	out := http.NewResponseController(w)
	body := p.Body
	for first := true; first || len(body) > 0; first = false {
		n := len(body)
		if p.Chunk > 0 {
			n = min(n, p.Chunk)
		}
		if !first && !pause(r.Context(), p.Pause) {
			return false
		}
		written, err := w.Write(body[:n])
		p.mu.Lock()
		p.sent += int64(written)
		p.mu.Unlock()
		if err != nil || out.Flush() != nil {
			return false
		}
		body = body[n:]
	}
	return true
}
