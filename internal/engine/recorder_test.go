package engine

import (
	"bytes"
	"encoding/binary"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/callwright/callwright/internal/audio"
	"github.com/callwright/callwright/internal/domain"
)

// disk is a file in memory that can be slow, or full.
type disk struct {
	mu     sync.Mutex
	data   []byte
	room   int           // bytes it takes, 0 for no limit
	slow   time.Duration // of each write
	closed bool
}

func (d *disk) WriteAt(p []byte, at int64) (int, error) {
	time.Sleep(d.slow)
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.room > 0 && int(at)+len(p) > d.room {
		return 0, errors.New("no space left on device")
	}
	if grow := int(at) + len(p) - len(d.data); grow > 0 {
		d.data = append(d.data, make([]byte, grow)...)
	}
	return copy(d.data[at:], p), nil
}

func (d *disk) Close() error { d.closed = true; return nil }

// copied is what a process that dies now leaves behind.
func (d *disk) copied() []byte {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.data)
}

// sides reads a recording: the header's length, and both sides of it.
func sides(t *testing.T, file []byte) (left, right []int16) {
	t.Helper()
	r := bytes.NewReader(file)
	f, err := audio.ReadWAVHeader(r)
	if err != nil || f.Rate != 8000 || f.Channels != 2 || int64(r.Len()) < f.DataBytes {
		t.Fatalf("the header says %+v, %v; %d bytes are there", f, err, r.Len())
	}
	data := file[audio.WAVHeaderSize:]
	if f.DataBytes >= 0 {
		data = data[:f.DataBytes]
	}
	for ; len(data) >= blockBytes; data = data[blockBytes:] {
		left = append(left, int16(binary.LittleEndian.Uint16(data)))
		right = append(right, int16(binary.LittleEndian.Uint16(data[2:])))
	}
	return left, right
}

const frame = 8000 / 50

// feed taps n frames, one each 20 ms: 1 on the caller's side, 2 on the agent's.
func feed(r *recorder, n int) {
	in, out := bytes.Repeat([]byte{1}, frame), bytes.Repeat([]byte{2}, frame)
	a, b := make([]int16, frame), make([]int16, frame)
	for i := range frame {
		a[i], b[i] = int16(in[i]), int16(out[i])
	}
	for range n {
		r.tap(a, b)
		time.Sleep(audio.FrameDuration)
	}
}

func record(t *testing.T, d *disk, script func(r *recorder)) (note string) {
	t.Helper()
	synctest.Test(t, func(*testing.T) {
		r := newRecorder(func() (domain.RecordingFile, error) { return d, nil }, 8000, slog.New(slog.DiscardHandler))
		script(r)
		note = r.close()
	})
	if !d.closed {
		t.Error("the file was left open")
	}
	return note
}

func TestRecorderKeepsSidesApart(t *testing.T) {
	d := &disk{}
	if note := record(t, d, func(r *recorder) { feed(r, 137) }); note != "" {
		t.Error(note)
	}
	left, right := sides(t, d.data)
	if len(left) != 137*frame || slices.Min(left) != 1 || slices.Max(left) != 1 || slices.Min(right) != 2 || slices.Max(right) != 2 {
		t.Errorf("%d samples of %d, left %d, right %d", len(left), 137*frame, left[0], right[0])
	}
}

func TestRecorderPlacesSoundByTheClock(t *testing.T) {
	for _, c := range []struct {
		stall  time.Duration
		silent int // frames
	}{
		{200 * time.Millisecond, 0}, // the pacer makes up for it
		{time.Second, 50},           // the process stood still
		{3*time.Second + time.Millisecond, 150},
	} {
		d := &disk{}
		if note := record(t, d, func(r *recorder) { feed(r, 100); time.Sleep(c.stall); feed(r, 100) }); note != "" {
			t.Error(note)
		}
		left, _ := sides(t, d.data)
		silent := 0
		for _, s := range left {
			if s == 0 {
				silent++
			}
		}
		if silent != c.silent*frame || len(left) != (200+c.silent)*frame {
			t.Errorf("after %s: %d frames, %d of them silent", c.stall, len(left)/frame, silent/frame)
		}
		if c.silent > 0 && (left[100*frame-1] == 0 || left[100*frame] != 0 || left[len(left)-1] == 0) {
			t.Errorf("after %s the gap lies elsewhere", c.stall)
		}
	}
}

func TestRecordingIsPlayableWheneverTheProcessDies(t *testing.T) {
	d := &disk{}
	record(t, d, func(r *recorder) {
		for i := range 60 {
			feed(r, 5) // 100 ms
			left, _ := sides(t, d.copied())
			lived := time.Duration(i+1) * 100 * time.Millisecond
			// An empty length is "to the end of the file".
			if kept := time.Duration(len(left)) * time.Second / 8000; kept > lived || kept < lived-1300*time.Millisecond {
				t.Fatalf("of %s, %s are left", lived, kept)
			}
		}
	})
}

func TestFullDiskStopsTheRecordingAlone(t *testing.T) {
	d := &disk{room: audio.WAVHeaderSize + 40*frame*blockBytes}
	note := record(t, d, func(r *recorder) { feed(r, 200) })
	if !strings.Contains(note, "incomplete") {
		t.Errorf("noted %q", note)
	}
	if left, _ := sides(t, d.data); len(left) == 0 || len(left) > 40*frame {
		t.Errorf("%d frames are kept", len(left)/frame)
	}
}

func TestSlowDiskLosesSoundAndSaysSo(t *testing.T) {
	d := &disk{slow: 12 * time.Second}
	note := record(t, d, func(r *recorder) { feed(r, 1000) })
	if !strings.Contains(note, "too slow") {
		t.Errorf("noted %q", note)
	}
	d = &disk{slow: 2 * time.Second}
	if note := record(t, d, func(r *recorder) { feed(r, 500) }); note != "" {
		t.Errorf("what the buffer holds is lost: %s", note)
	}
	if left, _ := sides(t, d.data); len(left) != 500*frame {
		t.Errorf("%d frames are kept", len(left)/frame)
	}
}

func TestRecorderDoesNotWaitForItsFile(t *testing.T) {
	synctest.Test(t, func(*testing.T) {
		d := &disk{}
		r := newRecorder(func() (domain.RecordingFile, error) { time.Sleep(3 * time.Second); return d, nil }, 8000, slog.New(slog.DiscardHandler))
		feed(r, 200)
		if note := r.close(); note != "" {
			t.Error(note)
		}
		if left, _ := sides(t, d.data); len(left) != 200*frame || left[0] != 1 {
			t.Errorf("%d frames are kept, want all 200", len(left)/frame)
		}
	})
}

func TestRecorderWithoutFileSaysSo(t *testing.T) {
	synctest.Test(t, func(*testing.T) {
		r := newRecorder(func() (domain.RecordingFile, error) { return nil, errors.New("permission denied") }, 8000, slog.New(slog.DiscardHandler))
		feed(r, 1000)
		if note := r.close(); !strings.Contains(note, "not recorded") {
			t.Errorf("noted %q", note)
		}
	})
}

func TestRecorderDoesNotAllocatePerFrame(t *testing.T) {
	r := &recorder{rate: 8000, ring: make([]int16, 1<<20)}
	pcm := make([]int16, frame)
	if n := testing.AllocsPerRun(100, func() { r.tap(pcm, pcm) }); n != 0 {
		t.Errorf("%v allocations a frame", n)
	}
}
