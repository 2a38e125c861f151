//go:build linux

// Command dialer measures how fast calls of a campaign are dialed, each with all
// of its durable steps, and what planning them costs when a million contacts
// wait. The dialer, the rules, the claims and the database are the real ones;
// instead of the phone network there is somebody who answers at once and hangs
// up.
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
	"path/filepath"
	"syscall"

	"github.com/callwright/callwright/bench/rig"
	"github.com/callwright/callwright/internal/store"
	"github.com/callwright/callwright/internal/store/storetest"
)

type options struct {
	json     bool
	short    bool
	explain  bool
	calls    int
	few      int
	many     int
	plans    int
	database string
	sqlite   bool
	profile  string
}

const manual = `Calls of one campaign a second, from the plan to the settled contact, with bare commits of one
insert and one update beside them, and intents a second while no call ends; then the import of a CSV file of -many rows with the memory that
it takes, and the time of a plan and of a claim with few contacts waiting and with many; -explain
prints how the database runs the dialer's statements for both. SQLite is always measured, PostgreSQL where ` + storetest.Variable + ` names a
server (FSYNC=on bash scripts/postgres.sh go run ./bench/dialer).`

func parse(args []string, out io.Writer) (options, error) {
	var o options
	f := flag.NewFlagSet("dialer", flag.ContinueOnError)
	f.SetOutput(out)
	f.BoolVar(&o.json, "json", false, "print one JSON object, alone on standard output")
	f.BoolVar(&o.short, "short", false, "a small run, as the tests make it")
	f.BoolVar(&o.explain, "explain", false, "print the query plans of the dialer's statements; -json has them always")
	f.IntVar(&o.calls, "calls", 5000, "how many calls are dialed")
	f.IntVar(&o.few, "few", 1000, "contacts that wait in the small campaign")
	f.IntVar(&o.many, "many", 1_000_000, "contacts that wait in the large one, which are imported as a CSV file")
	f.IntVar(&o.plans, "plans", 40, "how many plans of each are timed; a plan is 64 contacts")
	f.StringVar(&o.database, "database", os.Getenv(storetest.Variable), "URL of a PostgreSQL server to measure as well")
	f.BoolVar(&o.sqlite, "sqlite", true, "measure SQLite")
	f.StringVar(&o.profile, "profile", "", "write a processor profile of the calls into this file")
	f.Usage = func() {
		fmt.Fprintf(out, "Usage: go run ./bench/dialer [flags]\n\n%s\n\nFlags:\n", manual)
		f.PrintDefaults()
	}
	if err := f.Parse(args); err != nil {
		return o, err
	}
	if o.short {
		o.calls, o.few, o.many, o.plans = min(o.calls, 60), min(o.few, 200), min(o.many, 2000), min(o.plans, 2)
	}
	if o.calls < 1 || o.few < 1 || o.many < o.few || o.plans < 1 {
		return o, errors.New("one call, one plan and one contact are the least, and many are at least as many as few")
	}
	return o, nil
}

// result is what -json prints.
type result struct {
	Databases []figures `json:"databases"`
	Host      rig.Host  `json:"host"`
}

// figures are what one database came to.
type figures struct {
	Database string  `json:"database"`
	Rate     rate    `json:"rate"`
	Waiting  waiting `json:"waiting"`
}

func measure(ctx context.Context, o options, progress io.Writer) (*result, error) {
	r := &result{Host: rig.ReadHost()}
	for _, name := range []string{"sqlite", "postgres"} {
		if name == "sqlite" && !o.sqlite || name == "postgres" && o.database == "" {
			continue
		}
		f := figures{Database: name}
		for _, part := range []struct {
			what string
			do   func(context.Context, options, place) error
		}{{"calls", f.Rate.measure}, {"intents", f.Rate.intents}, {"bare commits", f.Rate.bare}, {"import and plans", f.Waiting.measure}} {
			fmt.Fprintf(progress, "%s: %s\n", name, part.what)
			if err := o.within(ctx, name, func(at place) error { return part.do(ctx, o, at) }); err != nil {
				return nil, fmt.Errorf("%s: %s: %w", name, part.what, err)
			}
		}
		r.Databases = append(r.Databases, f)
	}
	return r, nil
}

// place is an empty database.
type place struct{ dir, dsn string }

// within makes an empty database, which is removed afterwards.
func (o options) within(ctx context.Context, name string, do func(place) error) (err error) {
	dir, err := os.MkdirTemp("", "callwright-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	at := place{dir: filepath.Join(dir, "data")}
	if name == "postgres" {
		dsn, drop, err := store.Fresh(ctx, o.database)
		if err != nil {
			return err
		}
		at.dsn = dsn
		return errors.Join(do(at), drop(context.WithoutCancel(ctx)))
	}
	return do(at)
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:])
	stop()
	os.Exit(code)
}

func run(ctx context.Context, args []string) int {
	o, err := parse(args, os.Stderr)
	if err != nil {
		return 2
	}
	r, err := measure(ctx, o, os.Stderr)
	if err == nil {
		err = r.report(os.Stdout, o)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "dialer:", err)
		return 1
	}
	return 0
}

func (r *result) report(w io.Writer, o options) error {
	if o.json {
		return json.NewEncoder(w).Encode(r)
	}
	fmt.Fprintf(w, "\n%s, %d cores, %s\n", r.Host.CPU, r.Host.Cores, r.Host.Go)
	for _, f := range r.Databases {
		fmt.Fprintf(w, "\n%s\n", f.Database)
		fmt.Fprintf(w, "  calls         %.0f a second; %.0f µs of this process's processor time each (others used %.2f cores)\n",
			f.Rate.PerSecond, f.Rate.Micros, f.Rate.OtherCores)
		fmt.Fprintf(w, "  intents       %.0f a second, of calls that ring on\n", f.Rate.IntentsPerSecond)
		fmt.Fprintf(w, "  bare commits  %.0f inserts and updates a second\n", f.Rate.BarePerSecond)
		m := f.Waiting.Import
		fmt.Fprintf(w, "  import        %d rows (%.1f MB) in %.1f s: %.0f a second, %.0f µs of processor time each, %.1f MB of memory\n",
			m.Rows, m.Megabytes, m.Seconds, m.PerSecond, m.Micros, m.MemoryMB)
		for _, s := range []struct {
			name string
			sized
		}{{"few", f.Waiting.Few}, {"many", f.Waiting.Many}} {
			fmt.Fprintf(w, "  %-13s %d contacts wait: a plan of 64 %.2f ms, a claim of 64 %.2f ms\n", s.name, s.Contacts, s.PlanMs, s.ClaimMs)
		}
		fmt.Fprintf(w, "  many / few    plan %.2f, claim %.2f\n", f.Waiting.PlanRatio, f.Waiting.ClaimRatio)
		if o.explain {
			printPlans(w, f.Waiting.Few.Contacts, f.Waiting.Few.Plans)
			printPlans(w, f.Waiting.Many.Contacts, f.Waiting.Many.Plans)
		}
	}
	return nil
}
