//go:build linux

package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/callwright/callwright/bench/rig"
)

// echoRole is the argument with which this program is the bare echo server.
const echoRole = "echo"

// echo sends every packet back, with a socket and a goroutine for each call: the
// least that a server of Go can do. It prints its ports and ends with its
// standard input.
func echo(args []string) error {
	calls, err := strconv.Atoi(strings.Join(args, ""))
	if err != nil {
		return err
	}
	var conns []*net.UDPConn
	var loops sync.WaitGroup
	for range calls {
		conn, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(netip.MustParseAddrPort("127.0.0.1:0")))
		if err != nil {
			return err
		}
		conns = append(conns, conn)
		fmt.Println(conn.LocalAddr())
		loops.Go(func() {
			buf := make([]byte, 1500)
			for {
				n, from, err := conn.ReadFromUDPAddrPort(buf)
				if errors.Is(err, net.ErrClosed) {
					return
				}
				_, _ = conn.WriteToUDPAddrPort(buf[:n], from) // one who is gone needs no answer
			}
		})
	}
	_, _ = io.Copy(io.Discard, os.Stdin) // ends with whoever started this
	for _, conn := range conns {
		_ = conn.Close()
	}
	loops.Wait()
	return nil
}

// bareEcho measures the echo loop with so many calls: calls per core.
func bareEcho(ctx context.Context, calls int, d time.Duration) (float64, error) {
	self, err := os.Executable()
	if err != nil {
		return 0, err
	}
	cmd := exec.CommandContext(ctx, self, echoRole, strconv.Itoa(calls))
	in, err := cmd.StdinPipe()
	if err != nil {
		return 0, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return 0, err
	}
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	var peers []netip.AddrPort
	for lines := bufio.NewScanner(out); len(peers) < calls && lines.Scan(); {
		peer, err := netip.ParseAddrPort(lines.Text())
		if err != nil {
			return 0, err
		}
		peers = append(peers, peer)
	}
	perCore, err := load(ctx, cmd.Process.Pid, peers, d)
	return perCore, errors.Join(err, in.Close(), cmd.Wait())
}

// sippEcho measures sipp -rtp_echo, which is one socket in C, with so many
// calls; 0 when there is no sipp.
func sippEcho(ctx context.Context, calls int, d time.Duration) (float64, error) {
	sipp, err := exec.LookPath("sipp")
	if err != nil {
		return 0, nil
	}
	dir, err := os.MkdirTemp("", "callwright-bench-")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(dir)
	port, err := freePort()
	if err != nil {
		return 0, err
	}
	cmd := exec.CommandContext(ctx, sipp, "-sn", "uas", "-i", "127.0.0.1", "-p", strconv.Itoa(port+4), "-mi", "127.0.0.1",
		"-mp", strconv.Itoa(port), "-rtp_echo", "-nostdin")
	cmd.Dir = dir
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	peers := make([]netip.AddrPort, calls)
	for i := range peers {
		peers[i] = netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), uint16(port))
	}
	time.Sleep(300 * time.Millisecond) // it does not say when it is ready
	perCore, err := load(ctx, cmd.Process.Pid, peers, d)
	err = errors.Join(err, cmd.Process.Kill())
	_ = cmd.Wait() // killed
	return perCore, err
}

func freePort() (int, error) {
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		return 0, err
	}
	defer conn.Close()
	a, ok := conn.LocalAddr().(*net.UDPAddr)
	if !ok || a.Port > 65000 {
		return 0, errors.New("no port is free")
	}
	return a.Port + a.Port%2, nil
}

// load sends the sound of one call to each peer for some time and returns how
// many calls a core of the process pid would carry.
func load(ctx context.Context, pid int, peers []netip.AddrPort, d time.Duration) (float64, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	sound, err := rig.NewSound(netip.AddrFrom4([4]byte{127, 0, 0, 1}))
	if err != nil {
		return 0, err
	}
	voice, err := rig.NewVoice(rig.PCMU)
	if err != nil {
		return 0, err
	}
	for i, peer := range peers {
		sound.Add(rig.NewLine(i, peer, voice, rig.Turns{}))
	}
	ran := make(chan error, 1)
	go func() { ran <- sound.Run(ctx) }()
	time.Sleep(time.Second)
	sound.Take()
	meter, err := rig.StartMeter(pid)
	if err == nil {
		time.Sleep(d)
	}
	l, err := meter.Stop()
	seen := sound.Take()
	cancel()
	err = errors.Join(err, <-ran, sound.Close())
	if want := int(d/(20*time.Millisecond)) * len(peers); seen.Packets < want*9/10 {
		err = errors.Join(err, fmt.Errorf("only %d of %d packets came back", seen.Packets, want))
	}
	return float64(len(peers)) / max(l.Server, 0.001), err
}
