//go:build linux

// Command webhook measures how fast webhooks go out, and proves that none is
// lost: a process that commits events and delivers them, with the store and the
// worker of the real server, and receivers beside it that answer, never answer,
// fail in every way, or see it killed.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/callwright/callwright/bench/rig"
	"github.com/callwright/callwright/internal/store/storetest"
)

type options struct {
	json      bool
	chaos     bool
	short     bool
	events    int
	endpoints int
	rate      float64
	behind    int
	kills     int
	failing   float64
	database  string
	sqlite    bool
}

const manual = `Without -chaos: deliveries a second of a backlog, a bare HTTP client beside it, from commit
to arrival at a steady rate, the same beside an endpoint that never answers, and the memory that
answers without an end take. With -chaos: events are committed while receivers fail and the sender
is killed with SIGKILL; the exit status is 1 when one is lost. SQLite is always measured, PostgreSQL
where ` + storetest.Variable + ` names a server (bash scripts/postgres.sh go run ./bench/webhook).`

func parse(args []string, out io.Writer) (options, error) {
	var o options
	f := flag.NewFlagSet("webhook", flag.ContinueOnError)
	f.SetOutput(out)
	f.BoolVar(&o.json, "json", false, "print one JSON object, alone on standard output")
	f.BoolVar(&o.chaos, "chaos", false, "kill the sender, have receivers fail, and look for what is lost")
	f.BoolVar(&o.short, "short", false, "a small run, as the tests make it")
	f.IntVar(&o.events, "events", 0, "how many events; 0 is 20,000, with -chaos 100,000")
	f.IntVar(&o.endpoints, "endpoints", 20, "how many endpoints they go to")
	f.Float64Var(&o.rate, "rate", 100, "events a second of the steady run")
	f.IntVar(&o.behind, "behind", 5000, "events that wait for the endpoint that never answers when the run beside it begins")
	f.IntVar(&o.kills, "kills", 50, "how often the sender is killed")
	f.Float64Var(&o.failing, "failing", 0.3, "the share of tries that fails, with -chaos")
	f.BoolVar(&o.sqlite, "sqlite", true, "measure SQLite")
	f.StringVar(&o.database, "database", os.Getenv(storetest.Variable), "URL of a PostgreSQL server to measure as well")
	f.Usage = func() {
		fmt.Fprintf(out, "Usage: go run ./bench/webhook [flags]\n\n%s\n\nFlags:\n", manual)
		f.PrintDefaults()
	}
	if err := f.Parse(args); err != nil {
		return o, err
	}
	given := o.events
	switch {
	case given > 0:
	case o.short && o.chaos:
		o.events, o.kills = 400, 4
	case o.short:
		o.events, o.rate, o.behind = 300, 300, 300
	case o.chaos:
		o.events = 100_000
	default:
		o.events = 20_000
	}
	if given < 0 || o.behind < 0 || o.endpoints < 1 || o.rate < 1 || o.kills < 0 || o.failing < 0 || o.failing > 0.9 {
		return o, errors.New("one event, one endpoint and one event a second are the least, and at most nine of ten tries fail")
	}
	return o, nil
}

// result is what -json prints.
type result struct {
	Speed []speed  `json:"speed,omitempty"`
	Chaos []chaos  `json:"chaos,omitempty"`
	Host  rig.Host `json:"host"`
}

// measure runs what the options ask for, on each database.
func measure(ctx context.Context, o options, progress io.Writer) (*result, error) {
	r := &result{Host: rig.ReadHost()}
	for _, name := range []string{rig.SQLite, rig.Postgres} {
		if name == rig.SQLite && !o.sqlite || name == rig.Postgres && o.database == "" {
			continue
		}
		if o.chaos {
			if err := rig.Within(ctx, name, o.database, func(at rig.Place) error {
				c, err := rage(ctx, o, at, progress)
				if err == nil {
					r.Chaos = append(r.Chaos, *c)
				}
				return err
			}); err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
			continue
		}
		s, err := o.speed(ctx, name, progress)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		r.Speed = append(r.Speed, *s)
	}
	return r, nil
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:])
	stop()
	os.Exit(code)
}

func run(ctx context.Context, args []string) int {
	if len(args) == 2 && args[0] == senderRole {
		if err := send(ctx, args[1], os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, "sender:", err)
			return 1
		}
		return 0
	}
	o, err := parse(args, os.Stderr)
	if err != nil {
		return 2
	}
	r, err := measure(ctx, o, os.Stderr)
	if err == nil {
		err = r.report(os.Stdout, o.json)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "webhook:", err)
		return 1
	}
	return 0
}

// report prints the result; it is an error when something was lost.
func (r *result) report(w io.Writer, asJSON bool) error {
	if asJSON {
		if err := json.NewEncoder(w).Encode(r); err != nil {
			return err
		}
	} else {
		r.print(w)
	}
	for _, c := range r.Chaos {
		if !c.sound() {
			return fmt.Errorf("%s: %d lost, %d forged, %d pending, %d unknown", c.Database, c.Lost, c.Forged, c.Pending, c.Unknown)
		}
	}
	return nil
}

func (r *result) print(w io.Writer) {
	fmt.Fprintf(w, "\n%s, %d cores, %s; senders and receivers on the same machine\n", r.Host.CPU, r.Host.Cores, r.Host.Go)
	for _, s := range r.Speed {
		fmt.Fprintf(w, "\n%s\n", s.Database)
		fmt.Fprintf(w, "  backlog            %.0f deliveries a second, %.0f µs of processor time each (others used %.2f cores)\n", s.PerSecond, s.Micros, s.OtherCores)
		fmt.Fprintf(w, "  bare HTTP client   %.0f requests a second\n", s.BarePerSecond)
		for _, l := range []struct {
			name string
			latency
		}{{"commit to arrival", s.Steady}, {"beside a tarpit", s.Isolated}} {
			fmt.Fprintf(w, "  %-18s p50 %.2f, p99 %.2f ms, at most %.2f; %d events, %.0f a second\n", l.name, l.P50Ms, l.P99Ms, l.MaxMs, l.Events, l.Rate)
		}
		fmt.Fprintf(w, "  endless answers    %.1f MB resident before, %.1f MB after %d of them\n", s.MemoryBeforeMB, s.MemoryAfterMB, s.Floods)
	}
	for _, c := range r.Chaos {
		fmt.Fprintf(w, "\n%s: %d events, %d kills, %d tries in %.0f s\n", c.Database, c.Committed, c.Kills, c.Tries, c.Seconds)
		fmt.Fprintf(w, "  lost %d, twice under the same webhook-id %d, under another %d, pending %d, given up %d, not in the database %d\n",
			c.Lost, c.Twice, c.Forged, c.Pending, c.Failed, c.Unknown)
	}
}
