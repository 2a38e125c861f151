package main

import (
	"database/sql"
	"encoding/json"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	_ "modernc.org/sqlite" // to age a database

	"github.com/callwright/callwright/internal/sip/siptest"
)

func TestServeSaysOnceThatItIsReady(t *testing.T) {
	t.Parallel()
	s := serve(t, filepath.Join(t.TempDir(), "new", "data"))
	if res, err := http.Get(s.api + "/calls"); err != nil || res.StatusCode != http.StatusUnauthorized {
		t.Errorf("when it says it is ready it is not: %v, %v", res, err)
	} else if err := res.Body.Close(); err != nil {
		t.Error(err)
	}
	s.signal(syscall.SIGTERM)
	if state := s.wait(10 * time.Second); state.ExitCode() != 0 {
		t.Errorf("SIGTERM: %s", state)
	}
	if len(s.lines) != 1 || !strings.HasPrefix(s.lines[0], "callwright ready: api http://127.0.0.1:") {
		t.Errorf("standard output: %q", s.lines)
	}
}

func TestKeyCreateBesideAServer(t *testing.T) {
	t.Parallel()
	s := serve(t, dataDir(t))
	out, log, exit := run(t, t.TempDir(), "key", "create", "--data", s.data, "--name", "reader", "--mode", "test", "--scopes", "calls:read,agents:read", "--json")
	if exit != 0 || log != "" {
		t.Fatalf("exit %d: %s", exit, log)
	}
	var members map[string]json.RawMessage
	var key madeKey
	for _, into := range []any{&members, &key} {
		if err := json.Unmarshal([]byte(out), into); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	}
	exactly(t, "the key", members, "id", "key", "name", "mode", "scopes", "workspaceId")
	if key.Name != "reader" || key.Mode != "test" || !strings.HasPrefix(key.Key, "cw_test_") || !slices.Equal(key.Scopes, []string{"calls:read", "agents:read"}) {
		t.Errorf("the key is %+v", key)
	}
	client := &demoClient{base: s.api, key: key.Key}
	var calls struct{ Total int }
	if err := client.get(t.Context(), "/calls", &calls); err != nil {
		t.Errorf("the key does not work at once: %v", err)
	}
	if err := client.post(t.Context(), "/agents", map[string]any{"name": "x", "systemPrompt": "y"}, &members); err == nil {
		t.Error("the key does more than it may")
	}
	if _, log, exit := run(t, t.TempDir(), "key", "revoke", key.ID, "--data", s.data); exit != 0 {
		t.Fatalf("key revoke: %s", log)
	}
	until(t, 5*time.Second, "refused after it was revoked", func() bool { return client.get(t.Context(), "/calls", &calls) != nil })
}

// TestErrorsAreOneLine starts the command where it cannot work: it says why in
// one line, and what to do.
func TestErrorsAreOneLine(t *testing.T) {
	t.Parallel()
	tcp, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = tcp.Close() })
	udp, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = udp.Close() })
	gone, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed := gone.Addr().String()
	if err := gone.Close(); err != nil {
		t.Fatal(err)
	}
	locked := serve(t, t.TempDir())
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, yaml string
		args       []string
		want       []string // in the one line
	}{
		{"HTTP port", "", []string{"serve", "--http", tcp.Addr().String()}, []string{tcp.Addr().String(), "--http"}},
		{"SIP port", "", []string{"serve", "--sip", udp.LocalAddr().String()}, []string{udp.LocalAddr().String(), "--sip"}},
		{"locked", "", []string{"serve", "--data", locked.data}, []string{locked.data, "--data"}},
		{"data is a file", "", []string{"serve", "--data", file}, []string{file}},
		{"data below a file", "", []string{"serve", "--data", file + "/below"}, []string{file, "--data"}},
		{"newer tables", "", []string{"serve", "--data", newerTables(t)}, []string{"newer Callwright"}},
		{"newer tables, key", "", []string{"key", "list", "--data", newerTables(t)}, []string{"newer Callwright"}},
		{"http", "", []string{"serve", "--http", "nowhere"}, []string{"nowhere", "--http"}},
		{"sip", "", []string{"serve", "--sip", "localhost"}, []string{"--sip", "localhost", "127.0.0.1:5060"}},
		{"external ip", "", []string{"serve", "--external-ip", "me.example"}, []string{"--external-ip", "me.example"}},
		{"ports turned", "", []string{"serve", "--rtp-ports", "30000-20000"}, []string{"--rtp-ports", "20000-29999"}},
		{"ports in words", "", []string{"serve", "--rtp-ports", "many"}, []string{"--rtp-ports", "20000-29999"}},
		{"scheme of the database", "", []string{"serve", "--database", "mysql://u:hunter2@h/d"}, []string{`"mysql"`, "postgres://"}},
		{"database out of reach", "", []string{"serve", "--database", "postgres://u:hunter2@" + closed + "/d"}, []string{closed, "refused", "--database"}},
		{"demo's database", "", []string{"demo", "--once", "--database", "postgres://u:hunter2@" + closed + "/d"}, []string{closed, "--database"}},
		{"migrate's database", "", []string{"migrate", "--database", "postgres://u:hunter2@" + closed + "/d"}, []string{closed, "--database"}},
		{"allow", "", []string{"serve", "--webhook-allow", "10.0.0.0/33"}, []string{"--webhook-allow", "10.0.0.0/8"}},
		{"proxies", "", []string{"serve", "--trusted-proxies", "10.0.0.0/33"}, []string{"--trusted-proxies", "10.0.0.0/8"}},
		{"secret key", "", []string{"serve", "--secret-key", "hunter2"}, []string{"--secret-key", "openssl rand"}},
		{"level", "", []string{"serve", "--log-level", "loud"}, []string{"--log-level", "debug"}},
		{"unknown flag", "", []string{"serve", "--loud"}, []string{"--loud", "--help"}},
		{"unknown command", "", []string{"sing"}, []string{"sing", "--help"}},
		{"broken file", "http: [\n", []string{"serve"}, []string{"callwright.yaml"}},
		{"no keys in file", "- http\n- sip\n", []string{"serve"}, []string{"callwright.yaml"}},
		{"unknown key", "webhook_allow: 10.0.0.0/8\n", []string{"serve"}, []string{"callwright.yaml", `"webhook_allow"`, "webhook-allow"}},
		{"bad value in file", "http: 127.0.0.1:0\nsip: elsewhere\n", []string{"serve"}, []string{"elsewhere"}},
		{"key scope", "", []string{"key", "create", "--name", "x", "--scopes", "fly"}, []string{"entry 1 is not a scope", "<resource>:read"}},
		{"key without name", "", []string{"key", "create"}, []string{"--name"}},
		{"no such key", "", []string{"key", "revoke", "0123456789abcdef01234567"}, []string{"0123456789abcdef01234567"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			if c.yaml != "" {
				if err := os.WriteFile(filepath.Join(dir, "callwright.yaml"), []byte(c.yaml), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			args := withFreePorts(c.args)
			if c.yaml != "" {
				args = c.args // flags would outweigh the file
			}
			out, log, exit := run(t, dir, args...)
			if exit != 1 || out != "" || strings.Count(log, "\n") != 1 || !strings.HasPrefix(log, "callwright: ") {
				t.Errorf("exit %d, standard output %q, standard error:\n%s", exit, out, log)
			}
			if strings.Contains(log, "hunter2") {
				t.Errorf("it shows a password: %s", log)
			}
			for _, word := range c.want {
				if !strings.Contains(log, word) {
					t.Errorf("it does not say %q: %s", word, log)
				}
			}
		})
	}
}

// withFreePorts adds the flags of a server that a command line does not set.
func withFreePorts(args []string) []string {
	if args[0] != "serve" || slices.ContainsFunc(args, func(a string) bool { return a == "--loud" }) {
		return args
	}
	all := slices.Clone(args)
	for i := 0; i < len(freePorts); i += 2 {
		if flag := freePorts[i]; !slices.Contains(args, flag) && flag != "--webhook-allow" {
			all = append(all, flag, freePorts[i+1])
		}
	}
	return all
}

// newerTables makes a data directory that a later version has used.
func newerTables(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if _, log, exit := run(t, t.TempDir(), "migrate", "--data", dir); exit != 0 {
		t.Fatalf("migrate: %s", log)
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.db"))
	if err != nil || len(files) != 1 {
		t.Fatalf("the databases are %v, %v", files, err)
	}
	db, err := sql.Open("sqlite", files[0])
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	if _, err := db.Exec("insert into goose_db_version (version_id, is_applied) values (999, 1)"); err != nil {
		t.Fatal(err)
	}
	return dir
}

// TestSigtermEndsLiveCalls stops a server that carries a call: the far end gets
// its BYE, the call is written down, and the server is gone in time.
func TestSigtermEndsLiveCalls(t *testing.T) {
	t.Parallel()
	peer := siptest.UAS(t, siptest.Scenario{Name: siptest.Answer})
	s := serve(t, dataDir(t))
	live := newLine(t, s, "live", peer.Addr)
	id := live.call("+4722000001")
	live.await(id, "in-progress")
	s.signal(syscall.SIGTERM)
	if state := s.wait(20 * time.Second); state.ExitCode() != 0 {
		t.Errorf("SIGTERM: %s", state)
	}
	peer.Expect("BYE", 1, time.Second)
	if strings.Contains(s.log.String(), "level=ERROR") {
		t.Error("stopping was no success")
	}
	again := serve(t, s.data)
	call := live.on(again).read(id)
	if call.Status != "failed" || call.EndReason != "interrupted" || len(call.Turns) == 0 {
		t.Errorf("the call was written down as %+v", call)
	}
	if pcm := stereo(t, recordingOf(t, s.data, id)); len(pcm) < 2*8000 || loudest(pcm, 1) < 1000 {
		t.Error("the recording lacks what was said")
	}
	if n := peer.Received("INVITE"); n != 1 {
		t.Errorf("%d INVITEs", n)
	}
}

func TestSecondSignalForces(t *testing.T) {
	t.Parallel()
	peer := siptest.UAS(t, siptest.Scenario{Name: siptest.Answer})
	s := serve(t, dataDir(t))
	live := newLine(t, s, "live", peer.Addr)
	live.await(live.call("+4722000001"), "in-progress")
	s.signal(syscall.SIGTERM)
	select {
	case <-s.exited:
		t.Fatal("the server did not let the live call go on")
	case <-time.After(300 * time.Millisecond):
	}
	s.signal(syscall.SIGTERM)
	if state := s.wait(2 * time.Second); state.Success() {
		t.Errorf("forced: %s", state)
	}
}

// recordingOf finds the recording of a call in a data directory.
func recordingOf(t *testing.T, data, id string) string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(data, "recordings", "*", "*", id+".wav"))
	if err != nil || len(files) != 1 {
		t.Fatalf("recordings of %s: %v, %v", id, files, err)
	}
	return files[0]
}
