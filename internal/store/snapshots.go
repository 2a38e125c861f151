package store

import (
	"context"
	"errors"
	"sync"

	"github.com/uptrace/bun"

	"github.com/callwright/callwright/internal/store/lift"
	"github.com/callwright/callwright/internal/store/row"
)

// snapshots are the connections that read from SQLite. Each keeps the
// statements that it has prepared.
type snapshots struct {
	pool   *bun.DB
	places chan struct{} // one for each connection that may read
	closed chan struct{}

	mu   sync.Mutex
	idle []*row.Prepared // the one that was used last is taken first
}

func openSnapshots(path string, l *lift.Lifter) (*snapshots, error) {
	pool, err := openLifted(l, path, readerCount, "query_only(1)")
	if err != nil {
		return nil, err
	}
	return &snapshots{pool: pool, places: make(chan struct{}, readerCount), closed: make(chan struct{})}, nil
}

// view runs fn on a snapshot.
func (s *snapshots) view(ctx context.Context, fn func(db bun.IDB) error) error {
	reader, err := s.take(ctx)
	if err != nil {
		return err
	}
	whole := false
	defer func() { s.give(reader, whole) }() // also when fn ends the goroutine
	if err := reader.Run(ctx, "BEGIN"); err != nil {
		return row.Error(err, "begin to read")
	}
	err = fn(reader)
	whole = reader.Run(context.WithoutCancel(ctx), "ROLLBACK") == nil
	return err
}

// take waits for a connection.
func (s *snapshots) take(ctx context.Context) (*row.Prepared, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	select {
	case <-s.closed:
		return nil, row.Unavailable(errors.New("the database is closed"))
	case <-ctx.Done():
		return nil, ctx.Err()
	case s.places <- struct{}{}:
	}
	if reader := s.pop(); reader != nil {
		return reader, nil
	}
	conn, err := s.pool.Conn(ctx)
	if err != nil {
		<-s.places
		return nil, row.Error(err, "begin to read")
	}
	return row.NewPrepared(conn), nil
}

func (s *snapshots) pop() *row.Prepared {
	s.mu.Lock()
	defer s.mu.Unlock()
	last := len(s.idle) - 1
	if last < 0 {
		return nil
	}
	reader := s.idle[last]
	s.idle = s.idle[:last]
	return reader
}

// give takes a connection back; one that is not whole is closed.
func (s *snapshots) give(reader *row.Prepared, whole bool) {
	if whole {
		s.mu.Lock()
		s.idle = append(s.idle, reader)
		s.mu.Unlock()
	} else {
		_ = reader.Close() // it is of no use either way
	}
	<-s.places
}

// close waits for the snapshots that are being read and closes all. Further
// calls do nothing.
func (s *snapshots) close() error {
	select {
	case <-s.closed:
		return nil
	default:
	}
	close(s.closed)
	for range readerCount {
		s.places <- struct{}{}
	}
	var errs []error
	for _, reader := range s.idle {
		errs = append(errs, reader.Close())
	}
	return errors.Join(append(errs, s.pool.Close())...)
}
