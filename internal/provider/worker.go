package provider

import (
	"bufio"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"time"
)

// Engines that compute for long are run in processes of their own: beside them,
// in one process, the calls' sound would wait for a processor and for the garbage
// collector. A worker is such a process. It takes one order at a time on its
// standard input and ends with it, or when nothing was ordered for a while.

// order is a line that a worker reads: the arguments of the synthesizer.
type order struct {
	Args []string `json:"args"`
}

// delivery is the line that it answers, before so many samples of 16 bits.
type delivery struct {
	Error   string `json:"error,omitempty"`
	Rate    int    `json:"rate"`
	Samples int    `json:"samples"`
}

// workerIdle is how long a worker waits for an order.
const workerIdle = 5 * time.Minute

// ServeWorker is the worker: it runs flite for orders from in until in ends or
// brings none for five minutes. It gives way to processes that carry calls.
func ServeWorker(ctx context.Context, in io.Reader, out io.Writer) error {
	giveWay()
	m := newMachine(loadFlite)
	m.alone = true
	orders := make(chan order)
	failed := make(chan error, 1)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		d := json.NewDecoder(in)
		for {
			var o order
			if err := d.Decode(&o); err != nil {
				failed <- err
				return
			}
			select {
			case orders <- o:
			case <-ctx.Done():
				return
			}
		}
	}()
	for {
		select {
		case o := <-orders:
			pcm, rate, err := m.run(ctx, o.Args...)
			if err := deliver(out, pcm, rate, err); err != nil {
				return err
			}
		case err := <-failed:
			if errors.Is(err, io.EOF) {
				return nil
			}
			return err
		case <-time.After(workerIdle):
			return nil
		case <-ctx.Done():
			return nil
		}
	}
}

func deliver(out io.Writer, pcm []int16, rate int, err error) error {
	d := delivery{Rate: rate, Samples: len(pcm)}
	if err != nil {
		d = delivery{Error: err.Error()}
	}
	line, err := json.Marshal(d)
	if err != nil {
		return err
	}
	line = append(line, '\n')
	for _, s := range pcm {
		line = binary.LittleEndian.AppendUint16(line, uint16(s))
	}
	_, err = out.Write(line)
	return err
}

// workshop keeps the workers of one command: as many as may work at once, for
// sound must be paced meanwhile.
type workshop struct {
	command []string
	slots   chan struct{}

	mu   sync.Mutex
	idle []*worker
}

var workshops sync.Map // of *workshop, by command

// workshopOf returns the workers of a command; all engines share them.
func workshopOf(command []string) *workshop {
	w, _ := workshops.LoadOrStore(strings.Join(command, "\x00"), newWorkshop(command))
	shop, _ := w.(*workshop) // nothing else is stored
	return shop
}

func newWorkshop(command []string) *workshop {
	return &workshop{command: command, slots: make(chan struct{}, max(1, runtime.NumCPU()-1))}
}

// worker is one process.
type worker struct {
	in      io.WriteCloser
	pipe    io.Closer // under out
	out     *bufio.Reader
	stopped chan struct{}
	used    bool
}

// run has a worker run the synthesizer with args. When ctx ends, nobody waits for
// the work any more, and the worker is free again after it.
func (s *workshop) run(ctx context.Context, args ...string) ([]int16, int, error) {
	select {
	case s.slots <- struct{}{}:
	case <-ctx.Done():
		return nil, 0, ctx.Err()
	}
	type result struct {
		pcm  []int16
		rate int
		err  error
	}
	done := make(chan result, 1)
	go func() {
		defer func() { <-s.slots }()
		pcm, rate, err := s.order(args)
		done <- result{pcm, rate, err}
	}()
	select {
	case r := <-done:
		return r.pcm, r.rate, r.err
	case <-ctx.Done():
		return nil, 0, ctx.Err()
	}
}

// errWorker says that a worker did not answer as it should.
var errWorker = errors.New("the process that speaks broke off")

// order gives args to a worker. One that was idle may have ended meanwhile; then
// a new one gets them.
func (s *workshop) order(args []string) ([]int16, int, error) {
	for {
		w, err := s.hire()
		if err != nil {
			return nil, 0, err
		}
		pcm, rate, err := w.work(args)
		if !errors.Is(err, errWorker) {
			w.used = true
			s.mu.Lock()
			s.idle = append(s.idle, w)
			s.mu.Unlock()
			return pcm, rate, err
		}
		w.dismiss()
		if !w.used {
			return nil, 0, err
		}
	}
}

// hire returns the worker that was idle last, or starts one.
func (s *workshop) hire() (*worker, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if n := len(s.idle); n > 0 {
		w := s.idle[n-1]
		s.idle = s.idle[:n-1]
		return w, nil
	}
	cmd := exec.Command(s.command[0], s.command[1:]...)
	cmd.SysProcAttr = apart()
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	// Not the command's own pipe, which Wait closes: what a worker said before it
	// ended is still read.
	out, its, err := os.Pipe()
	if err != nil {
		return nil, errors.Join(err, in.Close())
	}
	cmd.Stdout = its
	if err := errors.Join(cmd.Start(), its.Close()); err != nil {
		return nil, errors.Join(fmt.Errorf("the process that speaks cannot be started: %w", err), in.Close(), out.Close())
	}
	w := &worker{in: in, pipe: out, out: bufio.NewReaderSize(out, 1<<16), stopped: make(chan struct{})}
	go func() {
		_ = cmd.Wait() // that it ended is seen by who reads from it
		close(w.stopped)
	}()
	return w, nil
}

// work gives one order and takes what is delivered.
func (w *worker) work(args []string) ([]int16, int, error) {
	line, err := json.Marshal(order{Args: args})
	if err != nil {
		return nil, 0, err
	}
	if _, err := w.in.Write(append(line, '\n')); err != nil {
		return nil, 0, fmt.Errorf("%w: %w", errWorker, err)
	}
	head, err := w.out.ReadBytes('\n')
	if err != nil {
		return nil, 0, fmt.Errorf("%w: %w", errWorker, err)
	}
	var d delivery
	if json.Unmarshal(head, &d) != nil || d.Samples < 0 || d.Samples > maxClauseSound/2 {
		return nil, 0, fmt.Errorf("%w: it delivered something else", errWorker)
	}
	if d.Error != "" {
		return nil, 0, errors.New(d.Error)
	}
	raw := make([]byte, 2*d.Samples)
	if _, err := io.ReadFull(w.out, raw); err != nil {
		return nil, 0, fmt.Errorf("%w: %w", errWorker, err)
	}
	pcm := make([]int16, d.Samples)
	for i := range pcm {
		pcm[i] = int16(binary.LittleEndian.Uint16(raw[2*i:]))
	}
	return pcm, d.Rate, nil
}

// dismiss has a worker end.
func (w *worker) dismiss() {
	_ = w.in.Close() // it may be gone
	_ = w.pipe.Close()
	<-w.stopped
}

// close dismisses all workers that are idle.
func (s *workshop) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, w := range s.idle {
		w.dismiss()
	}
	s.idle = nil
}
