package engine

import (
	"sync"
	"time"
)

// fullFor is how long an attempt waits when the process carries all the calls
// that it can.
const fullFor = 500 * time.Millisecond

// door counts the calls that this process carries. It is closed until open is
// called, and shut for good when the process stops.
type door struct {
	most int // calls at once

	mu     sync.Mutex
	opened bool
	closed bool
	inside int
	empty  chan struct{} // closed when the door is shut and the last call has left
}

// open lets calls in.
func (d *door) open() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.opened = true
}

// enter takes a place for a call, and reports false when it may not come in.
func (d *door) enter() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.opened || d.closed || d.inside >= d.most {
		return false
	}
	d.inside++
	return true
}

// full reports whether nobody may come in until somebody leaves.
func (d *door) full() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.inside >= d.most
}

// leave gives a place back.
func (d *door) leave() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.inside--; d.inside == 0 && d.closed {
		close(d.empty)
	}
}

// shut lets no further call in and returns a channel that is closed when all
// have left.
func (d *door) shut() <-chan struct{} {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.closed {
		d.closed, d.empty = true, make(chan struct{})
		if d.inside == 0 {
			close(d.empty)
		}
	}
	return d.empty
}

// isShut reports whether the process is stopping.
func (d *door) isShut() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.closed
}
