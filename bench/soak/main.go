//go:build linux

// Command soak has short calls come and go for minutes or hours and watches what
// the server holds: memory, goroutines, descriptors, ports, the write-ahead log.
// It fails when any of them grows, or is not given back after the last call.
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
)

type options struct {
	json     bool
	duration time.Duration
	rate     float64
	length   time.Duration
	database string
	binary   string
}

const manual = `Calls are placed at a steady rate through the API; each is answered, talks once, is
recorded, and ends at its maximum duration. What the server holds is sampled, and a
line is laid through the second half of the samples; a rise over it of more than the
tolerance fails the run (exit status 1), as does a call that failed.`

func parse(args []string, out io.Writer) (options, error) {
	var o options
	f := flag.NewFlagSet("soak", flag.ContinueOnError)
	f.SetOutput(out)
	f.BoolVar(&o.json, "json", false, "print one JSON object, alone on standard output")
	f.DurationVar(&o.duration, "duration", 10*time.Minute, "how long calls come and go")
	f.Float64Var(&o.rate, "rate", 5, "calls a second")
	f.DurationVar(&o.length, "length", 10*time.Second, "how long a call lasts, in whole seconds")
	f.StringVar(&o.database, "database", "", "URL of an empty PostgreSQL database; the default is SQLite")
	f.StringVar(&o.binary, "binary", "", "server to measure; the default is built from this directory")
	f.Usage = func() {
		fmt.Fprintf(out, "Usage: go run ./bench/soak [flags]\n\n%s\n\nFlags:\n", manual)
		f.PrintDefaults()
	}
	if err := f.Parse(args); err != nil {
		return o, err
	}
	if o.rate <= 0 || o.length < time.Second || o.duration < 2*o.length {
		return o, errors.New("a rate over 0, calls of a second or more and a run of at least two calls are needed")
	}
	return o, nil
}

func main() {
	o, err := parse(os.Args[1:], os.Stderr)
	if err != nil {
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	r, err := soak(ctx, o, os.Stderr)
	if err != nil {
		fmt.Fprintln(os.Stderr, "soak:", err)
		os.Exit(1)
	}
	if o.json {
		err = json.NewEncoder(os.Stdout).Encode(r)
	} else {
		r.print(os.Stdout)
	}
	if err != nil || !r.Flat {
		os.Exit(1)
	}
}
