//go:build linux

package rig

import (
	"os"
	"runtime"
	"strings"
	"time"
)

// Host says what a run was measured on.
type Host struct {
	CPU   string `json:"cpu"`
	Cores int    `json:"cores"`
	Go    string `json:"go"`
	// OtherCores is how many cores everything but the server and this program
	// used meanwhile: the figures of a busy machine are worse than its own.
	OtherCores float64 `json:"otherCores"`
}

// ReadHost describes this machine.
func ReadHost() Host {
	h := Host{CPU: runtime.GOARCH, Cores: runtime.NumCPU(), Go: runtime.Version()}
	raw, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return h
	}
	for line := range strings.Lines(string(raw)) {
		if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
			h.CPU = strings.TrimSpace(value)
			break
		}
	}
	return h
}

// Meter measures what a process, this one and the machine use between Start and
// Stop.
type Meter struct {
	pid         int
	began       time.Time
	server, own Usage
	machine     time.Duration
}

// Load is what was used on the average, in cores.
type Load struct {
	Server, ServerSystem, Generator, Other float64
	Usage                                  Usage // of the server at the end
}

// StartMeter begins to measure beside the process pid.
func StartMeter(pid int) (*Meter, error) {
	m := &Meter{pid: pid, began: time.Now()}
	var err error
	if m.server, err = ReadUsage(pid); err != nil {
		return nil, err
	}
	if m.own, err = ReadUsage(os.Getpid()); err != nil {
		return nil, err
	}
	m.machine, err = MachineCPU()
	return m, err
}

// Stop ends the measurement.
func (m *Meter) Stop() (Load, error) {
	took := float64(time.Since(m.began))
	server, err := ReadUsage(m.pid)
	if err != nil {
		return Load{}, err
	}
	own, err := ReadUsage(os.Getpid())
	if err != nil {
		return Load{}, err
	}
	machine, err := MachineCPU()
	l := Load{
		Server: float64(server.CPU-m.server.CPU) / took, ServerSystem: float64(server.System-m.server.System) / took,
		Generator: float64(own.CPU-m.own.CPU) / took, Usage: server,
	}
	if m.pid == os.Getpid() { // it measures itself
		l.Generator = 0
	}
	l.Other = max(0, float64(machine-m.machine)/took-l.Server-l.Generator)
	return l, err
}
