package wire

import (
	"bytes"
	"crypto/sha256"
	"hash"
	"io"
	"os"
	"time"

	"github.com/callwright/callwright/internal/domain"
)

// spooled is how many bytes of a file are held in memory.
const spooled = 256 << 10

// spool holds what is written to it, on disk when it is large, and knows its
// SHA-256.
type spool struct {
	dir    string
	memory bytes.Buffer
	disk   *os.File // nil while it is small
	size   int64
	hash   hash.Hash
}

func newSpool(dir string) *spool { return &spool{dir: dir, hash: sha256.New()} }

// Write adds to the end.
func (s *spool) Write(p []byte) (int, error) {
	s.hash.Write(p) // a hash's Write never fails
	s.size += int64(len(p))
	if s.disk == nil && s.memory.Len()+len(p) <= spooled {
		return s.memory.Write(p)
	}
	if s.disk == nil {
		if err := s.move(); err != nil {
			return 0, full(err)
		}
	}
	n, err := s.disk.Write(p)
	if err != nil {
		return n, full(err)
	}
	return n, nil
}

// move goes on on disk.
func (s *spool) move() error {
	file, err := os.CreateTemp(s.dir, "upload-*")
	if err != nil {
		return err
	}
	// Where that is possible, nothing is left behind however the process ends.
	_ = os.Remove(file.Name())
	s.disk = file
	_, err = file.Write(s.memory.Bytes())
	s.memory = bytes.Buffer{}
	return err
}

func full(err error) error {
	return domain.Unavailable(10*time.Second, err, "the file cannot be kept: the disk is full or cannot be written; try again later")
}

// reader reads all that was written.
func (s *spool) reader() io.Reader {
	if s.disk == nil {
		return bytes.NewReader(s.memory.Bytes())
	}
	return io.NewSectionReader(s.disk, 0, s.size)
}

func (s *spool) sum() []byte { return s.hash.Sum(nil) }

// close removes what is on disk.
func (s *spool) close() {
	if s.disk != nil {
		_ = s.disk.Close()
		_ = os.Remove(s.disk.Name()) // it is gone already but where open files stay
	}
}
