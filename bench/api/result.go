//go:build linux

package main

import (
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/callwright/callwright/bench/rig"
)

// result is what -json prints.
type result struct {
	Clients int       `json:"clients"`
	Runs    []figures `json:"runs"`
	Host    rig.Host  `json:"host"`
}

// figures are of one database with one number of calls.
type figures struct {
	Database    string   `json:"database"`
	Calls       int      `json:"calls"`
	Bytes       int64    `json:"bytes"` // on the disk
	FillSeconds float64  `json:"fillSeconds"`
	Requests    []figure `json:"requests"`
	Plans       []plan   `json:"plans,omitempty"`
}

// figure is of one request.
type figure struct {
	Name         string  `json:"name"`
	What         string  `json:"what"`
	Total        string  `json:"total,omitempty"` // as the answer says
	Bytes        int     `json:"bytes"`           // of an answer's body
	PerSecond    float64 `json:"perSecond"`
	P50Ms        float64 `json:"p50Ms"`
	P99Ms        float64 `json:"p99Ms"`
	ServerMicros float64 `json:"serverMicros"` // of processor time for each request
	ServerCores  float64 `json:"serverCores"`
	ClientCores  float64 `json:"clientCores"`
	OtherCores   float64 `json:"otherCores"`
	// PlacedPerSecond are the calls that were placed meanwhile.
	PlacedPerSecond float64 `json:"placedPerSecond,omitempty"`
}

// plan is how a database runs the queries of a request.
type plan struct {
	Request string   `json:"request"`
	Queries []string `json:"queries"`
	Steps   []string `json:"steps"`
}

// smallest returns what the same request costs with the fewest calls.
func (r *result) smallest(database, name string) (figure, bool) {
	for _, run := range r.Runs {
		if run.Database != database {
			continue
		}
		for _, f := range run.Requests {
			if f.Name == name {
				return f, true
			}
		}
		return figure{}, false
	}
	return figure{}, false
}

func (r *result) print(w io.Writer) {
	fmt.Fprintf(w, "\n%s, %d cores, %s; %d clients on the same machine\n", r.Host.CPU, r.Host.Cores, r.Host.Go, r.Clients)
	for i, run := range r.Runs {
		fmt.Fprintf(w, "\n%s, %d calls, %d MB, filled in %.0f s\n", run.Database, run.Calls, run.Bytes>>20, run.FillSeconds)
		t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
		fmt.Fprintln(t, "request\ttotal\tbytes\ta second\tp50\tp99\tserver µs\tserver\tclients\tother\tplaced\tratio\tin µs\t  what")
		for _, f := range run.Requests {
			ratio, micros := "", ""
			if first, ok := r.smallest(run.Database, f.Name); ok && i > 0 && first.PerSecond > 0 && r.Runs[i-1].Database == run.Database {
				ratio = fmt.Sprintf("%.2f", first.PerSecond/f.PerSecond)
				micros = fmt.Sprintf("%.2f", f.ServerMicros/first.ServerMicros)
			}
			fmt.Fprintf(t, "%s\t%s\t%d\t%.0f\t%.2f ms\t%.2f ms\t%.0f\t%.2f\t%.2f\t%.2f\t%.0f\t%s\t%s\t  %s\n",
				f.Name, f.Total, f.Bytes, f.PerSecond, f.P50Ms, f.P99Ms, f.ServerMicros, f.ServerCores, f.ClientCores, f.OtherCores, f.PlacedPerSecond, ratio, micros, f.What)
		}
		_ = t.Flush() // to a terminal or nowhere
	}
	for _, run := range r.Runs {
		for _, p := range run.Plans {
			fmt.Fprintf(w, "\n%s, %d calls: %s\n", run.Database, run.Calls, p.Request)
			for i, q := range p.Queries {
				fmt.Fprintf(w, "  %s\n%s", q, p.Steps[i])
			}
		}
	}
}
