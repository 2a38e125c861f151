package speech

import (
	"time"

	"github.com/callwright/callwright/internal/audio"
)

// EndpointOptions tunes an Endpointer. The zero value of a field is its default.
type EndpointOptions struct {
	Threshold float32       // probability from which a frame opens speech; 0.5
	Release   float32       // probability below which a frame does not carry it on; 0.35
	Onset     time.Duration // speech needed before an onset is believed; 80 ms, so that clicks are not
	Silence   time.Duration // silence that ends speech; 500 ms
	// Unbroken is for how long speech goes on without any dip at most: a voice
	// stops for each p, t and k, music does not. 2.5 s; negative is for ever.
	Unbroken time.Duration
}

func (o EndpointOptions) withDefaults() EndpointOptions {
	if o.Threshold == 0 {
		o.Threshold = 0.5
	}
	if o.Release == 0 {
		o.Release = min(0.35, o.Threshold)
	}
	if o.Onset == 0 {
		o.Onset = 80 * time.Millisecond
	}
	if o.Silence == 0 {
		o.Silence = 500 * time.Millisecond
	}
	if o.Unbroken == 0 {
		o.Unbroken = 2500 * time.Millisecond
	}
	return o
}

// EdgeKind says what an Edge is.
type EdgeKind int

// The edges of speech.
const (
	SpeechStart EdgeKind = iota + 1
	SpeechEnd
)

// Edge is a place where speech starts or ends. Both times are in samples since
// the first frame: where it was, and where it was known.
type Edge struct {
	Kind  EdgeKind
	At    int64
	Known int64
}

// Endpointer makes utterances out of the probabilities of a VAD. It is a pure
// object: its only clock is the frames it is given.
type Endpointer struct {
	options  EndpointOptions
	frame    int64 // samples
	onset    int   // frames
	silence  int   // frames
	now      int64 // samples seen
	speaking bool
	run      int   // frames of speech towards an onset; dips take them away again
	runStart int64 // where that run began
	quiet    int   // frames since the last one of speech

	unbroken int   // frames without a dip
	from     int64 // where these began
	limit    int   // of them; 0 is none
	other    bool  // the sound that goes on is no speech
}

// NewEndpointer returns an endpointer for frames at rate hertz.
func NewEndpointer(rate int, o EndpointOptions) *Endpointer {
	o = o.withDefaults()
	e := &Endpointer{
		options: o,
		frame:   int64(audio.FrameSize(rate)),
		onset:   framesIn(o.Onset),
		silence: framesIn(o.Silence),
	}
	if o.Unbroken > 0 {
		e.limit = framesIn(o.Unbroken)
	}
	return e
}

func framesIn(d time.Duration) int {
	return max(1, int((d+audio.FrameDuration-1)/audio.FrameDuration))
}

// Push takes the probability of the next frame and reports the edge that it
// made known, if any.
func (e *Endpointer) Push(p float32) (Edge, bool) {
	start := e.now
	e.now += e.frame
	e.follow(p, start)
	if e.speaking {
		return e.carryOn(p)
	}
	if e.other {
		return Edge{}, false
	}
	if p < e.options.Threshold {
		e.run = max(0, e.run-1)
		return Edge{}, false
	}
	if e.run == 0 {
		e.runStart = start
	}
	if e.run++; e.run < e.onset {
		return Edge{}, false
	}
	e.speaking, e.run, e.quiet = true, 0, 0
	return Edge{Kind: SpeechStart, At: e.runStart, Known: e.now}, true
}

// follow counts the frames without a dip.
func (e *Endpointer) follow(p float32, start int64) {
	switch {
	case p < e.options.Release:
		e.unbroken, e.other = 0, false
	case e.unbroken == 0:
		e.from = start
		fallthrough
	default:
		e.unbroken++
	}
}

// carryOn takes a frame while there is speech.
func (e *Endpointer) carryOn(p float32) (Edge, bool) {
	if e.limit > 0 && e.unbroken >= e.limit {
		e.other, e.speaking, e.quiet = true, false, 0
		return Edge{Kind: SpeechEnd, At: max(e.from, e.runStart), Known: e.now}, true
	}
	if p >= e.options.Release {
		e.quiet = 0
		return Edge{}, false
	}
	if e.quiet++; e.quiet < e.silence {
		return Edge{}, false
	}
	edge := Edge{Kind: SpeechEnd, At: e.now - int64(e.quiet)*e.frame, Known: e.now}
	e.speaking, e.quiet = false, 0
	return edge, true
}

// Speaking reports whether there is speech: an onset was reported, its end was
// not.
func (e *Endpointer) Speaking() bool { return e.speaking }

// Quiet is for how long there was none within an utterance.
func (e *Endpointer) Quiet() time.Duration { return time.Duration(e.quiet) * audio.FrameDuration }

// SetSilence changes how much silence ends speech, from the next frame on: a
// question for a number leaves more time than one for yes or no.
func (e *Endpointer) SetSilence(d time.Duration) { e.silence = framesIn(d) }

// Reset forgets an utterance under way. Its clock goes on.
func (e *Endpointer) Reset() {
	e.speaking, e.run, e.quiet, e.unbroken, e.other = false, 0, 0, 0, false
}
