package store_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"sync"
	"testing"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/store"
	"github.com/callwright/callwright/internal/store/storetest"
)

// rememberer answers whether workspaces are there as whoever remembers answers
// does: what it has read it tells again while the generation is the same.
type rememberer struct {
	db *store.DB

	mu         sync.Mutex
	generation uint64
	known      map[domain.ID]bool
	told       int // from memory
}

func (r *rememberer) has(ctx context.Context, id domain.ID) (bool, error) {
	now, ok := r.db.Generation(ctx)
	if !ok {
		return false, errors.New("the generation is not known")
	}
	r.mu.Lock()
	has, found := r.known[id]
	if r.generation != now {
		found = false
	}
	if found {
		r.told++
	}
	r.mu.Unlock()
	if found {
		return has, nil
	}
	err := r.db.View(ctx, func(ctx context.Context, s *domain.Stores) error {
		_, err := s.Workspaces.Get(ctx, id)
		if has = err == nil; domain.CodeOf(err) == domain.CodeNotFound {
			err = nil
		}
		return err
	})
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.generation != now {
		r.generation, r.known = now, make(map[domain.ID]bool)
	}
	r.known[id] = has
	return has, err
}

// TestGenerationsMissNoCommit has many ask for what is not there yet, write it, and
// ask again: none is told what was true before his own commit.
func TestGenerationsMissNoCommit(t *testing.T) {
	r := &rememberer{db: openIn(t, t.TempDir())}
	var running sync.WaitGroup
	for range 8 {
		running.Go(func() {
			for range 60 {
				w := workspace("w")
				for range 3 { // twice from memory, unless another has written
					if has, err := r.has(t.Context(), w.ID); has || err != nil {
						t.Errorf("before it was written: %t, %v", has, err)
					}
				}
				if err := r.db.InTx(t.Context(), domain.LaneAPI, create(w)); err != nil {
					t.Error(err)
				}
				for range 3 {
					if has, err := r.has(t.Context(), w.ID); !has || err != nil {
						t.Errorf("after it was written: %t, %v", has, err)
					}
				}
			}
		})
	}
	running.Wait()
	if r.told == 0 {
		t.Error("nothing was told from memory")
	}
}

// TestGenerationsSeeOtherProcesses reads beside a process that writes: as soon as
// that says that a commit is done, it is seen.
func TestGenerationsSeeOtherProcesses(t *testing.T) {
	dir := t.TempDir()
	openIn(t, dir) // makes it
	ctx, kill := context.WithCancel(t.Context())
	child := exec.CommandContext(ctx, os.Args[0])
	child.Env = append(os.Environ(), besideDir+"="+dir)
	child.Stderr = os.Stderr
	ask, err := child.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { kill(); _ = child.Wait() }() // it was killed
	db, err := store.Open(t.Context(), store.Options{Dir: dir, Shared: true})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	r, told := &rememberer{db: db}, bufio.NewScanner(out)
	for range 50 {
		w := workspace("w")
		for range 3 {
			if has, err := r.has(t.Context(), w.ID); has || err != nil {
				t.Fatalf("before it was written: %t, %v", has, err)
			}
		}
		fmt.Fprintln(ask, w.ID)
		if !told.Scan() || told.Text() != string(w.ID) {
			t.Fatalf("the other process said %q: %v", told.Text(), told.Err())
		}
		if has, err := r.has(t.Context(), w.ID); !has || err != nil {
			t.Fatalf("after it was written: %t, %v", has, err)
		}
	}
	if r.told < 50 {
		t.Errorf("%d answers from memory: each round has two, but for what the other process writes by itself", r.told)
	}
}

// besideDir is how the test binary learns that it is to write beside another
// process, and where.
const besideDir = "CALLWRIGHT_STORE_TEST_BESIDE"

// writeAsTold stores a workspace for each id on standard input, and says so.
func writeAsTold(dir string) error {
	db, err := store.Open(context.Background(), store.Options{Dir: dir, Shared: true})
	if err != nil {
		return err
	}
	ids := bufio.NewScanner(os.Stdin)
	for ids.Scan() {
		w := workspace("told")
		w.ID = domain.ID(ids.Text())
		if err := db.InTx(context.Background(), domain.LaneAPI, create(w)); err != nil {
			return err
		}
		fmt.Println(w.ID)
	}
	return errors.Join(ids.Err(), db.Close())
}

// TestGenerationIsNotAlwaysKnown: a closed database has none, nor has PostgreSQL.
func TestGenerationIsNotAlwaysKnown(t *testing.T) {
	url := storetest.URL(t)
	db := openBoth(t, t.TempDir(), url)
	if g, known := db.Generation(t.Context()); known != (url == "") {
		t.Errorf("an open database has the generation %d, %t", g, known)
	}
	gone, leave := context.WithCancel(t.Context())
	leave()
	if g, known := db.Generation(gone); known {
		t.Errorf("who is gone is told %d", g)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if g, known := db.Generation(t.Context()); known {
		t.Errorf("a closed database has the generation %d", g)
	}
}

// BenchmarkGeneration asks for it.
func BenchmarkGeneration(b *testing.B) {
	db, err := store.Open(b.Context(), store.Options{Dir: b.TempDir()})
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	began := processorTime(b)
	b.ReportAllocs()
	for b.Loop() {
		if _, known := db.Generation(b.Context()); !known {
			b.Fatal("it is not known")
		}
	}
	b.ReportMetric(float64(processorTime(b)-began)/float64(b.N), "cpu-ns/op")
}
