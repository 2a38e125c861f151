//go:build linux

package rig

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/store"
)

// ServerOptions say how the server under test is started.
type ServerOptions struct {
	Binary   string   // "" builds cmd/callwright of the module that is the working directory
	Dir      string   // an empty directory
	Database string   // "" is SQLite in Dir
	Settings string   // callwright.yaml
	Args     []string // further flags of "serve"
	Env      []string // beside this process's
	Key      string   // of a database that another server was started on; "" prepares it
	// Fill writes into the database before the server starts; it is given the
	// server's data directory.
	Fill func(ctx context.Context, data string) error
}

// Server is the server under test: the real program in a process of its own,
// with a workspace of the plan that has no limits.
type Server struct {
	URL string

	o      ServerOptions
	key    string
	cmd    *exec.Cmd
	log    *os.File
	client *http.Client
	exited chan struct{} // closed at the end of cmd, which ended is the error of
	ended  error
}

// module is this one.
const module = "github.com/callwright/callwright"

// startLimit is how long a server may take to be ready.
const startLimit = 30 * time.Second

// Build compiles the server into dir, with build tags if any.
func Build(ctx context.Context, dir string, tags ...string) (string, error) {
	binary := filepath.Join(dir, "callwright")
	cmd := exec.CommandContext(ctx, "go", "build", "-tags", strings.Join(tags, ","), "-o", binary, module+"/cmd/callwright")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build the server (run this from the module's directory): %w\n%s", err, out)
	}
	return binary, nil
}

// StartServer starts the server and waits until it is ready.
func StartServer(ctx context.Context, o ServerOptions) (_ *Server, err error) {
	s := &Server{o: o, key: o.Key, client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}, Timeout: startLimit}}
	if o.Key == "" {
		if err := s.enterprise(ctx); err != nil {
			return nil, err
		}
	}
	if err := os.WriteFile(filepath.Join(o.Dir, "callwright.yaml"), []byte(o.Settings), 0o600); err != nil {
		return nil, err
	}
	if o.Key == "" {
		if s.key, err = s.createKey(ctx); err != nil {
			return nil, err
		}
	}
	if o.Fill != nil {
		if err := o.Fill(ctx, s.data()); err != nil {
			return nil, fmt.Errorf("fill the database: %w", err)
		}
	}
	if s.log, err = os.Create(filepath.Join(o.Dir, "server.log")); err != nil {
		return nil, err
	}
	return s, s.Start(ctx)
}

// enterprise makes the workspace before the first start would make a smaller one.
func (s *Server) enterprise(ctx context.Context) error {
	db, err := store.Open(ctx, store.Options{Dir: s.data(), DSN: s.o.Database})
	if err != nil {
		return err
	}
	err = db.InTx(ctx, domain.LaneAPI, func(ctx context.Context, st *domain.Stores) error {
		return st.Workspaces.Create(ctx, &domain.Workspace{
			ID: domain.NewID(), Name: "Bench", Plan: domain.Enterprise, Timezone: "UTC", CreatedAt: time.Now(),
		})
	})
	return errors.Join(err, db.Close())
}

func (s *Server) data() string { return filepath.Join(s.o.Dir, "data") }

func (s *Server) command(ctx context.Context, args ...string) *exec.Cmd {
	args = append([]string{"--data", s.data(), "--log-level", "warn"}, args...)
	if s.o.Database != "" {
		args = append(args, "--database", s.o.Database)
	}
	cmd := exec.CommandContext(ctx, s.o.Binary, args...)
	cmd.Dir = s.o.Dir
	cmd.Env = append(os.Environ(), s.o.Env...)
	return cmd
}

func (s *Server) createKey(ctx context.Context) (string, error) {
	cmd := s.command(ctx, "key", "create", "--name", "bench", "--json")
	var said bytes.Buffer
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("create a key: %w\n%s", err, said.Bytes())
	}
	var made struct{ Key string }
	err = json.Unmarshal(out, &made)
	return made.Key, err
}

// Start starts the server again after its end, on the same data, with further
// variables in its environment, and waits until it is ready.
func (s *Server) Start(ctx context.Context, env ...string) error {
	args := append([]string{"serve", "--http", "127.0.0.1:0", "--sip", "127.0.0.1:0", "--rtp-ports", "20000-29999",
		"--webhook-allow", "127.0.0.0/8"}, s.o.Args...)
	s.cmd = s.command(context.WithoutCancel(ctx), args...)
	s.cmd.Stderr = s.log
	s.cmd.Env = append(s.cmd.Env, env...)
	exited := make(chan struct{})
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := s.cmd.Start(); err != nil {
		return err
	}
	s.exited = exited
	ready := make(chan string, 1)
	go func() {
		line, _ := bufio.NewReader(out).ReadString('\n') // an empty line tells of the error
		ready <- line
		_, _ = io.Copy(io.Discard, out)
		s.ended = s.cmd.Wait()
		close(exited)
	}()
	select {
	case line := <-ready:
		words := strings.Fields(line)
		if len(words) < 4 || words[1] != "ready:" {
			return fmt.Errorf("the server did not start: %q\n%s", line, s.Log())
		}
		s.URL = words[3]
		return nil
	case <-time.After(startLimit):
		return errors.Join(fmt.Errorf("the server was not ready within %s\n%s", startLimit, s.Log()), s.Kill())
	}
}

// Key is a key of the server's that may do everything.
func (s *Server) Key() string { return s.key }

// PID is the server's process.
func (s *Server) PID() int { return s.cmd.Process.Pid }

// Usage is what the server has used and holds.
func (s *Server) Usage() (Usage, error) { return ReadUsage(s.PID()) }

// Exited is closed when the server has ended since it was last started.
func (s *Server) Exited() <-chan struct{} { return s.exited }

// Log is the end of what the server has logged.
func (s *Server) Log() string {
	raw, err := os.ReadFile(s.log.Name())
	if err != nil {
		return err.Error()
	}
	return string(raw[max(0, len(raw)-4000):])
}

// stopLimit is how long a server may drain.
const stopLimit = 30 * time.Second

// Stop has the server drain and waits for its end.
func (s *Server) Stop() error {
	defer s.log.Close()
	s.client.CloseIdleConnections()
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	select {
	case <-s.exited:
		return s.ended
	case <-time.After(stopLimit):
		return errors.Join(fmt.Errorf("the server did not stop within %s", stopLimit), s.Kill())
	}
}

// Kill ends the server at once, unless it has ended already.
func (s *Server) Kill() error {
	err := s.cmd.Process.Kill()
	<-s.exited
	if errors.Is(err, os.ErrProcessDone) {
		return nil
	}
	return err
}

// Do sends body as JSON to a path of the native API and decodes the answer.
func (s *Server) Do(ctx context.Context, method, path string, body, into any) error {
	raw, err := json.Marshal(body)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, method, s.URL+path, bytes.NewReader(raw))
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+s.key)
	req.Header.Set("Content-Type", "application/json")
	res, err := s.client.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	if err != nil {
		return err
	}
	if res.StatusCode/100 != 2 {
		return fmt.Errorf("%s %s answered %d: %s", method, path, res.StatusCode, answer)
	}
	if into == nil {
		return nil
	}
	return json.Unmarshal(answer, into)
}
