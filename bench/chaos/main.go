//go:build linux

// Command chaos proves that dialing survives its process: it kills a server that
// dials, at random times and at each of its failpoints, stops one and cuts one
// from the database, and has far ends in a process of their own count what
// reached them.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"

	"github.com/callwright/callwright/bench/rig"
	"github.com/callwright/callwright/internal/failpoint"
	"github.com/callwright/callwright/internal/store/storetest"
)

type options struct {
	json     bool
	kills    int
	points   int
	at       []failpoint.Name
	seed     uint64
	database string
	sqlite   bool
	contacts int
	rate     float64
	nodes    int
	steady   int
	short    bool
	binary   string
}

const manual = `A server is started on an empty database and dials far ends that talk, are busy, do not answer,
are overloaded or slow. It is killed with SIGKILL -kills times at random moments and -points times at
each failpoint, and started again; files of contacts whose import dies are sent again. Then -nodes servers share a database (PostgreSQL only): one is stopped
for a minute, one is cut from the database. The exit status is 1 when a number is called twice,
an order is lost, an end of a call is not told, or a call of a dead server is not hung up within five
seconds of the next start. SQLite is always tried, PostgreSQL where ` + storetest.Variable + ` names
a server (bash scripts/postgres.sh go run ./bench/chaos).`

func parse(args []string, out io.Writer) (options, error) {
	var o options
	var at string
	f := flag.NewFlagSet("chaos", flag.ContinueOnError)
	f.SetOutput(out)
	f.BoolVar(&o.json, "json", false, "print one JSON object, alone on standard output")
	f.IntVar(&o.kills, "kills", 100, "how often the server is killed at random moments")
	f.IntVar(&o.points, "points", 25, "how often it dies at each failpoint")
	f.StringVar(&at, "at", "", "failpoints, parted by commas; \"\" is all, - is none")
	f.Uint64Var(&o.seed, "seed", 1, "what the random moments follow from")
	f.IntVar(&o.contacts, "contacts", 8_000, "how many numbers are called")
	f.Float64Var(&o.rate, "rate", 40, "orders a second at most")
	f.IntVar(&o.nodes, "nodes", 3, "servers that share a database; 0 leaves that out")
	f.IntVar(&o.steady, "steady", 5, "contacts a second, in campaigns, while nodes are in trouble")
	f.BoolVar(&o.short, "short", false, "a small run, as the tests make it")
	f.BoolVar(&o.sqlite, "sqlite", true, "try SQLite")
	f.StringVar(&o.database, "database", os.Getenv(storetest.Variable), "URL of a PostgreSQL server to try as well")
	f.StringVar(&o.binary, "binary", "", "a server that was built with -tags failpoint; \"\" builds one")
	f.Usage = func() {
		fmt.Fprintf(out, "Usage: go run ./bench/chaos [flags]\n\n%s\n\nFlags:\n", manual)
		f.PrintDefaults()
	}
	if err := f.Parse(args); err != nil {
		return o, err
	}
	var err error
	if o.at, err = pointsOf(at); err != nil {
		return o, err
	}
	if o.short {
		o.kills, o.points, o.contacts, o.nodes = 3, 1, 100, 0
		if at == "" {
			o.at = []failpoint.Name{failpoint.AfterClaimCommit, failpoint.AfterIntentCommit, failpoint.AfterInviteSent, failpoint.AfterACK, failpoint.AfterBYE, failpoint.DuringImport}
		}
	}
	if o.points == 0 {
		o.at = nil
	}
	if o.kills < 0 || o.points < 0 || o.contacts < 1 || o.contacts > 10_000*len(areas) || o.rate <= 0 || o.nodes != 0 && o.nodes < 3 {
		return o, fmt.Errorf("at least one contact and at most %d, a rate above 0, and no nodes or three", 10_000*len(areas))
	}
	return o, nil
}

// pointsOf reads a list of points.
func pointsOf(list string) ([]failpoint.Name, error) {
	all := failpoint.Names()
	switch list {
	case "":
		return all, nil
	case "-":
		return nil, nil
	}
	var some []failpoint.Name
	for word := range strings.SplitSeq(list, ",") {
		if !slices.Contains(all, failpoint.Name(word)) {
			return nil, fmt.Errorf("%q is none of %v", word, all)
		}
		some = append(some, failpoint.Name(word))
	}
	return some, nil
}

// result is what -json prints.
type result struct {
	Verdicts []verdict `json:"verdicts"`
	Host     rig.Host  `json:"host"`
}

// rage tries what the options ask for, on each database.
func rage(ctx context.Context, o options, progress io.Writer) (_ *result, err error) {
	if o.binary == "" {
		dir, err := os.MkdirTemp("", "callwright-chaos-")
		if err != nil {
			return nil, err
		}
		defer os.RemoveAll(dir)
		if o.binary, err = rig.Build(ctx, dir, "failpoint"); err != nil {
			return nil, err
		}
	}
	r := &result{Host: rig.ReadHost()}
	for _, name := range []string{rig.SQLite, rig.Postgres} {
		if name == rig.SQLite && !o.sqlite || name == rig.Postgres && o.database == "" {
			continue
		}
		for _, scene := range scenes(o, name) {
			err := rig.Within(ctx, name, o.database, func(at rig.Place) error {
				v, err := scene(ctx, o, at, progress)
				if v != nil {
					r.Verdicts = append(r.Verdicts, *v)
				}
				return err
			})
			if err != nil {
				return r, fmt.Errorf("%s: %w", name, err)
			}
		}
	}
	return r, nil
}

// scenes are what is tried on a database.
func scenes(o options, database string) []func(context.Context, options, rig.Place, io.Writer) (*verdict, error) {
	var all []func(context.Context, options, rig.Place, io.Writer) (*verdict, error)
	inTables := slices.Contains(o.at, failpoint.DuringMigration)
	if o.kills > 0 || len(o.at) > 1 || len(o.at) == 1 && !inTables {
		all = append(all, crashes)
	}
	if inTables {
		all = append(all, migrations)
	}
	if o.nodes > 0 && database == rig.Postgres {
		all = append(all, partitions)
	}
	return all
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
		fmt.Fprintln(os.Stderr, "chaos:", err)
		return 2
	}
	r, err := rage(ctx, o, os.Stderr)
	if r != nil {
		err = errors.Join(err, r.report(os.Stdout, o.json))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "chaos:", err)
		return 1
	}
	return 0
}

// report prints the result; it is an error when a promise was broken.
func (r *result) report(w io.Writer, asJSON bool) error {
	if asJSON {
		if err := json.NewEncoder(w).Encode(r); err != nil {
			return err
		}
	} else {
		fmt.Fprintf(w, "\n%s, %d cores, %s\n", r.Host.CPU, r.Host.Cores, r.Host.Go)
		for i := range r.Verdicts {
			r.Verdicts[i].print(w)
		}
	}
	var broken []error
	for _, v := range r.Verdicts {
		if !v.sound() {
			broken = append(broken, fmt.Errorf("%s, %s: a promise was broken", v.Database, v.Scene))
		}
	}
	return errors.Join(broken...)
}

func (v *verdict) print(w io.Writer) {
	fmt.Fprintf(w, "\n%s, %s: duplicates=%d lost=%d orphans_byed=%d/%d\n", v.Database, v.Scene, v.Duplicates, v.Lost, v.Orphans.Byed, v.Orphans.All)
	if v.Contacts > 0 {
		v.printCalls(w)
	}
	if p := v.Partition; p != nil {
		fmt.Fprintf(w, "  %d nodes: the longest pause was %.1f s, the longest wait of a contact for its INVITE %.1f s; %d INVITEs while two of them were away, %d by one that had to be silent; %v\n",
			p.Nodes, p.LongestPause, p.LongestWait, p.Meanwhile, p.Fenced, p.Dialed)
	}
	if v.Kills > 0 {
		fmt.Fprintf(w, "  %-22s %4d\n", "at random", v.Kills)
	}
	for _, name := range slices.Sorted(maps.Keys(v.Points)) {
		t := v.Points[name]
		fmt.Fprintf(w, "  %-22s %4d", name, t.Died)
		if t.Missed > 0 {
			fmt.Fprintf(w, ", and %d never came there", t.Missed)
		}
		fmt.Fprintln(w)
	}
	for _, f := range v.Faults {
		fmt.Fprintf(w, "  fault: %s\n", f)
	}
}

func (v *verdict) printCalls(w io.Writer) {
	fmt.Fprintf(w, "  %d contacts (%d of campaigns, %d out of files), %d calls (%d completed, %d failed, %d interrupted), %d dialed, %d ends not told once, in %.0f s\n",
		v.Contacts, v.Campaigns, v.Imported, v.Calls, v.Completed, v.Failed, v.Interrupted, v.Dialed, v.Untold, v.Seconds)
	fmt.Fprintf(w, "  %d webhooks wait for their next try; %d batches whose import died called nobody\n", v.Pending, v.Abandoned)
	if o := v.Orphans; o.All > 0 {
		fmt.Fprintf(w, "  BYE after the restart: p50 %.0f ms, p99 %.0f ms, longest %.0f ms; %d late, %d never; %d were never answered\n",
			o.P50Ms, o.P99Ms, o.MaxMs, o.Late, o.Never, o.Silent)
	}
	if v.ReadyMaxMs > 0 {
		fmt.Fprintf(w, "  a process is ready after %.0f ms, the slowest after %.0f ms\n", v.ReadyP50Ms, v.ReadyMaxMs)
	}
}
