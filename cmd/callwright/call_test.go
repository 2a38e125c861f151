package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/callwright/callwright/client"
	"github.com/callwright/callwright/internal/store/storetest"
)

// callOf runs "callwright call" against a server.
func callOf(t *testing.T, l *line, args ...string) (stdout, stderr string, exit int) {
	t.Helper()
	root := strings.TrimSuffix(l.client.base, "/api/v1")
	return run(t, t.TempDir(), append([]string{"call", "--url", root, "--key", l.client.key, "--agent", l.agent, "--from-number-id", l.number}, args...)...)
}

// TestCallWatched: everything that happens in a call is shown, in order, and the
// exit code says how it ended.
func TestCallWatched(t *testing.T) {
	t.Parallel()
	l := newLine(t, serve(t, dataDir(t)), "test", nil)
	l.agent = l.quick()
	out, log, exit := callOf(t, l, "--to", "+15005550006", "--watch")
	shown := regexp.MustCompile(`(?s)^call [0-9a-f]{24} from \+1\d+ to \+15005550006\n.* queued\n.* dialing\n.* in-progress\n.* agent   Good day\..* completed\n` +
		`completed \(\S+\) after \d+ s\nrecording http://\S+\n$`)
	if exit != 0 || !shown.MatchString(out) {
		t.Errorf("exit %d:\n%s%s", exit, out, log)
	}
	out, log, exit = callOf(t, l, "--to", "+15005550001", "--watch")
	if exit != exitFailed || !strings.Contains(log, "the call failed: busy") || !strings.Contains(out, "failed (busy) after 0 s") {
		t.Errorf("a busy number: exit %d:\n%s%s", exit, out, log)
	}
	out, log, exit = callOf(t, l, "--to", "+15005550006", "--watch", "--json", "--variable", "who=Ada")
	var events []string
	for text := range strings.Lines(out) {
		var ev struct {
			Event string
			Data  struct{ State, Text, Status, EndReason string }
		}
		if err := json.Unmarshal([]byte(text), &ev); err != nil {
			t.Fatalf("%v: %s", err, text)
		}
		events = append(events, ev.Event+":"+ev.Data.State+ev.Data.Status)
	}
	joined := strings.Join(events, " ")
	if exit != 0 || !strings.HasPrefix(joined, "state:queuedqueued state:dialingqueued ") || !strings.Contains(joined, "turn:") ||
		!strings.HasSuffix(joined, "state:completedcompleted end:completed") {
		t.Errorf("exit %d: %s %s", exit, joined, log)
	}
}

// TestCallNotWatched places a call and leaves it alone.
func TestCallNotWatched(t *testing.T) {
	t.Parallel()
	l := newLine(t, serve(t, dataDir(t)), "test", nil)
	out, log, exit := callOf(t, l, "--to", "+15005550002", "--json", "--variable", "who=Ada")
	var call client.Call
	if err := json.Unmarshal([]byte(out), &call); err != nil || exit != 0 || call.Status != "queued" || call.Variables["who"] != "Ada" {
		t.Fatalf("exit %d, %v:\n%s%s", exit, err, out, log)
	}
	if kept := l.read(call.ID); kept.To != "+15005550002" {
		t.Errorf("the call is %+v", kept)
	}
	if out, _, exit := callOf(t, l, "--to", "+15005550001"); exit != 0 || !regexp.MustCompile(`^call [0-9a-f]{24} from \S+ to \+15005550001 is queued\n$`).MatchString(out) {
		t.Errorf("exit %d: %s", exit, out)
	}
}

// TestCallLeftAlone: Ctrl-C ends the watching and not the call.
func TestCallLeftAlone(t *testing.T) {
	t.Parallel()
	l := newLine(t, serve(t, dataDir(t)), "test", nil)
	cmd := exec.CommandContext(t.Context(), program, "call", "--url", l.client.base, "--agent", l.agent, "--from-number-id", l.number, "--to", "+15005550007", "--watch")
	cmd.Env = append(os.Environ(), "CALLWRIGHT_API_KEY="+l.client.key)
	var log bytes.Buffer
	cmd.Stderr = &log
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	id := ""
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if fields := strings.Fields(lines.Text()); fields[0] == "call" {
			id = fields[1]
		}
		if strings.HasSuffix(lines.Text(), "in-progress") {
			if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
				t.Fatal(err)
			}
		}
	}
	_ = cmd.Wait() // the exit code is read below
	if exit := cmd.ProcessState.ExitCode(); exit != 130 || !strings.Contains(log.String(), "call "+id+" goes on") {
		t.Errorf("exit %d: %s", exit, log.String())
	}
	if now := l.read(id); now.Status != "in-progress" {
		t.Errorf("the call is %+v", now)
	}
}

// TestCallSaysWhatIsMissing: the error says what to do.
func TestCallSaysWhatIsMissing(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		args []string
		want string
	}{
		"key":    {[]string{"--url", "http://127.0.0.1:1"}, "callwright key create --name calls --mode test --data ./callwright-data"},
		"server": {[]string{"--url", "http://127.0.0.1:1", "--key", "k"}, "start one with callwright serve"},
		"url":    {[]string{"--url", "127.0.0.1:1", "--key", "k"}, "write it like http://127.0.0.1:8080"},
		"http":   {[]string{"--http", "127.0.0.1:0", "--key", "k"}, "--url http://HOST:PORT"},
	} {
		begun := time.Now()
		_, log, exit := run(t, t.TempDir(), append([]string{"call", "--agent", "a", "--to", "+14155552671"}, c.args...)...)
		if exit != 1 || !strings.Contains(log, c.want) || time.Since(begun) > 30*time.Second {
			t.Errorf("%s: exit %d: %s", name, exit, log)
		}
	}
}

// TestWatchAtAnyServer: a call can be watched at every server, whichever carries
// it, and all tell the same.
func TestWatchAtAnyServer(t *testing.T) {
	t.Parallel()
	storetest.OnPostgres(t, func(t *testing.T, url string) {
		one, two := twoServers(t, url)
		l := newLine(t, one, "test", nil)
		l.agent = l.quick()
		id := l.call("+15005550006")
		told := func(s *server) (all string) {
			t.Helper()
			for ev, err := range typed(t, s.api, l.client.key, 5).WatchCall(t.Context(), id) {
				if err != nil {
					t.Fatal(err)
				}
				switch {
				case ev.Progress != nil:
					all += ev.Progress.State + " "
				case ev.Turn != nil:
					all += ev.Turn.Role + " "
				case ev.End != nil:
					all += "end:" + ev.End.EndReason
				}
			}
			return all
		}
		first := told(two)
		if !strings.HasPrefix(first, "queued dialing ") || !strings.Contains(first, "agent ") || !strings.Contains(first, "completed end:") {
			t.Errorf("one server tells %s", first)
		}
		if again := told(one); again != first {
			t.Errorf("the other tells %s instead of %s", again, first)
		}
	})
}
