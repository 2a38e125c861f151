package engine

import (
	"bytes"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/callwright/callwright/internal/audio"
	"github.com/callwright/callwright/internal/domain"
)

// memoryFile is a recording that stays in memory.
type memoryFile struct {
	mu   sync.Mutex
	data []byte
}

func (f *memoryFile) WriteAt(p []byte, at int64) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if grow := int(at) + len(p) - len(f.data); grow > 0 {
		f.data = append(f.data, make([]byte, grow)...)
	}
	return copy(f.data[at:], p), nil
}

func (f *memoryFile) Close() error { return nil }

// TestRecorderOnSlowDisk has the disk take its time to make the file: what was
// said meanwhile is in it all the same.
func TestRecorderOnSlowDisk(t *testing.T) {
	t.Parallel()
	file, slow := &memoryFile{}, make(chan struct{})
	r := newRecorder(func() (domain.RecordingFile, error) { <-slow; return file, nil }, slog.New(slog.DiscardHandler))
	frame := make([]int16, lineRate/50)
	for i := range frame {
		frame[i] = 1000
	}
	const frames = 5
	for range frames {
		r.tap(frame, frame)
	}
	close(slow)
	if note := r.close(); note != "" {
		t.Error(note)
	}
	head, err := audio.ReadWAVHeader(bytes.NewReader(file.data))
	if want := int64(frames * len(frame) * blockBytes); err != nil || head.DataBytes != want || head.Channels != 2 {
		t.Errorf("%+v, %v; want %d bytes of two channels", head, err, want)
	}
}

// TestRecorderWithoutDisk has no file: the call goes on and its record says so.
func TestRecorderWithoutDisk(t *testing.T) {
	t.Parallel()
	r := newRecorder(func() (domain.RecordingFile, error) { return nil, errors.New("the disk is full") }, slog.New(slog.DiscardHandler))
	r.tap(make([]int16, 160), make([]int16, 160))
	time.Sleep(recordEvery + 50*time.Millisecond) // it would be written now
	if note := r.close(); note == "" {
		t.Error("nothing says that the recording is missing")
	}
}
