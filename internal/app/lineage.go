package app

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"

	"github.com/gofrs/flock"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/sip"
)

// lineage remembers in the data directory as which node this server was last
// there, and which dialogs it had: several servers may share a database, and only
// this one can know that its predecessor is dead before that one's lease runs out.
// Files of dialogs are not synced: they outlive the process at no cost, and a
// machine that lost its power has lost its calls to silence soon. Whoever holds the lock
// on the file is the only server of this machine at its SIP address, and the
// kernel lets go of the lock when a process dies, not when it is stopped.
type lineage struct {
	lock    *flock.Flock
	path    string
	dialogs string // directory with a file for each
}

var _ sip.Keeper = (*lineage)(nil)

// openLineage takes the lock. Nil is nobody's lineage: another server has it.
func openLineage(dir string, at netip.AddrPort) (*lineage, error) {
	host, err := os.Hostname()
	if err != nil {
		return nil, err
	}
	dir = filepath.Join(dir, "nodes")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	path := filepath.Join(dir, fmt.Sprintf("%s-%s-%d", filepath.Base(host), odd.ReplaceAllString(at.Addr().String(), "_"), at.Port()))
	lock := flock.New(path, flock.SetPermissions(0o600))
	if got, err := lock.TryLock(); !got {
		return nil, errors.Join(err, lock.Close())
	}
	l := &lineage{lock: lock, path: path, dialogs: path + ".dialogs"}
	if err := os.MkdirAll(l.dialogs, 0o700); err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	return l, nil
}

// odd is what a file's name cannot have everywhere.
var odd = regexp.MustCompile(`[^0-9A-Za-z.]`)

// last is the epoch of the predecessor; "" when there was none, or it died before
// it was a node.
func (l *lineage) last() (domain.ID, error) {
	if l == nil {
		return "", nil
	}
	raw, err := os.ReadFile(l.path)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	return domain.ID(raw), err
}

// remember notes as which node this server is about to be there.
func (l *lineage) remember(epoch domain.ID) error {
	if l == nil {
		return nil
	}
	return os.WriteFile(l.path, []byte(epoch), 0o600)
}

// file is where a dialog is kept. Ids hold what far ends chose.
func (l *lineage) file(id string) string {
	sum := sha256.Sum256([]byte(id))
	return filepath.Join(l.dialogs, hex.EncodeToString(sum[:16]))
}

// Keep writes a dialog into a file of its own.
func (l *lineage) Keep(id string, state []byte) error {
	if l == nil {
		return nil
	}
	return os.WriteFile(l.file(id), state, 0o600)
}

// Drop removes its file.
func (l *lineage) Drop(id string) error {
	if l == nil {
		return nil
	}
	if err := os.Remove(l.file(id)); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// left returns the dialogs of the predecessor. They stay until they are dropped.
func (l *lineage) left() ([][]byte, error) {
	if l == nil {
		return nil, nil
	}
	files, err := os.ReadDir(l.dialogs)
	if err != nil {
		return nil, err
	}
	states := make([][]byte, 0, len(files))
	for _, f := range files {
		state, err := os.ReadFile(filepath.Join(l.dialogs, f.Name()))
		if err != nil {
			return nil, err
		}
		states = append(states, state)
	}
	return states, nil
}

func (l *lineage) close() error {
	if l == nil {
		return nil
	}
	return l.lock.Close()
}
