package main

import (
	"regexp"
	"strings"
	"testing"
	"time"
)

// campaignOf runs "callwright campaign" against a server.
func campaignOf(t *testing.T, l *line, args ...string) (stdout, stderr string, exit int) {
	t.Helper()
	root := strings.TrimSuffix(l.client.base, "/api/v1")
	return run(t, t.TempDir(), append(append([]string{"campaign"}, args...), "--url", root, "--key", l.client.key)...)
}

// TestCampaignCommand pauses, watches and exports a campaign as one does by hand.
func TestCampaignCommand(t *testing.T) {
	t.Parallel()
	l := newLine(t, serve(t, dataDir(t)), "test", nil)
	id := l.make("/campaigns", map[string]any{
		"name": "By hand", "agentId": l.quick(), "phoneNumberId": l.number, "status": "paused", "retry": map[string]any{"maxAttempts": 1},
		"contacts": []map[string]any{{"phone": "+15005550006", "firstName": "=Ann"}, {"phone": "+15005550001"}},
	})
	out, log, exit := campaignOf(t, l, "list")
	if exit != 0 || !regexp.MustCompile(`(?m)^`+id+` +paused +0/2 .* By hand$`).MatchString(out) {
		t.Errorf("list: exit %d:\n%s%s", exit, out, log)
	}
	if out, log, exit = campaignOf(t, l, "resume", id); exit != 0 || !strings.Contains(out, "active     0/2  waiting 2") {
		t.Errorf("resume: exit %d:\n%s%s", exit, out, log)
	}
	if out, log, exit = campaignOf(t, l, "watch", id); exit != 0 || !regexp.MustCompile(`completed  2/2  waiting 0, active 0, completed 1, failed 1, answered 1\n$`).MatchString(out) {
		t.Errorf("watch: exit %d:\n%s%s", exit, out, log)
	}
	if out, log, exit = campaignOf(t, l, "export", id); exit != 0 || !strings.Contains(out, "+15005550006,'=Ann,") || !strings.Contains(out, "failed,busy,max-attempts,1,") {
		t.Errorf("export: exit %d:\n%s%s", exit, out, log)
	}
	if out, log, exit = campaignOf(t, l, "pause", id); exit != 1 || !strings.Contains(log, "a campaign that is completed cannot become paused") {
		t.Errorf("pause: exit %d:\n%s%s", exit, out, log)
	}
	if out, log, exit = campaignOf(t, l, "watch", id, "--json"); exit != 0 || strings.Count(out, "\n") != 1 || !strings.Contains(out, `"status":"completed"`) {
		t.Errorf("watch --json: exit %d:\n%s%s", exit, out, log)
	}
	begun := time.Now()
	_, log, exit = run(t, t.TempDir(), "campaign", "list", "--url", "http://127.0.0.1:1", "--key", "k")
	if exit != 1 || !strings.Contains(log, "start one with callwright serve") || time.Since(begun) > 30*time.Second {
		t.Errorf("without a server: exit %d: %s", exit, log)
	}
}
