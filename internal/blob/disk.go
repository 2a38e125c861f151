// Package blob keeps the recordings of calls, as files below one directory.
package blob

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strconv"
	"time"

	"github.com/callwright/callwright/internal/domain"
)

// Disk keeps recordings as <dir>/<year>/<month>/<call id>.wav. It implements
// domain.Recordings; the name of a recording is its path below dir, with
// slashes.
type Disk struct {
	root *os.Root // nothing outside it can be reached, not by a symlink either
	dir  string
}

var _ domain.Recordings = (*Disk)(nil)

// NewDisk opens dir and makes it when it is missing.
func NewDisk(dir string) (*Disk, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, domain.Errorf(domain.CodeInvalid, "The directory for recordings, %s, cannot be made: %v", dir, err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, domain.Errorf(domain.CodeInvalid, "The directory for recordings, %s, cannot be opened: %v", dir, err)
	}
	return &Disk{root: root, dir: dir}, nil
}

// Close gives the directory back. Recordings that are open stay usable.
func (d *Disk) Close() error { return d.root.Close() }

// names are all names that this store gives.
var names = regexp.MustCompile(`^[0-9]{4}/(0[1-9]|1[0-2])/[0-9a-f]{24}\.wav$`)

// nameOf returns the name for a call's recording, by the call's time of
// creation, which its id begins with.
func nameOf(call domain.ID) (string, error) {
	if !call.Valid() {
		return "", domain.Errorf(domain.CodeInvalid, "%q is not the id of a call", call)
	}
	ms, err := strconv.ParseInt(string(call[:12]), 16, 64)
	if err != nil {
		return "", err
	}
	name := path.Join(time.UnixMilli(ms).UTC().Format("2006/01"), string(call)+".wav")
	if !names.MatchString(name) {
		return "", domain.Errorf(domain.CodeInvalid, "%q is not the id of a call: it is from after the year 9999", call)
	}
	return name, nil
}

// Create opens the recording of a call. A call that has one already is
// CodeConflict; a disk that cannot be written is CodeUnavailable.
func (d *Disk) Create(_ context.Context, call domain.ID) (domain.RecordingFile, string, error) {
	name, err := nameOf(call)
	if err != nil {
		return nil, "", err
	}
	if err := d.root.MkdirAll(path.Dir(name), 0o700); err != nil {
		return nil, "", unwritable(name, err)
	}
	file, err := d.root.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return nil, "", domain.Errorf(domain.CodeConflict, "Call with id %s already has a recording", call)
	}
	if err != nil {
		return nil, "", unwritable(name, err)
	}
	return file, name, nil
}

func unwritable(name string, cause error) error {
	return domain.Unavailable(0, cause, "The recording %s cannot be written", name)
}

// Open opens a recording for reading.
func (d *Disk) Open(_ context.Context, name string) (domain.RecordingReader, error) {
	return d.open(name, os.O_RDONLY)
}

// Repair makes a recording playable whose writer died.
func (d *Disk) Repair(_ context.Context, name string) error {
	file, err := d.open(name, os.O_RDWR)
	if err != nil {
		return err
	}
	if err := errors.Join(repair(file), file.Close()); err != nil {
		return fmt.Errorf("repair the recording %s: %w", name, err)
	}
	return nil
}

// Delete removes a recording.
func (d *Disk) Delete(_ context.Context, name string) error {
	if !names.MatchString(name) {
		return nil // no recording has such a name
	}
	if err := d.root.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("delete the recording %s: %w", name, err)
	}
	return nil
}

func (d *Disk) open(name string, flag int) (*os.File, error) {
	missing := domain.Errorf(domain.CodeNotFound, "Recording %q not found", name)
	if !names.MatchString(name) {
		return nil, missing
	}
	file, err := d.root.OpenFile(name, flag, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, missing
	}
	if err != nil {
		return nil, fmt.Errorf("open the recording %s: %w", name, err)
	}
	return file, nil
}

// Path returns the absolute path of a recording that exists, else "".
func (d *Disk) Path(name string) string {
	if !names.MatchString(name) {
		return ""
	}
	if info, err := d.root.Lstat(name); err != nil || !info.Mode().IsRegular() {
		return ""
	}
	return filepath.Join(d.dir, filepath.FromSlash(name))
}
