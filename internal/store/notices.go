package store

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
)

// noticed are the tables whose commits other processes are told of.
var noticed = []string{"attempts", "deliveries", "jobs", "suppressions"}

const (
	// reconnectEvery is how long notices wait before they connect again.
	reconnectEvery = 500 * time.Millisecond
	// tellEvery is how long at least lies between two notices: each of them costs
	// every process on the database something, and all that came in meanwhile goes
	// with the next.
	tellEvery = 10 * time.Millisecond
)

// notices tell other processes on the same database that there is work, and
// hear it from them: one empty NOTIFY for each table. They are hints: whoever
// misses one finds the work when it looks by itself.
//
// They are sent after the commit, by one connection: within the transaction of
// the change, NOTIFY makes all who do so commit one after the other
// (PostgreSQL's async.c takes a lock on the database until the commit is on
// disk).
type notices struct {
	conf  *pgx.ConnConfig
	names map[string]string // of channels, by table
	hooks *hooks
	log   *slog.Logger
	own   atomic.Uint32 // the process id of the sending connection's backend
	stop  context.CancelFunc
	ended sync.WaitGroup
	wake  chan struct{}

	mu      sync.Mutex
	waiting map[string]bool
}

// newNotices connects and starts. space tells apart schemas of one database.
func newNotices(ctx context.Context, conf *pgx.ConnConfig, space uint32, hooks *hooks, log *slog.Logger) (*notices, error) {
	n := &notices{conf: conf.Copy(), hooks: hooks, log: log, names: map[string]string{}, wake: make(chan struct{}, 1), waiting: map[string]bool{}}
	n.conf.RuntimeParams["synchronous_commit"] = "off" // a hint need not be on disk
	for _, table := range noticed {
		n.names[table] = fmt.Sprintf("callwright_%s_%d", table, space)
	}
	first, err := n.listen(ctx)
	if err != nil {
		return nil, err
	}
	running, stop := context.WithCancel(context.Background()) // outlives the opening
	n.stop = stop
	n.ended.Go(func() { n.hear(running, first) })
	n.ended.Go(func() { n.tell(running) })
	return n, nil
}

func (n *notices) close() {
	n.stop()
	n.ended.Wait()
}

// send has others told of tables.
func (n *notices) send(touched map[string]bool) {
	n.mu.Lock()
	for table := range touched {
		if n.names[table] != "" {
			n.waiting[table] = true
		}
	}
	n.mu.Unlock()
	select {
	case n.wake <- struct{}{}:
	default: // a look is already owed
	}
}

// tell sends what waits. What comes in meanwhile goes out in the next one.
func (n *notices) tell(ctx context.Context) {
	var conn *pgx.Conn
	defer func() { hangUp(conn) }()
	for {
		select {
		case <-ctx.Done():
			return
		case <-n.wake:
		}
		n.mu.Lock()
		var statement strings.Builder
		for table := range n.waiting {
			fmt.Fprintf(&statement, "NOTIFY %s;", n.names[table])
		}
		clear(n.waiting)
		n.mu.Unlock()
		if statement.Len() == 0 {
			continue
		}
		err := n.notify(ctx, &conn, statement.String())
		if err != nil && ctx.Err() == nil {
			n.log.Debug("other processes could not be told of work; they find it by themselves", "error", err)
			hangUp(conn)
			conn = nil
		}
		n.pause(ctx, tellEvery)
	}
}

func (n *notices) notify(ctx context.Context, conn **pgx.Conn, statement string) error {
	ctx, cancel := context.WithTimeout(ctx, tryLimit)
	defer cancel()
	if *conn == nil {
		fresh, err := pgx.ConnectConfig(ctx, n.conf)
		if err != nil {
			return err
		}
		*conn = fresh
		n.own.Store(fresh.PgConn().PID())
	}
	_, err := (*conn).Exec(ctx, statement)
	return err
}

// listen opens a connection that hears notices.
func (n *notices) listen(ctx context.Context) (*pgx.Conn, error) {
	conn, err := pgx.ConnectConfig(ctx, n.conf)
	if err != nil {
		return nil, err
	}
	for _, name := range n.names {
		if _, err := conn.Exec(ctx, "LISTEN "+name); err != nil {
			hangUp(conn)
			return nil, err
		}
	}
	return conn, nil
}

// hear calls the hooks of tables that other processes tell of. After a break it
// calls them all: nobody knows what was missed.
func (n *notices) hear(ctx context.Context, conn *pgx.Conn) {
	defer func() { hangUp(conn) }()
	all := make(map[string]bool, len(noticed))
	for _, table := range noticed {
		all[table] = true
	}
	for ctx.Err() == nil {
		if conn == nil {
			var err error
			if conn, err = n.listen(ctx); err != nil {
				n.pause(ctx, reconnectEvery)
				continue
			}
			n.hooks.committed(all)
		}
		notice, err := conn.WaitForNotification(ctx)
		if err != nil {
			if ctx.Err() == nil {
				n.log.Warn("notices of other processes are not heard until there is a new connection", "error", err)
			}
			hangUp(conn)
			conn = nil
			continue
		}
		if notice.PID == n.own.Load() {
			continue // who committed was told already
		}
		for _, table := range noticed {
			if n.names[table] == notice.Channel {
				n.hooks.committed(map[string]bool{table: true})
			}
		}
	}
}

func (n *notices) pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}

// hangUp closes a connection, if there is one.
func hangUp(conn *pgx.Conn) {
	if conn == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_ = conn.Close(ctx) // it may be gone already
}
