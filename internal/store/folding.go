package store

import (
	"context"
	"log/slog"
	"time"

	"github.com/uptrace/bun"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/store/row"
)

// How the counts of calls are folded: a few at a time, so that nobody waits long
// for SQLite's one writer, and often enough that lists have little to add up.
const (
	foldEvery    = time.Second
	foldSize     = 250
	foldSizeMany = 1000 // on PostgreSQL, where nobody waits: the sums are often the same ones
	// vacuumAfter is after how many changes PostgreSQL is told to forget those that
	// were folded: until then every list reads past them, and it would wait a minute
	// to do so by itself.
	vacuumAfter = 2000
)

// folding folds the counts of calls in the background.
type folding struct {
	db     *DB
	log    *slog.Logger
	cancel context.CancelFunc
	ended  chan struct{}
	folded int // changes since the last vacuum
}

func newFolding(db *DB) *folding {
	ctx, cancel := context.WithCancel(context.Background())
	f := &folding{db: db, log: db.log, cancel: cancel, ended: make(chan struct{})}
	go f.run(ctx)
	return f
}

func (f *folding) close() {
	f.cancel()
	<-f.ended
}

func (f *folding) run(ctx context.Context) {
	defer close(f.ended)
	tick := time.NewTicker(foldEvery)
	defer tick.Stop()
	failing := false
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		err := f.fold(ctx)
		if err != nil && ctx.Err() == nil && !failing {
			f.log.Warn("the counts of calls could not be folded; lists cost more until they can", "error", err)
		}
		failing = err != nil
	}
}

// fold takes what there is, group by group.
func (f *folding) fold(ctx context.Context) error {
	size := foldSize
	if f.db.readers != nil {
		size = foldSizeMany
	}
	for {
		waiting, err := f.waiting(ctx)
		if err != nil {
			return err
		}
		if !waiting {
			return f.vacuum(ctx)
		}
		n := 0
		err = f.db.InTx(ctx, domain.LaneBackground, func(ctx context.Context, s *domain.Stores) (err error) {
			n, err = s.Calls.Fold(ctx, size)
			return err
		})
		if err != nil {
			return err
		}
		f.folded += n
	}
}

// vacuum has PostgreSQL give up the room of changes that were folded.
func (f *folding) vacuum(ctx context.Context) error {
	if f.db.readers == nil || f.folded < vacuumAfter {
		return nil
	}
	f.folded = 0
	// Where another node does it just now there is nothing to do. To give room back
	// to the disk it would keep all others out of the tables.
	_, err := f.db.readers.ExecContext(ctx, "VACUUM (SKIP_LOCKED, TRUNCATE FALSE) call_changes")
	return row.Error(err, "vacuum the folded counts")
}

// waiting reports whether there is anything to fold, without asking the writer.
func (f *folding) waiting(ctx context.Context) (bool, error) {
	var n int64
	err := f.db.snapshot(ctx, func(db bun.IDB) (err error) {
		n, err = new(row.Query).Add("SELECT count(*) FROM (SELECT 1 FROM call_changes LIMIT 1) AS first").Int(ctx, db)
		return err
	})
	return n > 0, row.Error(err, "look for counts to fold")
}
