package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// batchOf runs "callwright batch" against a server.
func batchOf(t *testing.T, l *line, args ...string) (stdout, stderr string, exit int) {
	t.Helper()
	root := strings.TrimSuffix(l.client.base, "/api/v1")
	return run(t, t.TempDir(), append(append([]string{"batch"}, args...), "--url", root, "--key", l.client.key)...)
}

// contactsFile writes a CSV file of a name.
func contactsFile(t *testing.T, name string, rows ...string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(strings.Join(append([]string{"phone_number,first_name,plan"}, rows...), "\n")+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestBatchCommand starts, watches, lists and cancels batches as one does by hand.
func TestBatchCommand(t *testing.T) {
	t.Parallel()
	l := newLine(t, serve(t, dataDir(t)), "test", nil)
	agent := l.quick()
	var numbers []struct{ ID, Number string }
	if err := l.client.get(t.Context(), "/phone-numbers", &numbers); err != nil || len(numbers) == 0 {
		t.Fatalf("%v, %v", numbers, err)
	}
	spring := contactsFile(t, "spring.csv", "+15005550006,Ann,gold", "+15005550001,Bo,", "12,Cy,", "+15005550006,Ann,gold")
	out, log, exit := batchOf(t, l, "start", spring, "--agent", agent, "--from", numbers[0].Number, "--variable", "offer=spring", "--watch")
	id := regexp.MustCompile(`^batch (\S+) calls 2 numbers\n`).FindStringSubmatch(out)
	if exit != 0 || id == nil || !regexp.MustCompile(`completed  2/2  waiting 0, active 0, completed 1, failed 1, answered 1\n$`).MatchString(out) ||
		!strings.Contains(log, "1 of 4 rows are bad and not called:\n  line 4, phone_number: ") || !strings.Contains(log, `("12")`) {
		t.Fatalf("start: exit %d:\n%s%s", exit, out, log)
	}
	if out, log, exit = batchOf(t, l, "status", id[1], "--json"); exit != 0 || !strings.Contains(out, `"phoneNumberId":"`+numbers[0].ID+`"`) ||
		!strings.Contains(out, `"variables":{"offer":"spring"}`) || !strings.Contains(out, `"maxAttempts":1`) {
		t.Errorf("status --json: exit %d:\n%s%s", exit, out, log)
	}
	if out, log, exit = batchOf(t, l, "cancel", id[1]); exit != 1 || !strings.Contains(log, "the batch is completed: there is nothing to cancel") {
		t.Errorf("cancel: exit %d:\n%s%s", exit, out, log)
	}
	later := contactsFile(t, "later.csv", "+15005550006,Ann,gold")
	out, log, exit = batchOf(t, l, "start", later, "--agent", agent, "--from", numbers[0].ID, "--at", "2099-12-01 09:00", "--name", "New year", "--attempts", "3", "--json")
	next := regexp.MustCompile(`"id":"(\w+-?[^"]*)".*"scheduledAt":"2099-12-01T`).FindStringSubmatch(out)
	if exit != 0 || next == nil || log != "" || !strings.Contains(out, `"maxAttempts":3`) {
		t.Fatalf("start --at: exit %d:\n%s%s", exit, out, log)
	}
	if out, log, exit = batchOf(t, l, "list"); exit != 0 || !regexp.MustCompile(`(?m)^`+next[1]+` +active +0/1 .* New year$`).MatchString(out) ||
		!regexp.MustCompile(`(?m)^`+id[1]+` +completed +2/2 .* spring.csv$`).MatchString(out) {
		t.Errorf("list: exit %d:\n%s%s", exit, out, log)
	}
	if out, log, exit = batchOf(t, l, "cancel", next[1]); exit != 0 || !strings.Contains(out, "cancelled  1/1  waiting 0, active 0, completed 0, failed 1") {
		t.Errorf("cancel: exit %d:\n%s%s", exit, out, log)
	}
	if out, log, exit = batchOf(t, l, "watch", next[1]); exit != 0 || strings.Count(out, "\n") != 1 || !strings.Contains(out, "cancelled  1/1") {
		t.Errorf("watch: exit %d:\n%s%s", exit, out, log)
	}
	for want, args := range map[string][]string{
		"none of the 1 rows of the file can be called": {"start", contactsFile(t, "bad.csv", "12,Cy,"), "--agent", agent},
		"no such file":           {"start", "/nowhere.csv", "--agent", agent},
		"is a directory":         {"start", t.TempDir(), "--agent", agent},
		`--at "soon" is no time`: {"start", later, "--agent", agent, "--at", "soon"},
		"the workspace has no phone number +4930123": {"start", later, "--agent", agent, "--from", "+4930123"},
		"missing flags: --agent":                     {"start", later},
		"NOT_FOUND":                                  {"status", "nobody"},
	} {
		if out, log, exit := batchOf(t, l, args...); exit != 1 || out != "" || !strings.Contains(log, want) {
			t.Errorf("%q: exit %d, want %q:\n%s%s", args, exit, want, out, log)
		}
	}
}
