package store

import (
	"context"
	"log/slog"
	"os"
	"time"

	"github.com/uptrace/bun"
)

// Sizes of the write-ahead log, in bytes: from the first on it is copied into
// the database while others read and write; from the second on it is also cut,
// for which readers and the writer must hold still for a moment.
const (
	walCopy = 4 << 20
	walCut  = 64 << 20
)

const checkEvery = 250 * time.Millisecond

// checkpoints keep the write-ahead log short, from a connection and goroutine
// of their own, so that no commit pays for it.
type checkpoints struct {
	db    *bun.DB
	wal   string
	log   *slog.Logger
	stop  context.CancelFunc
	ended chan struct{}
}

func newCheckpoints(path string, log *slog.Logger) (*checkpoints, error) {
	db, err := open(path, 1, "busy_timeout(200)", unchecked)
	if err != nil {
		return nil, err
	}
	ctx, stop := context.WithCancel(context.Background())
	c := &checkpoints{db: db, wal: path + "-wal", log: log, stop: stop, ended: make(chan struct{})}
	go c.run(ctx)
	return c, nil
}

func (c *checkpoints) close() error {
	c.stop()
	<-c.ended
	return c.db.Close()
}

func (c *checkpoints) run(ctx context.Context) {
	defer close(c.ended)
	tick := time.NewTicker(checkEvery)
	defer tick.Stop()
	var seen time.Time // the log's last change at the last checkpoint
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		info, err := os.Stat(c.wal)
		if err != nil || info.Size() < walCopy || info.ModTime().Equal(seen) {
			continue
		}
		seen = info.ModTime()
		mode := "PASSIVE"
		if info.Size() >= walCut {
			mode = "TRUNCATE"
		}
		c.checkpoint(mode)
	}
}

// checkpoint runs one; a busy database is no fault, there will be another.
func (c *checkpoints) checkpoint(mode string) {
	var busy, frames, done int
	err := c.db.QueryRow("PRAGMA wal_checkpoint("+mode+")").Scan(&busy, &frames, &done)
	if err != nil {
		c.log.Warn("a checkpoint of the database failed", "mode", mode, "error", err)
	}
}
