package doctor

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// A recording takes 32,000 bytes a second: two sides, 8 kHz, 16 bits.
const recordingBytesPerHour = 32_000 * 3600

const (
	fewBytes   = 5 << 30   // room for about 45 hours of recordings
	noBytes    = 200 << 20 // less than two hours
	slowSync   = 50 * time.Millisecond
	syncProbes = 5
)

// directory looks at the data directory: whether it can be written, how fast
// writes reach the disk, how much room there is and who may read it.
func (x *examination) directory(context.Context) {
	dir, err := filepath.Abs(x.Data)
	if err != nil {
		x.broken("start from a directory that exists, or name one with --data", "the data directory %s cannot be found (%v)", x.Data, err)
		return
	}
	info, err := os.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		x.newDirectory(dir)
		return
	case err != nil:
		x.broken("let the user that runs callwright read and write it, or choose another with --data", "the data directory cannot be read (%v)", err)
		return
	case !info.IsDir():
		x.broken("choose another path with --data", "%s is a file, not a directory", dir)
		return
	}
	took, err := syncTime(dir)
	if err != nil {
		x.broken("let the user that runs callwright write there, or choose another directory with --data", "nothing can be written to the data directory (%v)", err)
		return
	}
	if took > slowSync {
		x.warn("put it on a local disk that is not busy: each dial waits for one such write", "a write to %s takes %v to be safe on disk", dir, took.Round(time.Millisecond))
	} else {
		x.ok("%s can be written; a write is safe on disk after %v", dir, took.Round(10*time.Microsecond))
	}
	if info.Mode().Perm()&0o077 != 0 {
		x.warn("chmod 700 "+dir, "%s can be entered by other users of this machine; it holds numbers, words and secrets", dir)
	}
	x.room(dir)
}

// newDirectory looks at where a directory that is not there yet would be made.
func (x *examination) newDirectory(dir string) {
	parent := filepath.Dir(dir)
	for {
		if _, err := os.Stat(parent); err == nil || parent == filepath.Dir(parent) {
			break
		}
		parent = filepath.Dir(parent)
	}
	if _, err := syncTime(parent); err != nil {
		x.broken("choose another directory with --data", "the data directory %s is not there and cannot be made (%v)", dir, err)
		return
	}
	x.ok("%s is not there yet; the first start makes it", dir)
	x.room(parent)
}

// room tells how long recordings can go on.
func (x *examination) room(dir string) {
	if free, err := freeBytes(dir); err == nil { // not every file system tells
		x.space(dir, free)
	}
}

// space judges the bytes that are free on a disk.
func (x *examination) space(dir string, free uint64) {
	hours := free / recordingBytesPerHour
	switch {
	case free < noBytes:
		x.broken("free some space, or choose another disk with --data", "the disk of %s has only %d MB left", dir, free>>20)
	case free < fewBytes:
		x.warn("free some space, or choose another disk with --data", "the disk of %s has %d MB left, enough for about %d hours of recordings", dir, free>>20, hours)
	default:
		x.ok("%d GB are free, enough for about %d hours of recordings", free>>30, hours)
	}
}

// syncTime is the median time that a small write to dir takes to be safe.
func syncTime(dir string) (time.Duration, error) {
	f, err := os.CreateTemp(dir, ".doctor-*")
	if err != nil {
		return 0, err
	}
	defer func() {
		_ = f.Close()
		_ = os.Remove(f.Name())
	}()
	var took []time.Duration
	for range syncProbes {
		began := time.Now()
		if _, err := f.Write(make([]byte, 4096)); err != nil {
			return 0, err
		}
		if err := f.Sync(); err != nil {
			return 0, err
		}
		took = append(took, time.Since(began))
	}
	return median(took), nil
}
