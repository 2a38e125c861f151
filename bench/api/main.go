//go:build linux

// Command api measures what lists of calls cost, and whether that grows with
// what is stored: the real server with ten thousand and with ten million calls,
// asked by sixteen clients, beside a bare net/http handler.
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
	"time"

	"github.com/callwright/callwright/internal/store/storetest"
)

type options struct {
	json     bool
	small    int
	large    int
	clients  int
	duration time.Duration
	plans    bool
	only     string
	database string
	sqlite   bool
	binary   string
	writes   int
	profile  string
	ops      string
}

const manual = `The database is filled with calls of one year: 20 agents, 200 campaigns, most calls
over, each with variables, a recording and an analysis. Then clients, each with one
connection, ask as fast as they are answered. SQLite is always measured, PostgreSQL
where ` + storetest.Variable + ` names a server (bash scripts/postgres.sh go run ./bench/api).`

func parse(args []string, out io.Writer) (options, error) {
	var o options
	f := flag.NewFlagSet("api", flag.ContinueOnError)
	f.SetOutput(out)
	f.BoolVar(&o.json, "json", false, "print one JSON object, alone on standard output")
	f.IntVar(&o.small, "small", 10_000, "how many calls to begin with")
	f.IntVar(&o.large, "large", 10_000_000, "how many calls to go on with (1 kB each on the disk); 0 leaves this out")
	f.IntVar(&o.clients, "clients", 16, "how many clients ask at once")
	f.DurationVar(&o.duration, "duration", 3*time.Second, "how long each request is measured")
	f.BoolVar(&o.plans, "plans", true, "print how the database runs the queries")
	f.IntVar(&o.writes, "writes", 0, "how many calls are placed a second beside each request that only reads")
	f.StringVar(&o.only, "only", "", "measure only the request of this name")
	f.BoolVar(&o.sqlite, "sqlite", true, "measure SQLite")
	f.StringVar(&o.database, "database", os.Getenv(storetest.Variable), "URL of a PostgreSQL server to measure as well")
	f.StringVar(&o.binary, "binary", "", "server to measure; the default is built from this directory")
	f.StringVar(&o.profile, "profile", "", "write a processor profile of the server during the last request into this file")
	f.StringVar(&o.ops, "ops", "127.0.0.1:9464", "where the server serves its profiles, when one is wanted")
	f.Usage = func() {
		fmt.Fprintf(out, "Usage: go run ./bench/api [flags]\n\n%s\n\nFlags:\n", manual)
		f.PrintDefaults()
	}
	if err := f.Parse(args); err != nil {
		return o, err
	}
	if o.small < 1000 || o.large != 0 && o.large < o.small || o.clients < 1 || o.writes < 0 {
		return o, errors.New("a thousand calls and one client are the least, large is not less than small, and writes are no less than none")
	}
	return o, nil
}

func main() {
	if len(os.Args) > 1 && os.Args[1] == bareRole {
		if err := bare(os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, "api bare:", err)
			os.Exit(1)
		}
		return
	}
	o, err := parse(os.Args[1:], os.Stderr)
	if err != nil {
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	r, err := measure(ctx, o, os.Stderr)
	if err != nil {
		fmt.Fprintln(os.Stderr, "api:", err)
		os.Exit(1)
	}
	if o.json {
		err = json.NewEncoder(os.Stdout).Encode(r)
	} else {
		r.print(os.Stdout)
	}
	if err != nil {
		os.Exit(1)
	}
}
