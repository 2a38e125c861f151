package speech

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/callwright/callwright/internal/audio"
)

// A file of the disk cache is this mark, the number of samples (32 bits, little
// endian), then the samples. A file that does not fit that is taken for none.
const diskMark = "CWP1"

const diskHeader = len(diskMark) + 4

// diskCache keeps sound in files named by their key. Faults never reach a
// speaker: without the file the engine speaks.
type diskCache struct {
	dir string
	max int64

	mu    sync.Mutex
	bytes int64
	fault string
}

func openDiskCache(dir string, maxBytes int64) (*diskCache, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	d := &diskCache{dir: dir, max: maxBytes}
	if err := removeStale(dir); err != nil {
		return nil, err
	}
	files, err := d.files()
	if err != nil {
		return nil, err
	}
	for _, f := range files {
		d.bytes += f.size
	}
	return d, nil
}

// removeStale removes the unfinished files of processes that are long gone.
func removeStale(dir string) error {
	paths, err := filepath.Glob(filepath.Join(dir, "new-*.tmp"))
	if err != nil {
		return err
	}
	for _, path := range paths {
		info, err := os.Stat(path)
		if err == nil && time.Since(info.ModTime()) > time.Hour {
			err = os.Remove(path)
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

type cachedFile struct {
	path   string
	size   int64
	usedAt time.Time
}

func (d *diskCache) files() ([]cachedFile, error) {
	entries, err := os.ReadDir(d.dir)
	if err != nil {
		return nil, err
	}
	var out []cachedFile
	for _, e := range entries {
		info, err := e.Info()
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if info.Mode().IsRegular() && filepath.Ext(e.Name()) == ".pcm" {
			out = append(out, cachedFile{filepath.Join(d.dir, e.Name()), info.Size(), info.ModTime()})
		}
	}
	return out, nil
}

func (d *diskCache) path(key string) string { return filepath.Join(d.dir, key+".pcm") }

func (d *diskCache) has(key string) bool {
	_, err := os.Stat(d.path(key))
	return err == nil
}

// read returns the sound of key and marks it as used now.
func (d *diskCache) read(key string) ([]int16, bool) {
	path := d.path(key)
	raw, err := os.ReadFile(path)
	if err != nil {
		d.note(err)
		return nil, false
	}
	if len(raw) < diskHeader || string(raw[:len(diskMark)]) != diskMark ||
		uint64(binary.LittleEndian.Uint32(raw[len(diskMark):]))*2 != uint64(len(raw)-diskHeader) {
		d.note(fmt.Errorf("%s is damaged", path))
		d.note(os.Remove(path))
		return nil, false
	}
	pcm := make([]int16, (len(raw)-diskHeader)/2)
	for i := range pcm {
		pcm[i] = int16(binary.LittleEndian.Uint16(raw[diskHeader+2*i:]))
	}
	now := time.Now()
	d.note(os.Chtimes(path, now, now))
	return pcm, true
}

// write keeps sound. A file appears whole or not at all.
func (d *diskCache) write(key string, pcm []int16) {
	raw := make([]byte, diskHeader+2*len(pcm))
	copy(raw, diskMark)
	binary.LittleEndian.PutUint32(raw[len(diskMark):], uint32(len(pcm)))
	audio.PutPCM(raw[diskHeader:], pcm)
	if err := d.place(key, raw); err != nil {
		d.note(err)
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.bytes += int64(len(raw)); d.bytes > d.max {
		d.prune()
	}
}

func (d *diskCache) place(key string, raw []byte) error {
	f, err := os.CreateTemp(d.dir, "new-*.tmp")
	if err != nil {
		return err
	}
	_, err = f.Write(raw)
	err = cmp.Or(err, f.Close())
	if err == nil {
		err = os.Rename(f.Name(), d.path(key))
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return nil
}

// prune removes what was not used for longest until a fifth of the room is free.
// The lock is held.
func (d *diskCache) prune() {
	files, err := d.files()
	if err != nil {
		d.fault = err.Error()
		return
	}
	slices.SortFunc(files, func(a, b cachedFile) int { return a.usedAt.Compare(b.usedAt) })
	d.bytes = 0
	for _, f := range files {
		d.bytes += f.size
	}
	for _, f := range files {
		if d.bytes <= d.max/5*4 {
			return
		}
		if err := os.Remove(f.path); err != nil {
			d.fault = err.Error()
			continue
		}
		d.bytes -= f.size
	}
}

// note remembers a fault for the cache's stats; a file that is not there is none.
func (d *diskCache) note(err error) {
	if err == nil || errors.Is(err, fs.ErrNotExist) {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.fault = err.Error()
}

func (d *diskCache) lastFault() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.fault
}
