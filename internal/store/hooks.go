package store

import (
	"log/slog"
	"slices"
	"sync"
)

// hooks are who wants to know of commits, by table.
type hooks struct {
	log *slog.Logger
	mu  sync.RWMutex
	fns map[string][]func()
}

func newHooks(log *slog.Logger) *hooks { return &hooks{log: log, fns: map[string][]func(){}} }

func (h *hooks) add(table string, fn func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.fns[table] = append(h.fns[table], fn)
}

// committed calls the hooks of the tables that were touched.
func (h *hooks) committed(touched map[string]bool) {
	for table := range touched {
		h.mu.RLock()
		fns := slices.Clone(h.fns[table])
		h.mu.RUnlock()
		for _, fn := range fns {
			_ = protect(h.log, func() error { fn(); return nil })
		}
	}
}
