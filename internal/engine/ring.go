package engine

import "sync/atomic"

// ringSamples is how much sound waits for an engine that hears: two seconds at
// 8 kHz, one at 16 kHz; a power of two.
const ringSamples = 1 << 14

// soundRing carries sound from the pacer to one reader without a lock. What
// finds no room is left out, and counted.
type soundRing struct {
	wake    chan struct{} // holds one when something is new
	lost    atomic.Uint64 // samples
	samples [ringSamples]int16
	written atomic.Uint64 // moved by the writer alone
	read    atomic.Uint64 // moved by the reader alone
}

// put adds pcm, all or nothing. It neither blocks nor allocates.
func (r *soundRing) put(pcm []int16) {
	at := r.written.Load()
	if at-r.read.Load()+uint64(len(pcm)) > ringSamples {
		r.lost.Add(uint64(len(pcm)))
		return
	}
	n := copy(r.samples[at%ringSamples:], pcm)
	copy(r.samples[:], pcm[n:])
	r.written.Store(at + uint64(len(pcm)))
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// take fills dst when there is enough for it, and reports whether there was.
func (r *soundRing) take(dst []int16) bool {
	at := r.read.Load()
	if r.written.Load()-at < uint64(len(dst)) {
		return false
	}
	n := copy(dst, r.samples[at%ringSamples:])
	copy(dst[n:], r.samples[:])
	r.read.Store(at + uint64(len(dst)))
	return true
}
