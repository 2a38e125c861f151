package row

import (
	"context"
	"hash/fnv"
	"strings"
	"time"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect"
	"github.com/uptrace/bun/schema"

	"github.com/callwright/callwright/internal/domain"
)

// Writing is a transaction that writes while others do. What it reads by id and
// what it counts stays as it is until it ends: PostgreSQL is asked for the
// locks. SQLite has one writer, whose transactions need none.
type Writing struct {
	bun.IDB
	held   map[string]bool // what was asked for already
	counts *Counts
}

// NewWriting is a transaction that has just begun. Those of one process share
// what they counted.
func NewWriting(tx bun.IDB, counts *Counts) Writing {
	return Writing{IDB: tx, held: make(map[string]bool), counts: counts}
}

// Hold notes that the transaction keeps others away from what the words name.
func Hold(db bun.IDB, words ...string) {
	if w, ok := db.(Writing); ok {
		w.held[strings.Join(words, " ")] = true
	}
}

// Holds reports whether the transaction has noted that.
func Holds(db bun.IDB, words ...string) bool {
	w, ok := db.(Writing)
	return ok && w.held[strings.Join(words, " ")]
}

// ToChange selects rows that the transaction may change: no other one changes
// them before it ends.
func ToChange(db bun.IDB, q *bun.SelectQuery) *bun.SelectQuery {
	if _, ok := db.(Writing); ok {
		return q.For("NO KEY UPDATE")
	}
	return q
}

// ToRely selects rows that what the transaction writes refers to: they are not
// deleted before it ends, and a deletion that was first is seen.
func ToRely(db bun.IDB, q *bun.SelectQuery) *bun.SelectQuery {
	if _, ok := db.(Writing); ok {
		return q.For("KEY SHARE")
	}
	return q
}

// ToKeep selects rows that no other transaction changes before this one ends;
// any number of transactions may keep them at once.
func ToKeep(db bun.IDB, q *bun.SelectQuery) *bun.SelectQuery {
	if _, ok := db.(Writing); ok {
		return q.For("SHARE")
	}
	return q
}

// Alone waits until no other transaction that called it with the same words is
// under way. What is counted afterwards stays true until the transaction ends,
// as far as all who add to it count first.
func Alone(ctx context.Context, db bun.IDB, words ...string) error {
	return wait(ctx, db, "SELECT pg_advisory_xact_lock(hashtextextended(current_schema() || ?, 0))", words)
}

// Together waits until no transaction that called Alone with the same words is
// under way, and has those wait that do so later. Any number of transactions
// may be together.
func Together(ctx context.Context, db bun.IDB, words ...string) error {
	return wait(ctx, db, "SELECT pg_advisory_xact_lock_shared(hashtextextended(current_schema() || ?, 0))", words)
}

// Part is the part, from 0, to which what has an id is added of a sum that is
// kept in so many parts: who adds to another one need not wait.
func Part(id domain.ID, parts int) int {
	hash := fnv.New32a()
	_, _ = hash.Write([]byte(id))
	return int(hash.Sum32() % uint32(parts)) //nolint:gosec // parts are a few
}

func wait(ctx context.Context, db bun.IDB, lock string, words []string) error {
	if _, ok := db.(Writing); !ok || Holds(db, append(words, lock)...) {
		return nil
	}
	_, err := db.ExecContext(ctx, lock, " "+strings.Join(words, " "))
	if err == nil {
		Hold(db, append(words, lock)...)
	}
	return Error(err, "wait for a turn")
}

// SkipLocked ends a query for work to take: what others are just taking is
// passed over.
func SkipLocked(db bun.IDB) bun.Safe {
	if db.Dialect().Name() == dialect.PG {
		return "FOR UPDATE SKIP LOCKED"
	}
	return ""
}

// SkippingLocked is SkipLocked for a query that is built.
func SkippingLocked(db bun.IDB, q *bun.SelectQuery) *bun.SelectQuery {
	if db.Dialect().Name() == dialect.PG {
		return q.For("UPDATE SKIP LOCKED")
	}
	return q
}

// Now is the present by the database's clock, as a term of a statement.
func Now(db bun.IDB) schema.QueryWithArgs {
	if db.Dialect().Name() == dialect.PG {
		return schema.SafeQuery("(EXTRACT(EPOCH FROM statement_timestamp()) * 1000000)::bigint", nil)
	}
	return schema.SafeQuery("?", []any{At(time.Now())}) // its clock is ours
}
