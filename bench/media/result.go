//go:build linux

package main

import (
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/callwright/callwright/bench/rig"
)

// result is what -json prints. Its top level is of the highest step of the full
// pipeline that held.
type result struct {
	CallsPerCore         float64 `json:"callsPerCore"`
	MemoryPerCallBytes   int64   `json:"memoryPerCallBytes"`
	OwnShareP50Ms        float64 `json:"ownShareP50Ms"`
	OwnShareP95Ms        float64 `json:"ownShareP95Ms"`
	OwnShareP99Ms        float64 `json:"ownShareP99Ms"`
	GreetingP50Ms        float64 `json:"greetingP50Ms"`
	GreetingP95Ms        float64 `json:"greetingP95Ms"`
	SetupP50Ms           float64 `json:"setupP50Ms"`
	SetupP95Ms           float64 `json:"setupP95Ms"`
	JitterP50Ms          float64 `json:"jitterP50Ms"`
	JitterP99Ms          float64 `json:"jitterP99Ms"`
	JitterLoadedP99Ms    float64 `json:"jitterLoadedP99Ms"` // with rows written and flite speaking; 0 without -all
	BaselineCallsPerCore float64 `json:"baselineCallsPerCore"`
	SippCallsPerCore     float64 `json:"sippCallsPerCore"`

	Calls    int       `json:"calls"` // the most that held
	Stopped  string    `json:"stopped"`
	Recorded bool      `json:"recorded"`
	Codec    string    `json:"codec"`
	VAD      string    `json:"vad"`
	Steps    []step    `json:"steps"`
	Variants []variant `json:"variants,omitempty"`
	Host     rig.Host  `json:"host"`
}

// step is one number of calls.
type step struct {
	Calls              int     `json:"calls"`
	ServerCores        float64 `json:"serverCores"`
	ServerSystemCores  float64 `json:"serverSystemCores"`
	GeneratorCores     float64 `json:"generatorCores"`
	OtherCores         float64 `json:"otherCores"`
	CallsPerCore       float64 `json:"callsPerCore"`
	MemoryPerCallBytes int64   `json:"memoryPerCallBytes"`
	JitterP50Ms        float64 `json:"jitterP50Ms"`
	JitterP99Ms        float64 `json:"jitterP99Ms"`
	JitterMaxMs        float64 `json:"jitterMaxMs"`
	FloorP99Ms         float64 `json:"floorP99Ms"` // how late a thread that only sleeps wakes
	Packets            int     `json:"packets"`
	LostPackets        int     `json:"lostPackets"`
	GreetingP50Ms      float64 `json:"greetingP50Ms"`
	GreetingP95Ms      float64 `json:"greetingP95Ms"`
	Turns              int     `json:"turns"`
	ResponseP50Ms      float64 `json:"responseP50Ms"`
	ResponseP95Ms      float64 `json:"responseP95Ms"`
	OwnShareP50Ms      float64 `json:"ownShareP50Ms"`
	OwnShareP95Ms      float64 `json:"ownShareP95Ms"`
	OwnShareP99Ms      float64 `json:"ownShareP99Ms"`
	OwnReportedP95Ms   float64 `json:"ownReportedP95Ms"`
	Held               bool    `json:"held"`
	Why                string  `json:"why,omitempty"`
}

// variant is one step with something changed.
type variant struct {
	Name string `json:"name"`
	step
}

func (r *result) print(w io.Writer) {
	fmt.Fprintf(w, "\n%s, %d cores, %s; other programs used %.2f cores\n\n", r.Host.CPU, r.Host.Cores, r.Host.Go, r.Host.OtherCores)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "calls\tserver\tof it kernel\tcalls/core\tkB/call\tjitter p50\tp99\tmax\tfloor\tlost\town share p95\tturns\tother\t")
	row := func(name string, s step) {
		fmt.Fprintf(t, "%s\t%.2f\t%.2f\t%.0f\t%d\t%.2f ms\t%.2f ms\t%.1f ms\t%.2f ms\t%d\t%.1f ms\t%d\t%.2f\t%s\n",
			name, s.ServerCores, s.ServerSystemCores, s.CallsPerCore, s.MemoryPerCallBytes>>10, s.JitterP50Ms, s.JitterP99Ms,
			s.JitterMaxMs, s.FloorP99Ms, s.LostPackets, s.OwnShareP95Ms, s.Turns, s.OtherCores, s.Why)
	}
	for _, s := range r.Steps {
		row(fmt.Sprint(s.Calls), s)
	}
	for _, v := range r.Variants {
		row(fmt.Sprintf("%s %d", v.Name, v.Calls), v.step)
	}
	_ = t.Flush() // to a terminal or nowhere
	fmt.Fprintf(w, `
full pipeline   %.0f calls per core, %d kB each; %d calls held at once: %s
own share       p50 %.1f  p95 %.1f  p99 %.1f ms (end of speech decided to first packet, without the services)
greeting        p50 %.1f  p95 %.1f ms (200 OK to first packet of sound)
setup           p50 %.1f  p95 %.1f ms (INVITE to ACK)
baseline        %.0f calls per core in a bare Go echo loop, %.0f in sipp -rtp_echo
`, r.CallsPerCore, r.MemoryPerCallBytes>>10, r.Calls, r.Stopped, r.OwnShareP50Ms, r.OwnShareP95Ms, r.OwnShareP99Ms,
		r.GreetingP50Ms, r.GreetingP95Ms, r.SetupP50Ms, r.SetupP95Ms, r.BaselineCallsPerCore, r.SippCallsPerCore)
}
