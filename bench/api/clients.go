//go:build linux

package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/callwright/callwright/bench/rig"
)

// request writes the n-th request of a client as it goes over the wire.
type request func(client, n int) []byte

// plainRequest is the same request each time.
func plainRequest(host, key, path string) request {
	raw := fmt.Appendf(nil, "GET %s HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\n\r\n", path, host, key)
	return func(int, int) []byte { return raw }
}

// client is one connection that asks and reads, and does nothing else: what it
// costs is missing to the server.
type client struct {
	conn net.Conn
	in   *bufio.Reader
	body []byte
}

func dial(ctx context.Context, host string) (*client, error) {
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", host)
	if err != nil {
		return nil, err
	}
	return &client{conn: conn, in: bufio.NewReaderSize(conn, 64<<10)}, nil
}

// do sends one request and reads its answer, which is valid until the next one.
func (c *client) do(raw []byte) (head string, body []byte, err error) {
	if _, err := c.conn.Write(raw); err != nil {
		return "", nil, err
	}
	var lines strings.Builder
	length := -1
	for {
		line, err := c.in.ReadSlice('\n')
		if err != nil {
			return "", nil, err
		}
		line = bytes.TrimRight(line, "\r\n")
		if len(line) == 0 {
			break
		}
		if lines.Len() == 0 || bytes.HasPrefix(line, []byte("X-Total-Count:")) {
			lines.Write(line)
			lines.WriteByte('\n')
		}
		if value, ok := bytes.CutPrefix(line, []byte("Content-Length: ")); ok {
			if length, err = strconv.Atoi(string(value)); err != nil {
				return "", nil, err
			}
		}
	}
	if length < 0 {
		return "", nil, fmt.Errorf("an answer without a length: %s", lines.String())
	}
	if cap(c.body) < length {
		c.body = make([]byte, length)
	}
	c.body = c.body[:length]
	_, err = io.ReadFull(c.in, c.body)
	return lines.String(), c.body, err
}

// load has clients ask for a while and returns how long each answer took.
func load(ctx context.Context, host string, clients int, d time.Duration, next request) (*rig.Spread, time.Duration, error) {
	all := make([]rig.Spread, clients)
	faults := make([]error, clients)
	var running sync.WaitGroup
	began := time.Now()
	for i := range clients {
		running.Go(func() {
			faults[i] = ask(ctx, host, began.Add(d), &all[i], func(n int) []byte { return next(i, n) })
		})
	}
	running.Wait()
	took := time.Since(began)
	var joined rig.Spread
	for i := range all {
		if faults[i] != nil {
			return nil, 0, faults[i]
		}
		joined.Join(&all[i])
	}
	return &joined, took, nil
}

// ask sends requests over one connection until the deadline.
func ask(ctx context.Context, host string, deadline time.Time, took *rig.Spread, next func(n int) []byte) error {
	c, err := dial(ctx, host)
	if err != nil {
		return err
	}
	defer c.conn.Close()
	for n := 0; ctx.Err() == nil; n++ {
		began := time.Now()
		if began.After(deadline) {
			return nil
		}
		raw := next(n)
		head, body, err := c.do(raw)
		if err != nil {
			return err
		}
		if !strings.HasPrefix(head, "HTTP/1.1 20") {
			return fmt.Errorf("%s\nanswered %s\n%s", raw, head, body)
		}
		took.Add(time.Since(began))
	}
	return ctx.Err()
}
