package store_test

import (
	"bufio"
	"context"
	"database/sql"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/store"
)

func wantCode(t *testing.T, err error, code domain.Code, what string) {
	t.Helper()
	if domain.CodeOf(err) != code || !strings.Contains(err.Error(), what) {
		t.Fatalf("error %v with code %q, want %q and a message with %q", err, domain.CodeOf(err), code, what)
	}
}

func create(w domain.Workspace) func(context.Context, *domain.Stores) error {
	return func(ctx context.Context, s *domain.Stores) error { return s.Workspaces.Create(ctx, &w) }
}

func workspace(name string) domain.Workspace {
	return domain.Workspace{ID: domain.NewID(), Name: name, CreatedAt: time.Now()}
}

func TestDSN(t *testing.T) {
	for dsn, what := range map[string]string{
		"mysql://u:secret@h/d":                    `"mysql"`,
		"postgres://u:secret@h:port/d":            "postgres://user:password@host:5432/name",
		"postgres://u:secret@h:1/d?sslmode=maybe": "postgres://user:password@host:5432/name",
	} {
		dir := filepath.Join(t.TempDir(), "none")
		_, err := store.Open(t.Context(), store.Options{Dir: dir, DSN: dsn})
		wantCode(t, err, domain.CodeInvalid, what)
		if strings.Contains(err.Error(), "sec") {
			t.Errorf("the error shows the password: %v", err)
		}
		if _, err := os.Stat(dir); err == nil {
			t.Error("the data directory was made for a database that is not there")
		}
	}
}

func TestOneServerForADirectory(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "odd ?#%41 name")
	first := openIn(t, dir)
	_, err := store.Open(t.Context(), store.Options{Dir: dir})
	wantCode(t, err, domain.CodeConflict, dir)
	wantCode(t, err, domain.CodeConflict, "--data")

	// A command beside the server writes and reads the same database.
	beside, err := store.Open(t.Context(), store.Options{Dir: dir, Shared: true})
	if err != nil {
		t.Fatal(err)
	}
	w := workspace("beside")
	if err := beside.InTx(t.Context(), domain.LaneAPI, create(w)); err != nil {
		t.Fatal(err)
	}
	if err := beside.Close(); err != nil {
		t.Fatal(err)
	}
	err = first.View(t.Context(), func(ctx context.Context, s *domain.Stores) error {
		_, err := s.Workspaces.Get(ctx, w.ID)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(filepath.Join(dir, store.File))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("the database's mode is %v (%v), want it readable by its owner only", info.Mode(), err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	err = first.InTx(t.Context(), domain.LaneAPI, create(workspace("late")))
	wantCode(t, err, domain.CodeUnavailable, "closed")
	err = first.View(t.Context(), func(context.Context, *domain.Stores) error { return nil })
	wantCode(t, err, domain.CodeUnavailable, "database")
	openIn(t, dir) // the lock is free again
}

func TestSharedMakesTheTables(t *testing.T) {
	dir := t.TempDir()
	for range 2 {
		db, err := store.Open(t.Context(), store.Options{Dir: dir, Shared: true})
		if err != nil {
			t.Fatal(err)
		}
		if err := db.InTx(t.Context(), domain.LaneAPI, create(workspace("first"))); err != nil {
			t.Fatal(err)
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
	}
	openIn(t, dir)
}

// raw opens the database of dir beside the store.
func raw(t *testing.T, dir string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", filepath.Join(dir, store.File)+"?_pragma=busy_timeout(5000)")
	if err != nil {
		t.Fatal(err)
	}
	db.SetMaxOpenConns(1)
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func TestNewerTablesAreRefused(t *testing.T) {
	dir := t.TempDir()
	if err := openIn(t, dir).Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := raw(t, dir).Exec("INSERT INTO goose_db_version (version_id, is_applied) VALUES (9000, 1)"); err != nil {
		t.Fatal(err)
	}
	_, err := store.Open(t.Context(), store.Options{Dir: dir})
	wantCode(t, err, domain.CodeConflict, "version 9000")
	_, err = store.Open(t.Context(), store.Options{Dir: dir, Shared: true})
	wantCode(t, err, domain.CodeConflict, "version 9000")
}

func TestOldTablesBesideAServer(t *testing.T) {
	dir := t.TempDir()
	openIn(t, dir)
	if _, err := raw(t, dir).Exec("DELETE FROM goose_db_version WHERE version_id > 0"); err != nil {
		t.Fatal(err)
	}
	_, err := store.Open(t.Context(), store.Options{Dir: dir, Shared: true})
	wantCode(t, err, domain.CodeConflict, "restart the server")
}

func TestNoDirectory(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := store.Open(t.Context(), store.Options{Dir: file})
	wantCode(t, err, domain.CodeInvalid, file)
}

// childDir is how the test binary learns that it is the child of TestKill, and
// where to write.
const childDir = "CALLWRIGHT_STORE_TEST_CHILD"

// writeUntilKilled is the child: it prints the id of every workspace whose
// commit was acknowledged.
func writeUntilKilled(dir string) int {
	db, err := store.Open(context.Background(), store.Options{Dir: dir})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	acked := make(chan domain.ID)
	for range 16 {
		go func() {
			for {
				w := workspace("acknowledged")
				if err := db.InTx(context.Background(), domain.LaneAPI, create(w)); err != nil {
					fmt.Fprintln(os.Stderr, err)
					os.Exit(1)
				}
				acked <- w.ID
			}
		}()
	}
	for id := range acked {
		fmt.Println(id) // unbuffered: one write(2) a line
	}
	return 0
}

// TestKill kills a writing process with SIGKILL again and again: what it
// acknowledged is there.
func TestKill(t *testing.T) {
	dir := t.TempDir()
	var acked []domain.ID
	for round := range 5 {
		child := exec.CommandContext(t.Context(), os.Args[0])
		child.Env = append(os.Environ(), childDir+"="+dir)
		child.Stderr = os.Stderr
		out, err := child.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := child.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(out)
		var kill *time.Timer
		for lines.Scan() {
			if id := domain.ID(lines.Text()); id.Valid() { // the last line may be torn
				acked = append(acked, id)
			}
			if kill == nil {
				kill = time.AfterFunc(time.Duration(40+37*round)*time.Millisecond, func() { _ = child.Process.Kill() })
			}
		}
		if err := child.Wait(); kill == nil || err == nil {
			t.Fatalf("the child ended by itself: %v", err)
		}
	}
	if len(acked) < 50 {
		t.Fatalf("only %d commits were acknowledged in 5 rounds", len(acked))
	}
	db := openIn(t, dir)
	err := db.View(t.Context(), func(ctx context.Context, s *domain.Stores) error {
		for _, id := range acked {
			if _, err := s.Workspaces.Get(ctx, id); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatalf("of %d acknowledged commits: %v", len(acked), err)
	}
	var verdict string
	if err := raw(t, dir).QueryRow("PRAGMA integrity_check").Scan(&verdict); err != nil || verdict != "ok" {
		t.Fatalf("integrity_check says %q (%v)", verdict, err)
	}
	t.Logf("%d acknowledged commits survived 5 kills", len(acked))
}

// TestLeasesEndWithTheirServer claims a delivery and a job and goes away; the
// next server has both at once, a command beside it changes nothing.
func TestLeasesEndWithTheirServer(t *testing.T) {
	dir := t.TempDir()
	in := domain.Scope{Workspace: domain.NewID(), Mode: domain.Live}
	now := time.Now()
	claim := func(db *store.DB) (n int) {
		t.Helper()
		err := db.InTx(t.Context(), domain.LaneBackground, func(ctx context.Context, s *domain.Stores) error {
			deliveries, _, err := s.Deliveries.Claim(ctx, now, time.Hour, 10)
			if err != nil {
				return err
			}
			jobs, _, err := s.Jobs.Claim(ctx, domain.JobAnalysis, now, time.Hour, 10)
			n = len(deliveries) + len(jobs)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	open := func(shared bool) *store.DB {
		t.Helper()
		db, err := store.Open(t.Context(), store.Options{Dir: dir, Shared: shared})
		if err != nil {
			t.Fatal(err)
		}
		return db
	}
	first := open(false)
	err := first.InTx(t.Context(), domain.LaneAPI, func(ctx context.Context, s *domain.Stores) error {
		d := &domain.Delivery{ID: domain.NewID(), WorkspaceID: in.Workspace, Mode: in.Mode, State: domain.DeliveryPending, NextAt: now, Body: []byte("{}"), CreatedAt: now}
		if err := s.Deliveries.Create(ctx, d); err != nil {
			return err
		}
		return s.Jobs.Create(ctx, &domain.Job{ID: domain.NewID(), WorkspaceID: in.Workspace, Mode: in.Mode, Kind: domain.JobAnalysis, State: domain.JobPending, NextAt: now, CreatedAt: now})
	})
	if err != nil {
		t.Fatal(err)
	}
	if n := claim(first); n != 2 {
		t.Fatalf("claimed %d, want 2", n)
	}
	beside := open(true)
	if n := claim(beside); n != 0 {
		t.Errorf("a command beside the server freed %d", n)
	}
	for _, db := range []*store.DB{beside, first} {
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if n := claim(openIn(t, dir)); n != 2 {
		t.Errorf("the next server has %d, want 2 at once", n)
	}
}
