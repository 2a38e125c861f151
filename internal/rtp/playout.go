package rtp

import (
	"sync"
	"time"

	"github.com/callwright/callwright/internal/audio"
)

const (
	fadeTime    = 5 * time.Millisecond
	chunkFrames = 25 // sound that comes frame by frame is kept in pieces of this size
)

// Playout is what one side of a call is about to say: sound, and between it
// cues and marks that tell how far it has been played. Sound goes in at any
// pace and comes out frame by frame. All methods may be called at any time from
// any goroutine, but Pull and Fire by one only.
type Playout struct {
	rate   int // hertz
	fade   int // samples that an ending and a beginning take
	onCue  func(text string)
	onMark func(id int)

	mu      sync.Mutex
	items   []playItem // what is left; items before head are done
	head    int
	queued  int  // samples in items
	paused  bool // nothing is played, nothing passes
	playing bool // the last frame ended in the midst of sound
	fadeIn  bool // the next sound begins softly
	tail    []int16
	tailLen int // samples of a faded ending that are still to be played

	passed []playItem // cues and marks passed by Pull, for Fire
	firing []playItem
}

type itemKind uint8

const (
	soundItem itemKind = iota
	cueItem
	markItem
)

type playItem struct {
	kind itemKind
	pcm  []int16
	cue  string
	mark int
}

// NewPlayout makes an empty queue for sound of rate hertz. The functions, which
// may be nil, are called by Fire and must not block.
func NewPlayout(rate int, onCue func(text string), onMark func(id int)) *Playout {
	fade := audio.Samples(fadeTime, rate)
	return &Playout{rate: rate, fade: fade, tail: make([]int16, fade), onCue: onCue, onMark: onMark}
}

// Enqueue adds sound of any length at the queue's rate. It keeps a copy.
func (p *Playout) Enqueue(pcm []int16) {
	if len(pcm) == 0 {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.queued += len(pcm)
	if n := len(p.items); n > p.head && p.items[n-1].kind == soundItem {
		if last := &p.items[n-1]; cap(last.pcm)-len(last.pcm) >= len(pcm) {
			last.pcm = append(last.pcm, pcm...)
			return
		}
	}
	chunk := make([]int16, 0, max(len(pcm), min(chunkFrames*audio.FrameSize(p.rate), 8*len(pcm))))
	p.append(playItem{kind: soundItem, pcm: append(chunk, pcm...)})
}

// Cue adds a text that passes when all sound before it has been played.
func (p *Playout) Cue(text string) { p.add(playItem{kind: cueItem, cue: text}) }

// Mark adds a number that passes when all sound before it has been played.
func (p *Playout) Mark(id int) { p.add(playItem{kind: markItem, mark: id}) }

func (p *Playout) add(item playItem) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.append(item)
}

// append adds an item, using the room of items that are done before more.
func (p *Playout) append(item playItem) {
	if p.head > 0 && len(p.items) == cap(p.items) {
		n := copy(p.items, p.items[p.head:])
		clear(p.items[n:])
		p.items, p.head = p.items[:n], 0
	}
	p.items = append(p.items, item)
}

// Pause stops playing at once and keeps what is queued.
func (p *Playout) Pause() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.paused {
		return
	}
	p.paused = true
	p.fadeOut()
}

// Resume goes on where Pause stopped.
func (p *Playout) Resume() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.paused {
		return
	}
	p.paused = false
	if p.tailLen > 0 { // nothing was pulled meanwhile: nobody heard the pause
		p.tailLen, p.playing = 0, true
		return
	}
	p.fadeIn = true
}

// Cut drops everything that is queued and ends a pause. What was playing fades
// within 5 ms. Cues and marks that were not reached never pass; one that was
// reached may still be on its way to its function.
func (p *Playout) Cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.paused {
		p.fadeOut()
	}
	clear(p.items)
	p.items, p.head, p.queued = p.items[:0], 0, 0
	p.paused, p.fadeIn, p.playing = false, false, false
}

// fadeOut copies the next samples, softer and softer, as a last sound.
func (p *Playout) fadeOut() {
	if !p.playing {
		return
	}
	p.playing = false
	n := 0
	for _, item := range p.items[p.head:] {
		n += copy(p.tail[n:], item.pcm)
	}
	audio.Fade(p.tail[:n], 1, 0)
	p.tailLen = n
}

// Queued is how long the sound that is queued lasts.
func (p *Playout) Queued() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	return audio.Duration(p.queued, p.rate)
}

// Idle reports whether nothing is queued: no sound, no cue, no mark.
func (p *Playout) Idle() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.head == len(p.items)
}

// Pull fills dst with the next sound, and silence where there is none. It
// reports whether there was any sound.
func (p *Playout) Pull(dst []int16) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := copy(dst, p.tail[:p.tailLen])
	p.tailLen = copy(p.tail, p.tail[n:p.tailLen])
	if !p.paused {
		n = p.pull(dst, n)
	}
	clear(dst[n:])
	return n > 0
}

// pull copies queued sound to dst from its n-th sample on, passes what is
// between and right after it, and returns how far dst is filled.
func (p *Playout) pull(dst []int16, n int) int {
	start := n
	for p.head < len(p.items) {
		item := &p.items[p.head]
		if item.kind == soundItem {
			if n == len(dst) {
				break
			}
			k := copy(dst[n:], item.pcm)
			item.pcm = item.pcm[k:]
			n += k
			p.queued -= k
			if len(item.pcm) > 0 {
				break
			}
		} else {
			p.passed = append(p.passed, *item)
		}
		*item = playItem{}
		p.head++
	}
	if p.head == len(p.items) {
		p.items, p.head = p.items[:0], 0
	}
	if p.fadeIn && n > start {
		audio.Fade(dst[start:min(n, start+p.fade)], 0, 1)
		p.fadeIn = false
	}
	p.playing = n == len(dst) && n > start && p.queued > 0
	return n
}

// Fire calls the functions for the cues and marks that Pull has passed, in
// their order.
func (p *Playout) Fire() {
	p.mu.Lock()
	p.firing, p.passed = p.passed, p.firing[:0]
	p.mu.Unlock()
	for i := range p.firing {
		item := p.firing[i]
		p.firing[i] = playItem{}
		switch {
		case item.kind == cueItem && p.onCue != nil:
			p.onCue(item.cue)
		case item.kind == markItem && p.onMark != nil:
			p.onMark(item.mark)
		}
	}
}

// SampleRate is the rate in hertz of the sound that goes in and out.
func (p *Playout) SampleRate() int { return p.rate }

// WriteFrame is Enqueue.
func (p *Playout) WriteFrame(pcm []int16) error {
	p.Enqueue(pcm)
	return nil
}

func (p *Playout) String() string { return "playout" }

// Close does nothing: what is queued is still played.
func (p *Playout) Close() error { return nil }
