package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"modernc.org/sqlite"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/store/lift"
)

func openDB(t *testing.T) (*DB, string) {
	t.Helper()
	dir := t.TempDir()
	db, err := Open(t.Context(), Options{Dir: dir, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db, filepath.Join(dir, File)
}

func workspaceNamed(name string) (domain.ID, func(context.Context, *domain.Stores) error) {
	w := domain.Workspace{ID: domain.NewID(), Name: name, CreatedAt: time.Now()}
	return w.ID, func(ctx context.Context, s *domain.Stores) error { return s.Workspaces.Create(ctx, &w) }
}

func add(t *testing.T, db *DB, name string) (domain.ID, error) {
	t.Helper()
	id, fn := workspaceNamed(name)
	return id, db.InTx(t.Context(), domain.LaneAPI, fn)
}

func exists(t *testing.T, db *DB, id domain.ID) bool {
	t.Helper()
	err := db.View(t.Context(), func(ctx context.Context, s *domain.Stores) error {
		_, err := s.Workspaces.Get(ctx, id)
		return err
	})
	if err != nil && domain.CodeOf(err) != domain.CodeNotFound {
		t.Fatal(err)
	}
	return err == nil
}

// sqliteWriter is the writer of a database of SQLite.
func sqliteWriter(db *DB) *writer {
	w, _ := db.writer.(*writer) // nil fails the test that uses it
	return w
}

// hold occupies the writer until release is called.
func hold(t *testing.T, db *DB) (release func()) {
	t.Helper()
	started, stop, ended := make(chan struct{}), make(chan struct{}), make(chan error)
	go func() {
		ended <- db.InTx(context.Background(), domain.LaneCall, func(context.Context, *domain.Stores) error {
			close(started)
			<-stop
			time.Sleep(groupTime) // what waits goes into the next group
			return nil
		})
	}()
	<-started
	return func() {
		close(stop)
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
}

// onCommit has hook called with each COMMIT of the writer; anything but 0 makes
// it fail.
func onCommit(t *testing.T, db *DB, hook sqlite.CommitHookFn) {
	t.Helper()
	conn, err := sqliteWriter(db).db.DB.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	err = conn.Raw(func(driver any) error {
		hooks, ok := driver.(*lift.SQLiteConn).Bare().(sqlite.HookRegisterer)
		if !ok {
			return errors.New("the driver has no hooks")
		}
		hooks.RegisterCommitHook(hook)
		return nil
	})
	if err := errors.Join(err, conn.Close()); err != nil {
		t.Fatal(err)
	}
}

func TestEveryConnectionIsSetUp(t *testing.T) {
	db, _ := openDB(t)
	for name, pool := range map[string]*sql.DB{"writer": sqliteWriter(db).db.DB, "readers": db.reads.pool.DB, "checkpoints": db.checks.db.DB} {
		want := map[string]string{"synchronous": "2", "journal_mode": "wal"}
		if name == "readers" {
			want["query_only"] = "1"
		} else {
			want["wal_autocheckpoint"] = "0"
		}
		for pragma, value := range want {
			var got string
			if err := pool.QueryRow("PRAGMA " + pragma).Scan(&got); err != nil || got != value {
				t.Errorf("%s: %s is %q (%v), want %s", name, pragma, got, err, value)
			}
		}
	}
}

// waitFor polls until ok holds.
func waitFor(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("it did not happen within 10 s: " + what)
		}
	}
}

func queued(l *lanes) (n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, q := range l.queues {
		n += len(q)
	}
	return n
}

// TestFailedCommit fails a COMMIT: everyone of the group is told, nothing of it
// is there, and the next group succeeds.
func TestFailedCommit(t *testing.T) {
	db, _ := openDB(t)
	var fail atomic.Bool
	onCommit(t, db, func() int32 {
		if fail.Swap(false) {
			return 1
		}
		return 0
	})
	db.AfterCommit("jobs", func() { t.Error("a hint about a commit that failed") })
	release := hold(t, db)
	var wg sync.WaitGroup
	for i := range 3 {
		id, fn := workspaceNamed("lost")
		wg.Go(func() {
			err := db.InTx(context.Background(), domain.LaneAPI, func(ctx context.Context, s *domain.Stores) error {
				if i == 0 {
					fail.Store(true)
					if err := s.Jobs.Create(ctx, &domain.Job{ID: id, State: domain.JobPending}); err != nil {
						return err
					}
				}
				return fn(ctx, s)
			})
			if i == 0 && domain.CodeOf(err) != domain.CodeUnavailable {
				t.Errorf("InTx returned %v for a group that was not committed", err)
			}
			if there := exists(t, db, id); there != (err == nil) {
				t.Errorf("InTx returned %v, and the row is there: %t", err, there)
			}
		})
	}
	waitFor(t, "three writes wait", func() bool { return queued(sqliteWriter(db).lanes) == 3 })
	release()
	wg.Wait()
	if id, err := add(t, db, "after"); err != nil || !exists(t, db, id) {
		t.Fatalf("the writer did not recover: %v", err)
	}
}

func TestFullDisk(t *testing.T) {
	db, _ := openDB(t)
	limit := func(pages string) {
		t.Helper()
		if _, err := sqliteWriter(db).db.ExecContext(t.Context(), "PRAGMA max_page_count="+pages); err != nil {
			t.Fatal(err)
		}
	}
	limit("1") // that is: as many as there are now
	big := string(slices.Repeat([]byte("x"), 1<<20))
	id, err := add(t, db, big)
	if domain.CodeOf(err) != domain.CodeUnavailable || exists(t, db, id) {
		t.Fatalf("on a full disk InTx returned %v, want %s", err, domain.CodeUnavailable)
	}
	// Reading goes on, and writing too as soon as there is room: also on a
	// connection whose transaction was lost.
	limit("1000000")
	if id, err := add(t, db, big); err != nil || !exists(t, db, id) {
		t.Fatalf("with room again InTx returned %v", err)
	}
}

// TestLockOfAnotherProcess holds the write lock for a while, as a command beside
// the server does: writes wait for it, reads do not.
func TestLockOfAnotherProcess(t *testing.T) {
	db, path := openDB(t)
	other, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = other.Close() }()
	other.SetMaxOpenConns(1)
	if _, err := other.Exec("BEGIN IMMEDIATE"); err != nil {
		t.Fatal(err)
	}
	outcome := make(chan error, 1)
	go func() {
		_, err := add(t, db, "patient")
		outcome <- err
	}()
	ctx, cancel := context.WithTimeout(t.Context(), 1200*time.Millisecond) // longer than one busy timeout
	defer cancel()
	_, fn := workspaceNamed("impatient")
	if err := db.InTx(ctx, domain.LaneAPI, fn); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("InTx returned %v while another process held the lock", err)
	}
	exists(t, db, "none")
	if _, err := other.Exec("COMMIT"); err != nil {
		t.Fatal(err)
	}
	if err := <-outcome; err != nil {
		t.Fatalf("after another process gave the lock back InTx returned %v", err)
	}
}

// TestGoexit ends the writer's goroutine from a closure, as FailNow of a test
// would: only that group suffers.
func TestGoexit(t *testing.T) {
	db, _ := openDB(t)
	id, fn := workspaceNamed("gone")
	err := db.InTx(t.Context(), domain.LaneAPI, func(ctx context.Context, s *domain.Stores) error {
		if err := fn(ctx, s); err != nil {
			return err
		}
		runtime.Goexit()
		return nil
	})
	if domain.CodeOf(err) != domain.CodeInternal || exists(t, db, id) {
		t.Fatalf("InTx returned %v, want an internal error and no row", err)
	}
	if id, err := add(t, db, "after"); err != nil || !exists(t, db, id) {
		t.Fatalf("the writer did not recover: %v", err)
	}
}

// TestLanes proves the order in which waiting writes are taken.
func TestLanes(t *testing.T) {
	l := newLanes()
	names := map[*write]string{}
	for lane, name := range map[domain.Lane]string{
		domain.LaneCall: "call", domain.LaneDial: "dial", domain.LaneAPI: "api", domain.LaneBackground: "background", 77: "background",
	} {
		for i := range 12 {
			w := &write{}
			names[w] = name
			if i == 5 {
				w.fate.Store(abandoned)
			}
			l.push(lane, w)
		}
	}
	var order []string
	for w := l.pop(); w != nil; w = l.pop() {
		order = append(order, names[w])
	}
	if len(order) != 55 {
		t.Fatalf("%d writes were taken, want all 55 that were not abandoned", len(order))
	}
	var rest []string
	for i, name := range order[:36] {
		if name == "background" {
			if (i+1)%10 != 0 {
				t.Errorf("the background lane was served as number %d", i+1)
			}
			continue
		}
		rest = append(rest, name)
	}
	if len(rest) != 33 || !slices.IsSortedFunc(rest, func(a, b string) int { return urgency[a] - urgency[b] }) {
		t.Errorf("the lanes were served in the order %v", order)
	}
	l.close()
	if l.wait() || l.push(domain.LaneCall, &write{}) {
		t.Error("closed lanes take writes")
	}
}

var urgency = map[string]int{"call": 0, "dial": 1, "api": 2}

// TestGroupsShareCommits proves that many writers share few commits.
func TestGroupsShareCommits(t *testing.T) {
	db, _ := openDB(t)
	var commits atomic.Int64
	onCommit(t, db, func() int32 {
		commits.Add(1)
		return 0
	})
	release := hold(t, db)
	const writers = 200
	var wg sync.WaitGroup
	for i := range writers {
		wg.Go(func() {
			if _, err := add(t, db, fmt.Sprint(i)); err != nil {
				t.Error(err)
			}
		})
	}
	waitFor(t, "all writes wait", func() bool { return queued(sqliteWriter(db).lanes) == writers })
	release()
	wg.Wait()
	if n := commits.Load(); n < writers/groupSize || n > writers/2 {
		t.Errorf("%d writes took %d commits", writers, n)
	}
}

// TestLogIsCutShort writes more than the log may hold and sees it copied and cut.
func TestLogIsCutShort(t *testing.T) {
	db, path := openDB(t)
	page := string(slices.Repeat([]byte("x"), 1<<20))
	for range 10 {
		if _, err := add(t, db, page); err != nil {
			t.Fatal(err)
		}
	}
	waitFor(t, "the log is copied into the database", func() bool {
		var pages int64
		if err := db.reads.pool.QueryRow("SELECT page_count * page_size FROM pragma_page_count, pragma_page_size").Scan(&pages); err != nil {
			t.Fatal(err)
		}
		return size(t, path) >= walCopy && pages >= 10<<20
	})
	db.checks.checkpoint("TRUNCATE")
	if n := size(t, path+"-wal"); n != 0 {
		t.Errorf("the log still has %d bytes after it was cut", n)
	}
}

func size(t *testing.T, path string) int64 {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info.Size()
}
