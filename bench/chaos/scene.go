//go:build linux

package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"time"

	"github.com/callwright/callwright/bench/rig"
)

// scene is a database, the servers on it, and whom they call.
type scene struct {
	o        options
	at       rig.Place
	nodes    []*node
	peer     *peer
	hooks    *receiver
	feed     *feed
	db       *sql.DB
	progress io.Writer

	stop context.CancelFunc
	ran  chan error
}

// node is a server at addresses that stay the same.
type node struct {
	server *rig.Server
	sip    netip.AddrPort
	url    string
}

// settings have servers speak with a murmur, which costs nothing to make.
const settings = "tts: [{engine: placeholder}]\n"

// sealingKey is the key that nodes have in common.
const sealingKey = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="

// words are long enough for the sound to flow when a process dies.
const words = "Good morning, this is the office about your table for tonight."

// open starts n nodes on an empty database, each with its own directory; dsns are
// their ways to it.
func open(ctx context.Context, o options, at rig.Place, progress io.Writer, dsns ...string) (_ *scene, err error) {
	s := &scene{o: o, at: at, progress: progress, ran: make(chan error, 1)}
	if s.peer, err = listen(); err != nil {
		return nil, err
	}
	s.peer.hurried, s.peer.limit = o.short, byeLimit
	if o.short {
		s.peer.limit = patientLimit
	}
	answering, stop := context.WithCancel(context.WithoutCancel(ctx))
	s.stop = stop
	go func() { s.ran <- s.peer.run(answering) }()
	defer func() {
		if err != nil {
			err = errors.Join(err, s.close())
		}
	}()
	if s.hooks, err = receive(); err != nil {
		return nil, err
	}
	for i, dsn := range dsns {
		if err := s.add(ctx, i, dsn); err != nil {
			return nil, err
		}
	}
	if s.db, err = at.Open(); err != nil {
		return nil, err
	}
	return s, s.furnish(ctx)
}

// add starts a node.
func (s *scene) add(ctx context.Context, index int, dsn string) error {
	api, err := freePort()
	if err != nil {
		return err
	}
	sip, err := freePort()
	if err != nil {
		return err
	}
	dir := filepath.Dir(s.at.Dir) // the server keeps its data in "data" there
	if index > 0 {
		dir = filepath.Join(dir, fmt.Sprintf("node%d", index))
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return err
		}
	}
	lo := 20000 + 3000*index
	o := rig.ServerOptions{Binary: s.o.binary, Dir: dir, Database: dsn, Settings: settings,
		Env:  []string{"CALLWRIGHT_SECRET_KEY=" + sealingKey},
		Args: []string{"--http", api, "--sip", sip, "--rtp-ports", fmt.Sprintf("%d-%d", lo, lo+2999)}}
	if index > 0 {
		o.Key = s.nodes[0].server.Key()
	}
	n := &node{sip: netip.MustParseAddrPort(sip)}
	if n.server, err = rig.StartServer(ctx, o); err != nil {
		return err
	}
	n.url = n.server.URL
	s.nodes = append(s.nodes, n)
	return nil
}

// freePort is an address on loopback where nobody listens, over UDP or TCP. It is
// none that the system gives to others while the server is dead.
func freePort() (string, error) {
	var failed error
	for range 100 {
		addr := fmt.Sprintf("127.0.0.1:%d", 10_000+rand.IntN(10_000)) //nolint:gosec // keeps no secret
		stream, err := net.Listen("tcp", addr)
		if err != nil {
			failed = err
			continue
		}
		packets, err := net.ListenPacket("udp", addr)
		if err != nil {
			failed = errors.Join(err, stream.Close())
			continue
		}
		return addr, errors.Join(stream.Close(), packets.Close())
	}
	return "", failed
}

// furnish makes what calls need.
func (s *scene) furnish(ctx context.Context) error {
	server := s.nodes[0].server
	var flow struct{ ID string }
	err := server.Do(ctx, http.MethodPost, "/flows", map[string]any{
		"name": "Chaos", "status": "published", "startNodeId": "say", "nodes": []any{
			map[string]any{"id": "say", "type": "say", "text": words, "edges": []any{map[string]any{"to": "end", "kind": "always"}}},
			map[string]any{"id": "end", "type": "end"},
		},
	}, &flow)
	if err != nil {
		return err
	}
	office, err := server.OpenOffice(ctx, s.peer.addr(), map[string]any{"codecs": []string{"PCMU"}}, map[string]any{"flowId": flow.ID})
	if err != nil {
		return err
	}
	hook := map[string]any{"url": s.hooks.url(), "events": []string{"call.ended", "call.failed"}}
	if err := server.Do(ctx, http.MethodPost, "/webhooks", hook, nil); err != nil {
		return err
	}
	s.feed = &feed{client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}},
		key: server.Key(), agent: office.Agent, number: office.Number, made: map[string]order{}}
	for _, n := range s.nodes {
		s.feed.urls = append(s.feed.urls, n.url)
	}
	return nil
}

// settle waits until every order is accepted and every call is over, in a long run
// also told, or limit has passed. What a dead process was just telling is told
// again when its lease has run out, half a minute later on PostgreSQL.
func (s *scene) settle(ctx context.Context, limit time.Duration) error {
	deadline := time.Now().Add(limit)
	for {
		var open, pending int
		err := s.db.QueryRowContext(ctx, `SELECT (SELECT count(*) FROM calls WHERE state NOT IN ('completed', 'failed')) +
				(SELECT count(*) FROM recipients WHERE state IN ('waiting', 'active')),
			(SELECT count(*) FROM deliveries WHERE state = 'pending')`).Scan(&open, &pending)
		if err != nil {
			return err
		}
		asked, accepted := s.feed.ordered()
		s.feed.mu.Lock()
		odd := len(s.feed.odd)
		s.feed.mu.Unlock()
		if open == 0 && (pending == 0 || s.o.short) && accepted+odd == asked && s.peer.waiting() == 0 || time.Now().After(deadline) {
			return nil // judge says what is left
		}
		if !pause(ctx, 100*time.Millisecond) {
			return ctx.Err()
		}
	}
}

// close ends everything.
func (s *scene) close() error {
	var errs []error
	for _, n := range s.nodes {
		errs = append(errs, n.server.Kill())
	}
	s.stop()
	errs = append(errs, <-s.ran)
	if s.hooks != nil {
		errs = append(errs, s.hooks.close())
	}
	if s.feed != nil {
		s.feed.work.Wait()
		s.feed.client.CloseIdleConnections()
	}
	if s.db != nil {
		errs = append(errs, s.db.Close())
	}
	return errors.Join(errs...)
}
