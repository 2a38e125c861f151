//go:build linux

package rig

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// clockTick is the unit of processor time in /proc/<pid>/stat: USER_HZ, which
// is 100 on every Linux (proc_pid_stat(5)).
const clockTick = 10 * time.Millisecond

// Usage is what a process has used so far and holds now.
type Usage struct {
	CPU       time.Duration // user and system together
	System    time.Duration
	RSS       int64 // bytes
	Anonymous int64 // bytes of RSS that belong to no file
	Files     int   // open descriptors
	Threads   int
}

// ReadUsage reads what the process pid uses from /proc.
func ReadUsage(pid int) (Usage, error) {
	var u Usage
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return u, err
	}
	// The name in parentheses may hold anything; the fields follow it.
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	if len(fields) < 18 {
		return u, fmt.Errorf("/proc/%d/stat has %d fields", pid, len(fields))
	}
	user, err1 := strconv.ParseInt(fields[11], 10, 64)
	system, err2 := strconv.ParseInt(fields[12], 10, 64)
	threads, err3 := strconv.Atoi(fields[17])
	if err1 != nil || err2 != nil || err3 != nil {
		return u, fmt.Errorf("/proc/%d/stat cannot be read: %q", pid, stat)
	}
	u.CPU, u.System, u.Threads = time.Duration(user+system)*clockTick, time.Duration(system)*clockTick, threads
	if u.RSS, u.Anonymous, err = readMemory(pid); err != nil {
		return u, err
	}
	files, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid))
	u.Files = len(files)
	return u, err
}

// readMemory reads the sums over all mappings (smaps_rollup, proc_pid_smaps(5)).
func readMemory(pid int) (rss, anonymous int64, err error) {
	f, err := os.Open(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
	if err != nil {
		return 0, 0, err
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		name, value, _ := strings.Cut(lines.Text(), ":")
		kB, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(value), " kB"), 10, 64)
		if err != nil {
			continue // the line of addresses
		}
		switch name {
		case "Rss":
			rss = kB << 10
		case "Anonymous":
			anonymous = kB << 10
		}
	}
	return rss, anonymous, lines.Err()
}

// MachineCPU is the processor time that all processes of this machine have used.
func MachineCPU() (busy time.Duration, err error) {
	raw, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0, err
	}
	line, _, _ := strings.Cut(string(raw), "\n")
	fields := strings.Fields(line)
	for i, f := range fields[1:min(len(fields), 9)] { // guests are counted in user
		n, err := strconv.ParseInt(f, 10, 64)
		if err != nil {
			return 0, fmt.Errorf("/proc/stat cannot be read: %q", line)
		}
		if i != 3 && i != 4 { // idle, waiting for disks
			busy += time.Duration(n) * clockTick
		}
	}
	return busy, nil
}
