package engine

import (
	"encoding/binary"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/callwright/callwright/internal/audio"
	"github.com/callwright/callwright/internal/domain"
)

// Figures of recording. Sound is written every quarter of a second and the
// header every second, so that a process that dies loses at most the last one.
const (
	recordEvery  = 250 * time.Millisecond
	headerEvery  = 4 // writes
	recordBuffer = 8 * time.Second
	blockBytes   = 4 // one sample of each side, 16 bits
)

// recorder writes the sound of one call as a stereo WAV: the caller left, the
// agent right. Both come from the same tick of the call's clock and so cannot
// drift apart.
type recorder struct {
	rate int                  // hertz
	file domain.RecordingFile // nil when it could not be created
	log  *slog.Logger

	mu      sync.Mutex
	waiting []byte // interleaved as in the file; filled by the pacer, taken by the writer
	dropped int    // samples a side that found no room
	began   time.Time
	placed  time.Duration // how much sound was placed since then

	stop    chan struct{}
	stopped chan struct{}
	offset  int64  // bytes of sound written
	spare   []byte // what was written last, to be filled next
	failed  error
}

// newRecorder begins to record into what create returns. It does not wait for
// it: a slow disk must not hold up the first words of a call.
func newRecorder(create func() (domain.RecordingFile, error), rate int, log *slog.Logger) *recorder {
	room := 2 * int(recordEvery*time.Duration(rate)/time.Second) * blockBytes
	r := &recorder{rate: rate, log: log, waiting: make([]byte, 0, room), spare: make([]byte, 0, room),
		stop: make(chan struct{}), stopped: make(chan struct{})}
	go r.run(create)
	return r
}

// stallAfter is how far the sound may lag behind the clock before it is taken
// for a stall of the process, and the gap is filled with silence. The pacer
// makes up for shorter ones itself.
const stallAfter = 250 * time.Millisecond

// tap takes one frame of each side. It is called on the pacer's goroutine and
// does not block, and allocates only while the disk is behind. Sound is placed by
// the clock: after a stall, in which there were no frames, the gap is silent. When
// the disk is further behind than the buffer, sound is lost and counted; the call
// goes on.
func (r *recorder) tap(in, out []int16) {
	n := min(len(in), len(out))
	now := time.Now()
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.began.IsZero() {
		r.began = now
	}
	length := time.Duration(n) * time.Second / time.Duration(r.rate)
	if gap := now.Sub(r.began) - r.placed; gap > stallAfter {
		for ; gap >= length; gap -= length {
			r.place(nil, nil, n)
			r.placed += length
		}
	}
	r.place(in, out, n)
	r.placed += length
}

// place adds n samples of each side; nil is silence.
func (r *recorder) place(in, out []int16, n int) {
	at, size := len(r.waiting), n*blockBytes
	if at+size > int(recordBuffer/time.Second)*r.rate*blockBytes {
		r.dropped += n
		return
	}
	r.waiting = slices.Grow(r.waiting, size)[:at+size]
	blocks := r.waiting[at:]
	if in == nil {
		clear(blocks)
		return
	}
	for i, left := range in[:n] {
		binary.LittleEndian.PutUint32(blocks[i*blockBytes:], uint32(uint16(left))|uint32(uint16(out[i]))<<16)
	}
}

func (r *recorder) run(create func() (domain.RecordingFile, error)) {
	defer close(r.stopped)
	defer func() {
		if p := recover(); p != nil { // the recording breaks, the call goes on
			r.fail(fmt.Errorf("panic: %v", p))
		}
	}()
	var err error
	if r.file, err = create(); err != nil {
		r.fail(err)
	}
	tick := time.NewTicker(recordEvery)
	defer tick.Stop()
	r.header()
	for writes := 1; ; writes++ {
		select {
		case <-tick.C:
			r.write()
			if writes%headerEvery == 0 {
				r.header()
			}
		case <-r.stop:
			r.write()
			r.header()
			return
		}
	}
}

// write moves what waits to the file.
func (r *recorder) write() {
	r.mu.Lock()
	sound := r.waiting
	r.waiting = r.spare[:0]
	r.mu.Unlock()
	r.spare = sound
	if len(sound) == 0 || r.failed != nil {
		return
	}
	if _, err := r.file.WriteAt(sound, audio.WAVHeaderSize+r.offset); err != nil {
		r.fail(err)
		return
	}
	r.offset += int64(len(sound))
}

func (r *recorder) header() {
	if r.failed != nil {
		return
	}
	h := audio.WAVHeader(r.rate, 2, r.offset)
	if _, err := r.file.WriteAt(h[:], 0); err != nil {
		r.fail(err)
	}
}

// fail stops recording; a full disk does not end a call.
func (r *recorder) fail(err error) {
	r.failed = err
	r.log.Error("recording stopped", "err", err)
}

// close writes what is left and returns a note for the call when the recording
// is not whole.
func (r *recorder) close() (note string) {
	close(r.stop)
	<-r.stopped
	if r.file == nil {
		return "the call was not recorded: the recording could not be created"
	}
	if err := r.file.Close(); err != nil && r.failed == nil {
		r.failed = err
	}
	switch {
	case r.failed != nil:
		return "the recording is incomplete: it could not be written to the end"
	case r.dropped > 0:
		return "the recording is incomplete: the disk was too slow for part of it"
	}
	return ""
}
