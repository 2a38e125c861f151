package app

import (
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"

	"github.com/gofrs/flock"

	"github.com/callwright/callwright/internal/domain"
)

// lineage remembers in the data directory as which node this server was last
// there: several servers may share a database, and only this one can know that
// its predecessor is dead before that one's lease runs out. Whoever holds the lock
// on the file is the only server of this machine at its SIP address, and the
// kernel lets go of the lock when a process dies, not when it is stopped.
type lineage struct {
	lock *flock.Flock
	path string
}

// openLineage takes the lock. Nil is nobody's lineage: another server has it, or
// the database is one of this server alone.
func openLineage(dir, database string, at netip.AddrPort) (*lineage, error) {
	if database == "" {
		return nil, nil
	}
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
	return &lineage{lock: lock, path: path}, nil
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

func (l *lineage) close() error {
	if l == nil {
		return nil
	}
	return l.lock.Close()
}
