//go:build linux

package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"time"
)

// process is a sender in a process of its own.
type process struct {
	cmd     *exec.Cmd
	in      io.WriteCloser
	read    sync.WaitGroup
	started chan struct{} // closed when it delivers
	noise   strings.Builder

	mu    sync.Mutex
	acked map[string]time.Time // when the commit of an event returned
}

// start starts a sender.
func start(ctx context.Context, o order) (*process, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	raw, err := json.Marshal(o)
	if err != nil {
		return nil, err
	}
	p := &process{cmd: exec.CommandContext(ctx, self, senderRole, string(raw)), started: make(chan struct{}), acked: make(map[string]time.Time)}
	if p.in, err = p.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	words, err := p.cmd.StderrPipe()
	if err != nil {
		return nil, err
	}
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	p.read.Go(func() { p.acks(out) })
	p.read.Go(func() { p.words(words) })
	return p, nil
}

func (p *process) acks(out io.Reader) {
	for lines := bufio.NewScanner(out); lines.Scan(); {
		id, nanos, whole := strings.Cut(lines.Text(), " ")
		n, err := strconv.ParseInt(nanos, 10, 64)
		if !whole || err != nil || len(nanos) < 19 {
			continue // the line in which it died
		}
		p.mu.Lock()
		p.acked[id] = time.Unix(0, n)
		p.mu.Unlock()
	}
}

func (p *process) words(words io.Reader) {
	once := sync.OnceFunc(func() { close(p.started) })
	defer once()
	for lines := bufio.NewScanner(words); lines.Scan(); {
		if lines.Text() == "sender: delivering" {
			once()
			continue
		}
		fmt.Fprintln(&p.noise, lines.Text())
	}
}

// count is how many events it has said to be committed.
func (p *process) count() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.acked)
}

// stop ends it in order.
func (p *process) stop() error {
	err := p.in.Close()
	p.read.Wait()
	if ended := p.cmd.Wait(); ended != nil {
		err = errors.Join(err, fmt.Errorf("the sender failed: %w\n%s", ended, p.noise.String()))
	}
	return err
}

// kill ends it with SIGKILL, wherever it is.
func (p *process) kill() error {
	err := p.cmd.Process.Kill()
	p.read.Wait()
	_ = p.cmd.Wait() // says that it was killed
	if p.noise.Len() > 0 {
		err = errors.Join(err, fmt.Errorf("the sender complained: %s", p.noise.String()))
	}
	return err
}
