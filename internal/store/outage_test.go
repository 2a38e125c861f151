package store_test

import (
	"bytes"
	"context"
	"net"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/store"
	"github.com/callwright/callwright/internal/store/storetest"
)

// line is a network between the store and its server that can be cut.
type line struct {
	listener net.Listener
	server   string
	wg       sync.WaitGroup
	// deafOn, when set, makes a connection on which these bytes are sent break off
	// as soon as the server answers.
	deafOn atomic.Pointer[[]byte]

	mu    sync.Mutex
	cut   bool
	conns map[net.Conn]bool
}

// behindLine returns a URL that leads to the database over a line.
func behindLine(t *testing.T, at string) (string, *line) {
	t.Helper()
	u, err := url.Parse(at)
	if err != nil {
		t.Fatal(err)
	}
	l := &line{server: u.Host, conns: map[net.Conn]bool{}}
	if l.listener, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	l.wg.Go(l.accept)
	t.Cleanup(func() {
		_ = l.listener.Close()
		l.setCut(true)
		l.wg.Wait()
	})
	u.Host = l.listener.Addr().String()
	return u.String(), l
}

func (l *line) accept() {
	for {
		client, err := l.listener.Accept()
		if err != nil {
			return
		}
		server, err := net.Dial("tcp", l.server)
		if err != nil || !l.join(client, server) {
			_ = client.Close()
			continue
		}
		var deaf atomic.Bool
		l.wg.Go(func() {
			forward(server, client, func(sent []byte) bool {
				if word := l.deafOn.Load(); word != nil && bytes.Contains(sent, *word) {
					deaf.Store(true)
				}
				return true
			})
		})
		l.wg.Go(func() { forward(client, server, func([]byte) bool { return !deaf.Load() }) })
	}
}

func (l *line) join(conns ...net.Conn) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, c := range conns {
		if l.cut {
			_ = c.Close()
			continue
		}
		l.conns[c] = true
	}
	return !l.cut
}

// setCut cuts the line, or lets new connections through again.
func (l *line) setCut(cut bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.cut = cut
	if cut {
		for c := range l.conns {
			_ = c.Close()
		}
		clear(l.conns)
	}
}

// forward passes on what pass lets through, until it does not.
func forward(to, from net.Conn, pass func([]byte) bool) {
	defer func() { _, _ = to.Close(), from.Close() }()
	buf := make([]byte, 64<<10)
	for {
		n, err := from.Read(buf)
		if n > 0 {
			if !pass(buf[:n]) {
				return
			}
			if _, err := to.Write(buf[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// TestCutLine cuts the network under a store: writes and reads are unavailable
// after a bounded time, then work again by themselves.
func TestCutLine(t *testing.T) {
	storetest.OnPostgres(t, func(t *testing.T, at string) {
		over, l := behindLine(t, at)
		db := openAt(t, over)
		if err := db.InTx(t.Context(), domain.LaneAPI, create(workspace("before"))); err != nil {
			t.Fatal(err)
		}
		nothing := func(context.Context, *domain.Stores) error { return nil }
		l.setCut(true)
		began := time.Now()
		wantCode(t, db.InTx(t.Context(), domain.LaneAPI, create(workspace("lost"))), domain.CodeUnavailable, "try again")
		if took := time.Since(began); took > store.LostPatience+10*time.Second {
			t.Errorf("who writes waits for %s", took)
		}
		wantCode(t, db.View(t.Context(), nothing), domain.CodeUnavailable, "try again")
		began = time.Now()
		wantCode(t, db.InTx(t.Context(), domain.LaneAPI, create(workspace("lost"))), domain.CodeUnavailable, "try again")
		if took := time.Since(began); took > time.Second {
			t.Errorf("while it is known to be gone, who writes waits for %s", took)
		}
		// Closures that wait in the buffer are kept.
		buffer := store.NewBuffer(db, nil)
		kept := workspace("kept")
		if !buffer.Put(create(kept)) {
			t.Error("the buffer took nothing")
		}
		l.setCut(false)
		if err := db.InTx(t.Context(), domain.LaneAPI, create(workspace("after"))); err != nil {
			t.Errorf("the store did not recover: %v", err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		if err := buffer.Close(ctx); err != nil {
			t.Error(err)
		}
		err := db.View(t.Context(), func(ctx context.Context, s *domain.Stores) error {
			_, err := s.Workspaces.Get(ctx, kept.ID)
			return err
		})
		if err != nil {
			t.Error(err)
		}
		conn := direct(t, at)
		if n := value[int](t, conn, "SELECT count(*) FROM workspaces WHERE name = 'lost'"); n != 0 {
			t.Errorf("%d writes are there although they were refused", n)
		}
	})
}

// TestShortBreakIsNotSeen cuts all connections while many write: they are run
// again, each is committed once, and nobody is told.
func TestShortBreakIsNotSeen(t *testing.T) {
	storetest.OnPostgres(t, func(t *testing.T, at string) {
		name := string(domain.NewID())
		db := openAt(t, with(t, at, "application_name", name))
		conn := direct(t, at)
		ctx, stop := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		var acked, unknown atomic.Int64
		for range 8 {
			wg.Go(func() {
				for ctx.Err() == nil {
					err := db.InTx(t.Context(), domain.LaneAPI, create(workspace("w")))
					switch domain.CodeOf(err) {
					case "":
						acked.Add(1)
					case domain.CodeUnavailable: // cut in the middle of a commit
						unknown.Add(1)
					default:
						t.Error(err)
					}
				}
			})
		}
		for round := range 3 {
			before := acked.Load()
			eventually(t, "going on", func() bool { return acked.Load() > before+20 })
			cut := value[int](t, conn, "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = $1", name)
			if cut == 0 {
				t.Errorf("round %d: nothing was cut", round)
			}
		}
		before := acked.Load()
		eventually(t, "going on after the last cut", func() bool { return acked.Load() > before+20 })
		stop()
		wg.Wait()
		there := value[int64](t, conn, "SELECT count(*) FROM workspaces")
		if there < acked.Load() || there > acked.Load()+unknown.Load() {
			t.Errorf("%d rows are there; %d were acknowledged, %d are unknown", there, acked.Load(), unknown.Load())
		}
		t.Logf("%d acknowledged, %d unknown", acked.Load(), unknown.Load())
	})
}

// TestLostAnswerToCommit loses what the server says to a COMMIT: nobody knows
// whether it is done, so it is not done again.
func TestLostAnswerToCommit(t *testing.T) {
	storetest.OnPostgres(t, func(t *testing.T, at string) {
		over, l := behindLine(t, at)
		db := openAt(t, over)
		word := []byte("\x0bcommit\x00") // the length and text of the statement
		l.deafOn.Store(&word)
		runs := 0
		w := workspace("once")
		err := db.InTx(t.Context(), domain.LaneAPI, func(ctx context.Context, s *domain.Stores) error {
			runs++
			return create(w)(ctx, s)
		})
		wantCode(t, err, domain.CodeUnavailable, "try again")
		l.deafOn.Store(nil)
		if n := value[int](t, direct(t, at), "SELECT count(*) FROM workspaces"); n != 1 || runs != 1 {
			t.Errorf("%d rows after %d runs", n, runs)
		}
		if err := db.InTx(t.Context(), domain.LaneAPI, create(workspace("after"))); err != nil {
			t.Error(err)
		}
	})
}
