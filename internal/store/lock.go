package store

import (
	"context"
	"errors"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"

	"github.com/callwright/callwright/internal/domain"
)

// lockDir takes the lock of a data directory. It waits a moment, for a command
// that is just changing the tables or a server that is just stopping.
func lockDir(ctx context.Context, dir string) (*flock.Flock, error) {
	lock := flock.New(filepath.Join(dir, "lock"), flock.SetPermissions(0o600))
	wait, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	got, err := lock.TryLockContext(wait, 20*time.Millisecond)
	switch {
	case got:
		return lock, nil
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case err == nil, errors.Is(err, context.DeadlineExceeded):
		return nil, domain.Errorf(domain.CodeConflict,
			"Another Callwright server is using the data directory %s: stop it, or give this one another directory with --data", dir)
	}
	return nil, domain.Errorf(domain.CodeInvalid, "The data directory %s cannot be locked: %v", dir, err)
}
