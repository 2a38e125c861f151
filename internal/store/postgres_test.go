package store_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/queue"
	"github.com/callwright/callwright/internal/store"
	"github.com/callwright/callwright/internal/store/storetest"
)

// direct is a connection beside the store.
func direct(t *testing.T, at string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), at)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}

// value reads one value, or runs a statement that gives one.
func value[T any](t *testing.T, conn *pgx.Conn, statement string, args ...any) (v T) {
	t.Helper()
	if err := conn.QueryRow(t.Context(), statement, args...).Scan(&v); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
	return v
}

// with returns a URL with one more parameter.
func with(t *testing.T, at, name, value string) string {
	t.Helper()
	u, err := url.Parse(at)
	if err != nil {
		t.Fatal(err)
	}
	q := u.Query()
	q.Set(name, value)
	u.RawQuery = q.Encode()
	return u.String()
}

// eventually waits until done.
func eventually(t *testing.T, what string, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !done(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not %s after 20 s", what)
		}
	}
}

// TestManyServersStartAtOnce opens an empty database from several servers: one
// makes the tables, none fails.
func TestManyServersStartAtOnce(t *testing.T) {
	storetest.OnPostgres(t, func(t *testing.T, _ string) {
		at := storetest.Empty(t)
		var wg sync.WaitGroup
		for range 6 {
			wg.Go(func() {
				db, err := store.Open(t.Context(), store.Options{DSN: at})
				if err != nil {
					t.Error(err)
					return
				}
				err = db.InTx(t.Context(), domain.LaneAPI, create(workspace("x")))
				if err := errors.Join(err, db.Close()); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		conn := direct(t, at)
		if n := value[int](t, conn, "SELECT count(*) FROM workspaces"); n != 6 {
			t.Errorf("%d workspaces, want 6", n)
		}
		if n := value[int](t, conn, "SELECT count(*) - count(DISTINCT version_id) FROM goose_db_version"); n != 0 {
			t.Errorf("%d migrations ran twice", n)
		}
	})
}

func TestTablesOfOtherVersionsOnPostgres(t *testing.T) {
	storetest.OnPostgres(t, func(t *testing.T, at string) {
		openAt(t, at)
		conn := direct(t, at)
		run := func(statement string) {
			t.Helper()
			if _, err := conn.Exec(t.Context(), statement); err != nil {
				t.Fatal(err)
			}
		}
		run("INSERT INTO goose_db_version (version_id, is_applied) VALUES (9000, true)")
		for _, shared := range []bool{false, true} {
			_, err := store.Open(t.Context(), store.Options{DSN: at, Shared: shared})
			wantCode(t, err, domain.CodeConflict, "version 9000")
		}
		// A command beside a server leaves old tables alone; where none lives it
		// brings them up to date.
		run("DELETE FROM goose_db_version WHERE version_id > 0")
		run("INSERT INTO nodes (epoch, address, started_at, beat_at) SELECT 'e', '', 0, EXTRACT(EPOCH FROM now()) * 1000000")
		_, err := store.Open(t.Context(), store.Options{DSN: at, Shared: true})
		wantCode(t, err, domain.CodeConflict, "restart the server")
	})
}

// TestRefusals asks for databases that cannot be used: the error says what is
// wrong and what to do, in one line and without the password.
func TestRefusals(t *testing.T) {
	storetest.OnPostgres(t, func(t *testing.T, at string) {
		good, err := url.Parse(at)
		if err != nil {
			t.Fatal(err)
		}
		password, _ := good.User.Password()
		change := func(fn func(u *url.URL)) string {
			u := *good
			fn(&u)
			return u.String()
		}
		gone, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		if err := gone.Close(); err != nil {
			t.Fatal(err)
		}
		for _, c := range []struct {
			name, dsn string
			code      domain.Code
			says      []string
		}{
			{"out of reach", change(func(u *url.URL) { u.Host = gone.Addr().String() }), domain.CodeUnavailable, []string{gone.Addr().String(), "connection refused", "--database"}},
			{"no such host", change(func(u *url.URL) { u.Host = "nowhere.invalid:5432" }), domain.CodeUnavailable, []string{"nowhere.invalid:5432", "--database"}},
			{"password", change(func(u *url.URL) { u.User = url.UserPassword("callwright", "wr0ng-"+password) }), domain.CodeInvalid, []string{`"callwright"`, "password"}},
			{"user", change(func(u *url.URL) { u.User = url.UserPassword("nobody", password) }), domain.CodeInvalid, []string{`"nobody"`}},
			{"database", change(func(u *url.URL) { u.Path = "/absent" }), domain.CodeInvalid, []string{`"absent"`, "createdb absent"}},
			{"schema", with(t, at, "search_path", "absent"), domain.CodeInvalid, []string{"search_path", "absent"}},
			{"setting", with(t, at, "colour", "red"), domain.CodeUnavailable, []string{"colour"}},
			{"read only", with(t, at, "default_transaction_read_only", "on"), domain.CodeInvalid, []string{"can only be read", "primary"}},
			{"too old", oldServer(t), domain.CodeInvalid, []string{"PostgreSQL 9.6.24", "14 or newer"}},
		} {
			t.Run(c.name, func(t *testing.T) {
				_, err := store.Open(t.Context(), store.Options{DSN: c.dsn})
				for _, what := range c.says {
					wantCode(t, err, c.code, what)
				}
				if strings.Contains(err.Error(), password) || strings.Contains(err.Error(), "\n") {
					t.Errorf("the error shows the password, or is longer than a line: %v", err)
				}
			})
		}
	})
}

// oldServer speaks as a PostgreSQL that is too old, as far as its version.
func oldServer(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		conn, err := l.Accept()
		if err != nil {
			return // nobody came
		}
		defer func() { _ = conn.Close() }()
		backend := pgproto3.NewBackend(conn, conn)
		if _, err := backend.ReceiveStartupMessage(); err != nil {
			t.Error(err)
			return
		}
		backend.Send(&pgproto3.AuthenticationOk{})
		backend.Send(&pgproto3.ParameterStatus{Name: "server_version", Value: "9.6.24"})
		backend.Send(&pgproto3.BackendKeyData{ProcessID: 1, SecretKey: []byte{0, 0, 0, 1}})
		backend.Send(&pgproto3.ReadyForQuery{TxStatus: 'I'})
		if err := backend.Flush(); err != nil {
			t.Error(err)
		}
		_, _ = backend.Receive() // the end
	})
	t.Cleanup(func() {
		_ = l.Close()
		wg.Wait()
	})
	return "postgres://u:p@" + l.Addr().String() + "/d?sslmode=disable"
}

// TestTwoStoresClaimEachOnce has two stores claim 5,000 attempts, deliveries and
// jobs at once.
func TestTwoStoresClaimEachOnce(t *testing.T) {
	storetest.OnPostgres(t, func(t *testing.T, at string) {
		one, two := openAt(t, at), openAt(t, at)
		const rows = 5000
		_, err := direct(t, at).Exec(t.Context(), `
			INSERT INTO attempts (id, workspace_id, mode, call_id, number, trunk_id, try_number, state, next_at, lease_until, claim, epoch, sip_call_id, end_reason, created_at, ended_at)
			SELECT lpad(n::text, 24, '0'), 'w', 'live', 'c' || n, '+1', 't', 1, 'planned', 1, 0, 0, '', '', '', 1, 0 FROM generate_series(1, 5000) n;
			INSERT INTO jobs (id, workspace_id, mode, kind, subject, state, next_at, lease_until, attempt, error, created_at)
			SELECT lpad(n::text, 24, '0'), 'w', 'live', 'k', '', 'pending', 1, 0, 0, '', 1 FROM generate_series(1, 5000) n;
			INSERT INTO deliveries (id, workspace_id, mode, event_id, event_type, endpoint_id, call_id, body, state, next_at, lease_until, attempt, status_code, error, response, latency_ms, created_at, finished_at)
			SELECT lpad(n::text, 24, '0'), 'w', 'live', '', '', 'e', '', '', 'pending', 1, 0, 0, 0, '', '', 0, 1, 0 FROM generate_series(1, 5000) n`)
		if err != nil {
			t.Fatal(err)
		}
		claims := map[string]func(ctx context.Context, s *domain.Stores, now time.Time) ([]domain.ID, error){
			"attempts": func(ctx context.Context, s *domain.Stores, now time.Time) ([]domain.ID, error) {
				got, _, err := s.Attempts.Claim(ctx, "epoch", now, time.Hour, 64)
				return ids(got, func(a domain.Attempt) domain.ID { return a.ID }), err
			},
			"jobs": func(ctx context.Context, s *domain.Stores, now time.Time) ([]domain.ID, error) {
				got, _, err := s.Jobs.Claim(ctx, "k", now, time.Hour, 64)
				return ids(got, func(j domain.Job) domain.ID { return j.ID }), err
			},
			"deliveries": func(ctx context.Context, s *domain.Stores, now time.Time) ([]domain.ID, error) {
				got, _, err := s.Deliveries.Claim(ctx, now, time.Hour, 64, "busy")
				return ids(got, func(d domain.Delivery) domain.ID { return d.ID }), err
			},
		}
		for what, claim := range claims {
			var mu sync.Mutex
			times := map[domain.ID]int{}
			var wg sync.WaitGroup
			for i := range 8 {
				db := []*store.DB{one, two}[i%2]
				wg.Go(func() {
					for misses := 0; misses < 3; {
						var got []domain.ID
						err := db.InTx(t.Context(), domain.LaneDial, func(ctx context.Context, s *domain.Stores) (err error) {
							got, err = claim(ctx, s, time.Now())
							return err
						})
						if err != nil {
							t.Error(err)
							return
						}
						if len(got) > 64 {
							t.Errorf("%d came where 64 were asked for", len(got))
						}
						if len(got) == 0 {
							misses++ // others may just be taking the last ones
						}
						mu.Lock()
						for _, id := range got {
							times[id]++
						}
						mu.Unlock()
					}
				})
			}
			wg.Wait()
			for id, n := range times {
				if n != 1 {
					t.Errorf("%s: %s was claimed %d times", what, id, n)
				}
			}
			if len(times) != rows {
				t.Errorf("%s: %d of %d were claimed", what, len(times), rows)
			}
		}
	})
}

func ids[T any](rows []T, id func(T) domain.ID) []domain.ID {
	out := make([]domain.ID, len(rows))
	for i := range rows {
		out[i] = id(rows[i])
	}
	return out
}

// TestNotices has one store hear of what another one commits, also after its
// connection was cut, and find it by itself when it does not.
func TestNotices(t *testing.T) {
	storetest.OnPostgres(t, func(t *testing.T, at string) {
		one, two := openAt(t, at), openAt(t, at)
		var heard, own, jobs, listed atomic.Int64
		one.AfterCommit("attempts", func() { own.Add(1) })
		two.AfterCommit("attempts", func() { heard.Add(1) })
		two.AfterCommit("jobs", func() { jobs.Add(1) })
		two.AfterCommit("suppressions", func() { listed.Add(1) })
		if err := one.InTx(t.Context(), domain.LaneAPI, func(ctx context.Context, s *domain.Stores) error {
			_, err := s.Suppressed.Add(ctx, domain.Scope{Workspace: "w", Mode: domain.Live}, domain.Suppression{ID: domain.NewID(), Number: "+15005550006"})
			return err
		}); err != nil {
			t.Fatal(err)
		}
		eventually(t, "heard of a number that is listed", func() bool { return listed.Load() == 1 })
		add := func(db *store.DB) {
			t.Helper()
			err := db.InTx(t.Context(), domain.LaneAPI, func(ctx context.Context, s *domain.Stores) error {
				return s.Attempts.Create(ctx, &domain.Attempt{ID: domain.NewID(), CallID: domain.NewID(), State: domain.AttemptPlanned})
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		add(one)
		eventually(t, "heard", func() bool { return heard.Load() == 1 })
		if own.Load() != 1 || jobs.Load() != 0 {
			t.Errorf("%d notices came to who committed, %d about jobs", own.Load(), jobs.Load())
		}
		// The pid of a listener shows in what its last statement was.
		conn := direct(t, at)
		if n := value[int](t, conn, "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN callwright_%_' || current_schema()::regnamespace::oid"); n != 2 {
			t.Fatalf("%d listeners", n)
		}
		eventually(t, "told of all tables after the break", func() bool { return jobs.Load() > 0 })
		before := heard.Load()
		add(one)
		eventually(t, "heard again", func() bool { return heard.Load() > before })

		// Without any notice, work is found by looking.
		done := make(chan domain.ID, 1)
		q := queue.New(queue.Options[domain.Attempt]{
			Name: "attempts",
			Claim: func(ctx context.Context, now time.Time, limit int) (got []domain.Attempt, next time.Time, err error) {
				err = two.InTx(ctx, domain.LaneDial, func(ctx context.Context, s *domain.Stores) (err error) {
					got, next, err = s.Attempts.Claim(ctx, "epoch", now, time.Hour, limit)
					return err
				})
				return got, next, err
			},
			Handle: func(_ context.Context, a domain.Attempt) { done <- a.ID },
		})
		ctx, stop := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		wg.Go(func() {
			if err := q.Run(ctx); err != nil {
				t.Error(err)
			}
		})
		for range 2 {
			<-done
		}
		add(one)
		select {
		case <-done:
		case <-time.After(20 * time.Second):
			t.Error("an attempt that nobody told of was not found")
		}
		stop()
		wg.Wait()
	})
}

// TestDeadlocksAreRunAgain makes two closures wait for one another: one of them
// is broken off by the server, and both are committed.
func TestDeadlocksAreRunAgain(t *testing.T) {
	storetest.OnPostgres(t, func(t *testing.T, at string) {
		db := openAt(t, at)
		calls := []domain.ID{domain.NewID(), domain.NewID()}
		for _, id := range calls {
			err := db.InTx(t.Context(), domain.LaneAPI, func(ctx context.Context, s *domain.Stores) error {
				return s.Calls.Create(ctx, &domain.Call{ID: id, State: domain.CallDialing})
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		var met, wg sync.WaitGroup
		met.Add(2)
		var runs atomic.Int64
		for i := range calls {
			wg.Go(func() {
				var once sync.Once
				err := db.InTx(t.Context(), domain.LaneAPI, func(ctx context.Context, s *domain.Stores) error {
					runs.Add(1)
					for _, id := range []domain.ID{calls[i], calls[1-i]} {
						c, err := s.Calls.ByID(ctx, id)
						if err != nil {
							return err
						}
						c.Notes = append(c.Notes, fmt.Sprint(i))
						if err := s.Calls.Update(ctx, c); err != nil {
							return err
						}
						once.Do(func() { met.Done(); met.Wait() })
					}
					return nil
				})
				if err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if runs.Load() < 3 {
			t.Errorf("%d runs: the closures did not cross", runs.Load())
		}
		err := db.View(t.Context(), func(ctx context.Context, s *domain.Stores) error {
			for _, id := range calls {
				c, err := s.Calls.ByID(ctx, id)
				if err != nil {
					return err
				}
				slices.Sort(c.Notes)
				if !slices.Equal(c.Notes, []string{"0", "1"}) {
					t.Errorf("call %s has the notes %v", id, c.Notes)
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}

// TestCallsHaveTheirOwnWay occupies all that other lanes may take.
func TestCallsHaveTheirOwnWay(t *testing.T) {
	storetest.OnPostgres(t, func(t *testing.T, at string) {
		db := openAt(t, at)
		stop := make(chan struct{})
		var wg sync.WaitGroup
		var busy atomic.Int64
		for i := range 3 * store.CrewSize {
			wg.Go(func() {
				err := db.InTx(t.Context(), domain.Lane(1+i%3), func(context.Context, *domain.Stores) error {
					busy.Add(1)
					<-stop
					return nil
				})
				if err != nil {
					t.Error(err)
				}
			})
		}
		eventually(t, "all occupied", func() bool { return busy.Load() == store.CrewSize-store.CrewForCalls })
		if err := db.InTx(t.Context(), domain.LaneCall, create(workspace("call"))); err != nil {
			t.Error(err)
		}
		if n := busy.Load(); n != store.CrewSize-store.CrewForCalls {
			t.Errorf("%d closures of other lanes run", n)
		}
		close(stop)
		wg.Wait()
	})
}
