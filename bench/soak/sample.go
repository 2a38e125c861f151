//go:build linux

package main

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/callwright/callwright/bench/rig"
)

// sample is what the server holds at one moment.
type sample struct {
	At         float64 `json:"atSeconds"`
	RSS        float64 `json:"rssBytes"`
	Heap       float64 `json:"heapBytes"` // that were live at the last garbage collection
	Goroutines float64 `json:"goroutines"`
	Files      float64 `json:"files"`    // open descriptors, sockets included
	Ports      float64 `json:"ports"`    // UDP ports of the range for sound
	Log        float64 `json:"logBytes"` // write-ahead log; an open transaction keeps it from being emptied
	Live       float64 `json:"liveCalls"`
}

// look takes a sample of a rig that serves its metrics at ops.
func look(ctx context.Context, r *rig.Rig, dir, ops string, began time.Time) (sample, error) {
	s := sample{At: time.Since(began).Seconds()}
	usage, err := r.Server.Usage()
	if err != nil {
		return s, err
	}
	s.RSS, s.Files = float64(usage.RSS), float64(usage.Files)
	m, err := metrics(ctx, ops)
	if err != nil {
		return s, err
	}
	s.Goroutines, s.Heap = m["go_goroutines"], m["go_gc_heap_live_bytes"]
	if s.Heap == 0 { // the next collection comes at twice what was live
		s.Heap = m["go_memstats_next_gc_bytes"] / 2
	}
	if s.Ports, err = ports(r.Server.PID()); err != nil {
		return s, err
	}
	if log, err := os.Stat(filepath.Join(dir, "data", "callwright.db-wal")); err == nil {
		s.Log = float64(log.Size())
	}
	live, _ := r.Phone.Live()
	s.Live = float64(live)
	return s, nil
}

// metrics reads the values without labels that Prometheus would.
func metrics(ctx context.Context, ops string) (map[string]float64, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+ops+"/metrics", nil)
	if err != nil {
		return nil, err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the metrics answered %s", res.Status)
	}
	out := map[string]float64{}
	lines := bufio.NewScanner(res.Body)
	for lines.Scan() {
		name, value, _ := strings.Cut(lines.Text(), " ")
		if v, err := strconv.ParseFloat(value, 64); err == nil {
			out[name] = v
		}
	}
	return out, lines.Err()
}

// ports counts the UDP ports from 20000 to 29999 that are bound in the network
// of the process pid (proc_net_udp: local addresses are hexadecimal). Others than
// the server's are counted too, as long as nobody opens and closes them.
func ports(pid int) (float64, error) {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/net/udp", pid))
	if err != nil {
		return 0, err
	}
	n := 0
	for line := range strings.Lines(string(raw)) {
		fields := strings.Fields(line)
		if len(fields) < 2 {
			continue
		}
		_, port, _ := strings.Cut(fields[1], ":")
		if p, err := strconv.ParseUint(port, 16, 16); err == nil && p >= 20000 && p <= 29999 {
			n++
		}
	}
	return float64(n), nil
}
