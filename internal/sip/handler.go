package sip

import (
	"sync"
	"time"
)

// handler holds a function that a dialog's owner sets after the dialog began.
type handler[F any] struct {
	set  chan struct{} // closed when f was set
	once sync.Once
	mu   sync.Mutex
	f    F
}

func newHandler[F any]() *handler[F] { return &handler[F]{set: make(chan struct{})} }

func (h *handler[F]) put(f F) {
	h.mu.Lock()
	h.f = f
	h.mu.Unlock()
	h.once.Do(func() { close(h.set) })
}

// get returns the function, the zero value when there is none. A dialog that
// has just begun lets a request that came right behind it wait for two round
// trips, for its owner may still be setting it.
func (h *handler[F]) get(d *Dialog) F {
	wait := time.NewTimer(time.Until(d.born.Add(2 * d.u.t1)))
	defer wait.Stop()
	select {
	case <-h.set:
	case <-wait.C:
	case <-d.done:
	case <-d.u.closing:
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.f
}
