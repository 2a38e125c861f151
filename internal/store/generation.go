package store

import (
	"context"
	"math"
	"sync"

	"github.com/callwright/callwright/internal/store/row"
)

// generations tell one state of SQLite's database from the next. A connection of
// their own asks for PRAGMA data_version, which is another number whenever some
// other connection, of this process or of another, has committed since that
// connection asked before (sqlite.org/pragma.html#pragma_data_version).
type generations struct {
	path string

	mu     sync.Mutex
	conn   *row.Prepared // nil until it is needed
	pool   interface{ Close() error }
	opened uint64 // connections so far: the numbers are of each one by itself
	closed bool
}

// now returns the generation, false when it cannot be read.
func (g *generations) now(ctx context.Context) (uint64, bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed || g.opened >= math.MaxUint32 || ctx.Err() != nil {
		return 0, false
	}
	// The connection outlives the request, which must not interrupt it.
	ctx = context.WithoutCancel(ctx)
	if g.conn == nil && g.open(ctx) != nil {
		return 0, false
	}
	version, err := new(row.Query).Add("PRAGMA data_version").Int(ctx, g.conn)
	if err != nil {
		_ = g.drop() // it is of no use any more
		return 0, false
	}
	return g.opened<<32 | uint64(uint32(version)), true //nolint:gosec // SQLite counts in 32 bits
}

func (g *generations) open(ctx context.Context) error {
	pool, err := open(g.path, 1, "query_only(1)")
	if err != nil {
		return err
	}
	g.pool = pool
	conn, err := pool.Conn(ctx)
	if err != nil {
		_ = g.drop() // nothing is lost
		return err
	}
	g.conn = row.NewPrepared(conn)
	g.opened++
	return nil
}

// drop closes the connection, if there is one.
func (g *generations) drop() (err error) {
	if g.conn != nil {
		err = g.conn.Close()
		g.conn = nil
	}
	if g.pool != nil {
		err = g.pool.Close()
		g.pool = nil
	}
	return err
}

func (g *generations) close() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.closed = true
	return g.drop()
}

// Generation is a number that is another one after each commit to the database,
// by whatever process. It is read after the call began: whoever sees the number
// again that he saw before has missed no commit that was over, to whoever made
// it, when he asked. False means that it is not known; PostgreSQL's never is:
// there each counted request is a commit.
func (db *DB) Generation(ctx context.Context) (uint64, bool) {
	if db.generations == nil {
		return 0, false
	}
	return db.generations.now(ctx)
}
