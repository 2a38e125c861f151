//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// writers are the connections that calls are placed over.
const writers = 8

// beginWrites places calls beside a request, as many a second as was asked for or
// fewer, where the server is slower. What it returns ends that and counts them.
// Beside what writes itself, or is not the server, nothing is placed.
func (r *run) beginWrites(ctx context.Context, c kase) (placed func() (int64, error), err error) {
	if r.o.writes == 0 || c.name == "create" || c.name == "bare" {
		return func() (int64, error) { return 0, nil }, nil
	}
	ctx, stop := context.WithCancel(ctx)
	due := make(chan struct{})
	faults := make([]error, writers)
	var n atomic.Int64
	var running sync.WaitGroup
	for i := range writers {
		client, err := dial(ctx, r.host)
		if err != nil {
			stop()
			running.Wait()
			return nil, err
		}
		running.Go(func() {
			defer client.conn.Close()
			for sent := 0; ; sent++ {
				select {
				case <-ctx.Done():
					return
				case <-due:
				}
				head, body, err := client.do(r.create(50+i, sent))
				if err == nil && !strings.HasPrefix(head, "HTTP/1.1 201") {
					err = fmt.Errorf("placing a call: %s %s", head, body)
				}
				if err != nil {
					faults[i] = err
					return
				}
				n.Add(1)
			}
		})
	}
	running.Go(func() {
		tick := time.NewTicker(time.Second / time.Duration(r.o.writes))
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			select {
			case <-ctx.Done():
				return
			case due <- struct{}{}:
			}
		}
	})
	return func() (int64, error) {
		stop()
		running.Wait()
		return n.Load(), errors.Join(faults...)
	}, nil
}
