package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/callwright/callwright/internal/service"
	"github.com/callwright/callwright/internal/store/storetest"
)

// program is the built command that the tests run.
var program string

func TestMain(m *testing.M) { os.Exit(built(m)) }

// built builds the command and runs the tests with it.
func built(m *testing.M) int {
	dir, err := os.MkdirTemp("", "callwright-test-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() { _ = os.RemoveAll(dir) }()
	program = filepath.Join(dir, "callwright")
	build := exec.Command("go", "build", "-o", program, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "the command does not build: %v\n%s", err, out)
		return 1
	}
	return m.Run()
}

// run runs the command in an empty directory to its end.
func run(t *testing.T, dir string, args ...string) (stdout, stderr string, exit int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, args...)
	for i, arg := range args[:len(args)-1] {
		if arg == "--data" {
			cmd.Env = databaseOf(args[i+1])
		}
	}
	var out, log bytes.Buffer
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, &out, &log
	err := cmd.Run()
	var ended *exec.ExitError
	if err != nil && !errors.As(err, &ended) {
		t.Fatal(err)
	}
	return out.String(), log.String(), cmd.ProcessState.ExitCode()
}

// databases are the URLs of the databases that go with data directories.
var databases sync.Map

// dataDir makes an empty data directory, and on PostgreSQL an empty database that
// the commands with this directory use.
func dataDir(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if url := storetest.URL(t); url != "" {
		databases.Store(dir, url)
	}
	return dir
}

// databaseOf is the environment of a command that uses a data directory. Servers
// on one database share the key of its secrets.
func databaseOf(data string) []string {
	if url, ok := databases.Load(data); ok {
		return append(os.Environ(), fmt.Sprintf("CALLWRIGHT_DATABASE=%s", url), "CALLWRIGHT_SECRET_KEY="+strings.Repeat("ab", 32))
	}
	return os.Environ()
}

// recoveredWithin is how long after a kill a new server has recovered what the
// old one held: on PostgreSQL the old one's lease ends first.
func recoveredWithin(data string) time.Duration {
	if _, ok := databases.Load(data); ok {
		return 10*time.Second + service.NodeLease + 5*time.Second
	}
	return 10 * time.Second
}

// server is one "callwright serve" as a process of its own.
type server struct {
	t      *testing.T
	cmd    *exec.Cmd
	data   string
	api    string // http://127.0.0.1:…/api/v1
	lines  []string
	log    output
	exited chan struct{}
}

// output collects what a process writes.
type output struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}

// readyWithin bounds a start on a loaded machine.
const readyWithin = 30 * time.Second

// freePorts are the flags with which servers stand beside each other.
var freePorts = []string{"--http", "127.0.0.1:0", "--sip", "127.0.0.1:0", "--rtp-ports", "0-0", "--webhook-allow", "127.0.0.0/8", "--drain", "2s"}

// serve starts a server on a data directory and returns when it is ready. It
// is killed with the test.
func serve(t *testing.T, data string, args ...string) *server {
	t.Helper()
	s := &server{t: t, data: data, exited: make(chan struct{})}
	s.cmd = exec.Command(program, append(append([]string{"serve", "--data", data}, freePorts...), args...)...)
	s.cmd.Dir, s.cmd.Stderr, s.cmd.Env = t.TempDir(), &s.log, databaseOf(data)
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ready := make(chan string, 1)
	go func() {
		defer close(s.exited)
		for lines := bufio.NewScanner(out); lines.Scan(); {
			s.lines = append(s.lines, lines.Text())
			if len(s.lines) == 1 {
				ready <- lines.Text()
			}
		}
		_ = s.cmd.Wait() // the exit code is read from ProcessState
	}()
	t.Cleanup(func() {
		_ = s.cmd.Process.Kill() // it may be gone already
		<-s.exited
		if t.Failed() {
			t.Logf("the server on %s wrote:\n%s", data, s.log.String())
		}
	})
	select {
	case line := <-ready:
		s.api = strings.Fields(line)[3]
	case <-s.exited:
		t.Fatalf("the server ended before it was ready:\n%s", s.log.String())
	case <-time.After(readyWithin):
		t.Fatal("the server is not ready")
	}
	return s
}

// kill ends the server as a crash of the machine would.
func (s *server) kill() {
	s.t.Helper()
	if err := s.cmd.Process.Kill(); err != nil {
		s.t.Fatal(err)
	}
	<-s.exited
}

// signal sends a signal; wait tells how the server ended.
func (s *server) signal(sig syscall.Signal) {
	s.t.Helper()
	if err := s.cmd.Process.Signal(sig); err != nil {
		s.t.Fatal(err)
	}
}

func (s *server) wait(limit time.Duration) *os.ProcessState {
	s.t.Helper()
	select {
	case <-s.exited:
		return s.cmd.ProcessState
	case <-time.After(limit):
		s.t.Fatalf("the server has not ended after %s", limit)
		return nil
	}
}

// madeKey is what "key create --json" prints.
type madeKey struct {
	ID, Key, Name, Mode, WorkspaceID string
	Scopes                           []string
}

// client makes a key beside the running server and returns a client with it.
func (s *server) client(mode string) *demoClient {
	s.t.Helper()
	out, log, exit := run(s.t, s.t.TempDir(), "key", "create", "--data", s.data, "--name", mode, "--mode", mode, "--json")
	var key madeKey
	if err := json.Unmarshal([]byte(out), &key); err != nil || exit != 0 {
		s.t.Fatalf("key create: exit %d, %v: %s%s", exit, err, out, log)
	}
	return &demoClient{base: s.api, key: key.Key}
}

// askEvery keeps the tests below the rate limit of their keys.
const askEvery = 300 * time.Millisecond

// until asks again until done, and fails the test when it takes too long.
func until(t *testing.T, limit time.Duration, what string, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(limit); !done(); time.Sleep(askEvery) {
		if time.Now().After(deadline) {
			t.Fatalf("after %s: not %s", limit, what)
		}
	}
}
