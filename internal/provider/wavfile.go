package provider

import (
	"bytes"
	"io"
	"io/fs"

	wasys "github.com/tetratelabs/wazero/experimental/sys"
	"github.com/tetratelabs/wazero/sys"
)

// wavFS is the file system that a WASI synthesizer sees: one directory in
// memory, with one file that it may create and write.
type wavFS struct {
	wasys.UnimplementedFS
	file wavFile
}

// OpenFile opens the directory, or creates the file.
func (f *wavFS) OpenFile(path string, flag wasys.Oflag, _ fs.FileMode) (wasys.File, wasys.Errno) {
	if path == "" || path == "." || path == "/" {
		return &wavDir{}, 0
	}
	if flag&wasys.O_CREAT == 0 {
		return nil, wasys.ENOENT
	}
	f.file = wavFile{}
	return &f.file, 0
}

// Stat tells of the directory only.
func (f *wavFS) Stat(path string) (sys.Stat_t, wasys.Errno) {
	if path == "" || path == "." || path == "/" {
		return sys.Stat_t{Mode: fs.ModeDir | 0o700, Nlink: 1}, 0
	}
	return sys.Stat_t{}, wasys.ENOENT
}

// Lstat is Stat: there are no links.
func (f *wavFS) Lstat(path string) (sys.Stat_t, wasys.Errno) { return f.Stat(path) }

func (f *wavFS) sound() io.Reader { return bytes.NewReader(f.file.data) }

type wavDir struct{ wasys.UnimplementedFile }

// IsDir is true.
func (*wavDir) IsDir() (bool, wasys.Errno) { return true, 0 }

// Stat tells of a directory.
func (*wavDir) Stat() (sys.Stat_t, wasys.Errno) {
	return sys.Stat_t{Mode: fs.ModeDir | 0o700, Nlink: 1}, 0
}

// wavFile is a file that is written from front to back.
type wavFile struct {
	wasys.UnimplementedFile
	data []byte
}

// IsDir is false.
func (*wavFile) IsDir() (bool, wasys.Errno) { return false, 0 }

// Stat tells the size.
func (f *wavFile) Stat() (sys.Stat_t, wasys.Errno) {
	return sys.Stat_t{Mode: 0o600, Nlink: 1, Size: int64(len(f.data))}, 0
}

// Write appends. A file over the bound of a clause is refused with EIO.
func (f *wavFile) Write(p []byte) (int, wasys.Errno) {
	if len(f.data)+len(p) > maxClauseSound {
		return 0, wasys.EIO
	}
	f.data = append(f.data, p...)
	return len(p), 0
}
