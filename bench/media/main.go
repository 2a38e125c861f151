//go:build linux

// Command media measures how many calls one core carries. It starts the real
// server in a process of its own, calls simulated phones of this process through
// the REST API, and raises the number of calls until the pacing jitter of the
// sound that arrives passes 5 ms at the 99th percentile, or a call fails.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// options are the flags.
type options struct {
	json      bool
	duration  time.Duration
	from, max int
	recording bool
	codec     string
	vad       string
	voice     string
	rows      int
	database  string
	binary    string
	all       bool
	profile   string
}

func parse(args []string, out io.Writer) (options, error) {
	var o options
	f := flag.NewFlagSet("media", flag.ContinueOnError)
	f.SetOutput(out)
	f.BoolVar(&o.json, "json", false, "print one JSON object, alone on standard output")
	f.DurationVar(&o.duration, "duration", 5*time.Second, "how long each step is measured")
	f.IntVar(&o.from, "from", 25, "calls of the first step")
	f.IntVar(&o.max, "max", 800, "the most calls at once")
	f.BoolVar(&o.recording, "recording", true, "record the calls")
	f.StringVar(&o.codec, "codec", "pcmu", "pcmu, pcma or g722")
	f.StringVar(&o.vad, "vad", "", "voice detection: spectral (the default) or silero")
	f.StringVar(&o.voice, "voice", "", "flite: every call speaks sentences of its own with the built-in voice")
	f.IntVar(&o.rows, "import", 0, "rows a second that are written through the API meanwhile")
	f.StringVar(&o.database, "database", "", "URL of an empty PostgreSQL database; the default is SQLite")
	f.StringVar(&o.binary, "binary", "", "server to measure; the default is built from this directory")
	f.BoolVar(&o.all, "all", false, "after the full pipeline, a short step of every variant")
	f.StringVar(&o.profile, "profile", "", "have perf record the server during the last step into this file")
	f.Usage = func() {
		fmt.Fprintf(out, "Usage: go run ./bench/media [flags]\n\n%s\nFlags:\n", manual)
		f.PrintDefaults()
	}
	err := f.Parse(args)
	return o, err
}

func main() {
	if len(os.Args) > 1 && os.Args[1] == echoRole {
		if err := echo(os.Args[2:]); err != nil {
			fmt.Fprintln(os.Stderr, "media echo:", err)
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
	if err := run(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, "media:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, o options) error {
	progress := io.Writer(os.Stderr)
	r, err := measure(ctx, o, progress)
	if err != nil {
		return err
	}
	if o.json {
		return json.NewEncoder(os.Stdout).Encode(r)
	}
	r.print(os.Stdout)
	return nil
}
