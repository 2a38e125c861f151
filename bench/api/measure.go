//go:build linux

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/callwright/callwright/bench/rig"
	"github.com/callwright/callwright/internal/store"
)

// measure runs what the options ask for.
func measure(ctx context.Context, o options, progress io.Writer) (_ *result, err error) {
	dir, err := os.MkdirTemp("", "callwright-bench-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	if o.binary == "" {
		fmt.Fprintln(progress, "building the server")
		if o.binary, err = rig.Build(ctx, dir); err != nil {
			return nil, err
		}
	}
	if o.binary, err = filepath.Abs(o.binary); err != nil {
		return nil, err
	}
	r := &result{Clients: o.clients, Host: rig.ReadHost()}
	for _, database := range []string{"sqlite", "postgres"} {
		if database == "sqlite" && !o.sqlite || database == "postgres" && o.database == "" {
			continue
		}
		for _, n := range []int{o.small, o.large} {
			if n == 0 {
				continue
			}
			one := &run{o: o, database: database, calls: n, progress: progress}
			err := one.measure(ctx, dir)
			r.Runs = append(r.Runs, one.figures)
			if err != nil {
				return nil, fmt.Errorf("%s with %d calls: %w", database, n, err)
			}
		}
	}
	return r, nil
}

// run measures one database with one number of calls.
type run struct {
	o        options
	database string
	calls    int
	progress io.Writer

	server  *rig.Server
	host    string
	root    string
	dsn     string
	create  request
	figures figures
}

func (r *run) measure(ctx context.Context, parent string) (err error) {
	dir := filepath.Join(parent, fmt.Sprintf("%s-%d", r.database, r.calls))
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if r.database == "postgres" {
		dsn, drop, err := store.Fresh(ctx, r.o.database)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, drop(context.WithoutCancel(ctx))) }()
		r.dsn = dsn
	}
	r.figures = figures{Database: r.database, Calls: r.calls}
	fmt.Fprintf(r.progress, "%s: filling in %d calls\n", r.database, r.calls)
	began := time.Now()
	var args []string
	if r.o.profile != "" {
		args = []string{"--ops", r.o.ops}
	}
	r.server, err = rig.StartServer(ctx, rig.ServerOptions{
		Binary: r.o.binary, Dir: dir, Database: r.dsn, Args: args,
		Fill: func(ctx context.Context, data string) error { return fill(ctx, data, r.dsn, r.calls) },
	})
	if err != nil {
		return err
	}
	r.figures.FillSeconds = time.Since(began).Seconds()
	defer func() { err = errors.Join(err, r.server.Kill()) }() // nothing of it is kept
	if r.figures.Bytes, err = r.size(ctx, dir); err != nil {
		return err
	}
	fmt.Fprintf(r.progress, "%s: %d calls take %d MB, filled in %.0f s\n", r.database, r.calls, r.figures.Bytes>>20, r.figures.FillSeconds)
	to, err := url.Parse(r.server.URL)
	if err != nil {
		return err
	}
	r.host, r.root = to.Host, strings.TrimSuffix(to.Path, "/")
	if err := r.ask(ctx); err != nil {
		return fmt.Errorf("%w\n%s", err, r.server.Log())
	}
	if r.o.plans {
		r.figures.Plans, err = r.plans(ctx, dir)
	}
	return err
}

// size is how much disk the database takes.
func (r *run) size(ctx context.Context, dir string) (n int64, err error) {
	if r.dsn == "" {
		info, err := os.Stat(filepath.Join(dir, "data", store.File))
		if err != nil {
			return 0, err
		}
		return info.Size(), nil
	}
	return schemaSize(ctx, r.dsn)
}

// ask measures every request.
func (r *run) ask(ctx context.Context) error {
	cases, err := r.cases(ctx)
	if err != nil {
		return err
	}
	for _, c := range cases {
		if r.o.only != "" && c.name != r.o.only {
			continue
		}
		body, total, err := r.first(ctx, c)
		if err != nil {
			return err
		}
		var profiled chan error
		if r.o.profile != "" {
			profiled = make(chan error, 1)
			go func() { profiled <- profile(ctx, r.o.ops, r.o.duration, r.o.profile) }()
		}
		f, err := r.one(ctx, r.server.PID(), r.host, c)
		if profiled != nil {
			err = errors.Join(err, <-profiled)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", c.name, err)
		}
		f.Bytes, f.Total = len(body), total
		r.figures.Requests = append(r.figures.Requests, f)
		if c.name == "list" {
			if err := r.beside(ctx, body); err != nil {
				return err
			}
		}
	}
	return nil
}

// beside measures the bare handler with the bytes of a list.
func (r *run) beside(ctx context.Context, body []byte) error {
	host, pid, stop, err := startBare(ctx, body)
	if err != nil {
		return err
	}
	f, err := r.one(ctx, pid, host, kase{name: "bare", what: "a bare net/http handler with the same bytes", next: plainRequest(host, "-", "/")})
	f.Bytes = len(body)
	r.figures.Requests = append(r.figures.Requests, f)
	return errors.Join(err, stop())
}

// one measures one request.
func (r *run) one(ctx context.Context, pid int, host string, c kase) (figure, error) {
	if _, _, err := load(ctx, host, r.o.clients, r.o.duration/6, c.next); err != nil { // until all is warm
		return figure{}, err
	}
	placed, err := r.beginWrites(ctx, c)
	if err != nil {
		return figure{}, err
	}
	meter, err := rig.StartMeter(pid)
	if err != nil {
		return figure{}, err
	}
	took, over, err := load(ctx, host, r.o.clients, r.o.duration, c.next)
	if err != nil {
		return figure{}, err
	}
	used, err := meter.Stop()
	writes, fault := placed()
	err = errors.Join(err, fault)
	f := figure{
		PlacedPerSecond: float64(writes) / over.Seconds(),
		Name:            c.name, What: c.what, PerSecond: float64(took.Len()) / over.Seconds(), P50Ms: took.Ms(0.5), P99Ms: took.Ms(0.99),
		ServerMicros: used.Server * float64(over.Microseconds()) / float64(took.Len()),
		ServerCores:  used.Server, ClientCores: used.Generator, OtherCores: used.Other,
	}
	fmt.Fprintf(r.progress, "%s %d %s: %.0f/s\n", r.database, r.calls, c.name, f.PerSecond)
	return f, err
}

// first asks once and returns the answer's body and total.
func (r *run) first(ctx context.Context, c kase) (body []byte, total string, err error) {
	client, err := dial(ctx, r.host)
	if err != nil {
		return nil, "", err
	}
	defer client.conn.Close()
	head, body, err := client.do(c.next(0, -1))
	_, total, _ = strings.Cut(strings.TrimSpace(head), "X-Total-Count: ")
	if err == nil && !strings.HasPrefix(head, "HTTP/1.1 20") {
		err = fmt.Errorf("%s: %s %s", c.name, head, body)
	}
	return body, total, err
}

// kase is one kind of request.
type kase struct {
	name, what string
	next       request
}

// cases are the requests that are measured. What changes the database is last.
func (r *run) cases(ctx context.Context) ([]kase, error) {
	day := func(ago int) string { return time.Now().AddDate(0, 0, -ago).UTC().Format(time.DateOnly) }
	minute := func(ago int) string { return time.Now().AddDate(0, 0, -ago).UTC().Format("2006-01-02T15:04:05Z") }
	get := func(query string) request { return plainRequest(r.host, r.server.Key(), r.root+"/calls"+query) }
	var some struct{ Calls []struct{ ID string } }
	if err := r.server.Do(ctx, http.MethodGet, "/calls?limit=200&offset="+fmt.Sprint(r.calls/2), nil, &some); err != nil {
		return nil, err
	}
	ones := make([][]byte, len(some.Calls))
	for i, c := range some.Calls {
		ones[i] = get("/"+c.ID)(0, 0)
	}
	var err error
	if r.create, err = r.creation(ctx); err != nil {
		return nil, err
	}
	pages := make([][]byte, 200)
	for i := range pages {
		pages[i] = get(fmt.Sprintf("?limit=50&offset=%d", i*(r.calls-50)/len(pages)))(0, 0)
	}
	return []kase{
		{"list", "50 calls", get("?limit=50")},
		{"pages", "50 calls, other ones each time", func(client, n int) []byte { return pages[(client*31+max(n, 0))%len(pages)] }},
		{"agent", "of one agent", get("?agentId=" + agentID(3))},
		{"agent, status", "of one agent, failed", get("?status=failed&agentId=" + agentID(5))},
		{"queued", "the 100 that are queued, ringing or being dialed", get("?status=queued")},
		{"campaign, inbound", "of one campaign, inbound", get("?direction=inbound&campaignId=" + campaignID(77))},
		{"month", "of 30 days of one agent", get("?from=" + day(130) + "&to=" + day(101) + "&agentId=" + agentID(3))},
		{"count", "one call, with the total of 200 days to the second", get("?limit=1&from=" + minute(250) + "&to=" + minute(50))},
		{"deep", "the last 50", get(fmt.Sprintf("?limit=50&offset=%d", r.calls-50))},
		{"deep, agent", "50 in the middle, of one agent", get(fmt.Sprintf("?limit=50&offset=%d&agentId=%s", r.calls/agents/2, agentID(3)))},
		{"get", "one call by its id", func(client, n int) []byte { return ones[(client*31+max(n, 0))%len(ones)] }},
		{"create", "place a call that waits for its trunk", r.create},
	}, nil
}

// creation makes what a call needs and returns requests that place calls. The
// trunk dials one call a second to a port where nobody is.
func (r *run) creation(ctx context.Context) (request, error) {
	var flow struct{ ID string }
	err := r.server.Do(ctx, http.MethodPost, "/flows", map[string]any{
		"name": "Bench", "status": "published", "startNodeId": "hello", "nodes": []any{
			map[string]any{"id": "hello", "type": "say", "text": "Hello.", "edges": []any{map[string]any{"to": "bye", "kind": "always"}}},
			map[string]any{"id": "bye", "type": "end"},
		},
	}, &flow)
	if err != nil {
		return nil, err
	}
	office, err := r.server.OpenOffice(ctx, netip.MustParseAddrPort("127.0.0.1:9"),
		map[string]any{"callsPerSecond": 1, "maxCalls": 1}, map[string]any{"flowId": flow.ID})
	if err != nil {
		return nil, err
	}
	return func(client, n int) []byte {
		body, _ := json.Marshal(map[string]any{ //nolint:errchkjson // strings and numbers
			"agentId": office.Agent, "phoneNumberId": office.Number, "to": fmt.Sprintf("+14152%02d%04d", client, max(n, 0)%10000),
		})
		return fmt.Appendf(nil, "POST %s/calls HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s",
			r.root, r.host, r.server.Key(), len(body), body)
	}, nil
}

// profile writes what the server's processor does meanwhile.
func profile(ctx context.Context, ops string, d time.Duration, path string) error {
	seconds := max(1, int(d/time.Second))
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, fmt.Sprintf("http://%s/debug/pprof/profile?seconds=%d", ops, seconds), nil)
	if err != nil {
		return err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	return errors.Join(err, os.WriteFile(path, raw, 0o600))
}
