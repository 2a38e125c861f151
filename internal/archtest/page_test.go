package archtest

import (
	"encoding/json"
	"fmt"
	"go/ast"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/callwright/callwright/internal/api/klen"
	"github.com/callwright/callwright/internal/api/native"
	"github.com/callwright/callwright/internal/api/trillet"
	"github.com/callwright/callwright/internal/config"
	"github.com/callwright/callwright/internal/domain"
)

// pages reads docs/*.md by name.
func pages(t *testing.T) map[string]string {
	t.Helper()
	top, err := root()
	if err != nil {
		t.Fatal(err)
	}
	names, err := filepath.Glob(filepath.Join(top, "docs", "*.md"))
	if err != nil || len(names) == 0 {
		t.Fatalf("there are no pages in docs: %v", err)
	}
	all := map[string]string{}
	for _, name := range names {
		raw, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		all[filepath.Base(name)] = string(raw)
	}
	return all
}

var (
	namedPath = regexp.MustCompile("(?:^|[\\s`(])((?:internal|cmd|docs|bench)/[\\w./<>-]*[\\w>/])")
	namedFile = regexp.MustCompile(`(?:^|[\s` + "`" + `(])([\w-]+\.go)\b`)
	namedCode = regexp.MustCompile(`\b([a-z]+)\.(?:([A-Z]\w*)\b|(\w+)\(\))`)
)

// TestPagesNameWhatIsThere checks every path, Go file and name of code in docs:
// pkg.Name, and pkg.name() for what is not exported.
func TestPagesNameWhatIsThere(t *testing.T) {
	top, err := root()
	if err != nil {
		t.Fatal(err)
	}
	files, declared := map[string]bool{}, map[string]map[string]bool{}
	for _, p := range load(t) {
		names := map[string]bool{}
		for _, f := range p.files {
			files[filepath.Base(f.name)] = true
			declare(f, names)
		}
		declared[filepath.Base(p.path)] = names
	}
	for page, text := range pages(t) {
		for _, m := range namedPath.FindAllStringSubmatch(text, -1) {
			path := m[1]
			if strings.Contains(path, "<") {
				continue // a pattern: node_<type>.go
			}
			if _, err := os.Stat(filepath.Join(top, path)); err != nil {
				t.Errorf("docs/%s names %s, which is not there", page, path)
			}
		}
		for _, m := range namedFile.FindAllStringSubmatch(text, -1) {
			if !files[m[1]] {
				t.Errorf("docs/%s names %s, and there is no such file", page, m[1])
			}
		}
		for _, m := range namedCode.FindAllStringSubmatch(text, -1) {
			names, ours := declared[m[1]]
			if name := m[2] + m[3]; ours && !names[name] {
				t.Errorf("docs/%s names %s.%s, and package %s has no %s", page, m[1], name, m[1], name)
			}
		}
	}
}

// declare adds the names that a file declares, methods and fields among them.
func declare(f file, names map[string]bool) {
	ast.Inspect(f.syntax, func(n ast.Node) bool {
		switch d := n.(type) {
		case *ast.FuncDecl:
			names[d.Name.Name] = true
		case *ast.TypeSpec:
			names[d.Name.Name] = true
		case *ast.ValueSpec:
			for _, name := range d.Names {
				names[name.Name] = true
			}
		case *ast.Field:
			for _, name := range d.Names {
				names[name.Name] = true
			}
		}
		return true
	})
}

// TestRoomsAreExplained finds packages that docs/architecture.md forgot.
func TestRoomsAreExplained(t *testing.T) {
	text := pages(t)["architecture.md"]
	for _, p := range load(t) {
		if _, known := house[p.path]; known && !strings.Contains(text, "`"+p.path+"`") {
			t.Errorf("docs/architecture.md does not name the package `%s`: say in its table of floors what it is for", p.path)
		}
	}
}

// block keeps what stands in a page between <!-- name --> and <!-- /name -->.
func block(t *testing.T, page, name, want string) {
	t.Helper()
	text := pages(t)[page]
	before, rest, opened := strings.Cut(text, "<!-- "+name+" -->\n")
	have, after, closed := strings.Cut(rest, "<!-- /"+name+" -->")
	if !opened || !closed {
		t.Fatalf("docs/%s has no block %s", page, name)
	}
	if have == want {
		return
	}
	if !*update {
		t.Errorf("docs/%s: %s is not what the code says; run: go test ./internal/archtest -update\n%s", page, name, want)
		return
	}
	top, err := root()
	if err != nil {
		t.Fatal(err)
	}
	text = before + "<!-- " + name + " -->\n" + want + "<!-- /" + name + " -->" + after
	if err := os.WriteFile(filepath.Join(top, "docs", page), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestFlagsAreListed keeps the table of flags in docs/operating.md.
func TestFlagsAreListed(t *testing.T) {
	var out strings.Builder
	out.WriteString("| flag and key | environment | default | what |\n|---|---|---|---|\n")
	for _, f := range reflect.VisibleFields(reflect.TypeFor[config.Config]()) {
		name := f.Tag.Get("name")
		if name == "" {
			name = strings.ToLower(f.Name)
		}
		initial := f.Tag.Get("default")
		if initial != "" {
			initial = "`" + initial + "`"
		}
		env := config.Prefix + strings.ToUpper(strings.ReplaceAll(name, "-", "_"))
		fmt.Fprintf(&out, "| `--%s` | `%s` | %s | %s |\n", name, env, initial, f.Tag.Get("help"))
	}
	block(t, "operating.md", "flags", out.String())
}

// tellings are all events as a call and its appointment have them.
func tellings() []domain.Event {
	at := time.Date(2026, 3, 15, 15, 30, 0, 0, time.UTC)
	started := domain.Call{
		ID: "01a2015871e95240dce939a0", AgentID: "01a2015871e84e8901f80ae4", From: "+15005550100", To: "+15005550006",
		Direction: domain.Outbound, State: domain.CallDialing,
	}
	ended := started
	ended.State, ended.EndReason = domain.CallCompleted, domain.EndFlow
	ended.DialedAt, ended.AnsweredAt, ended.EndedAt = at, at.Add(4*time.Second), at.Add(20*time.Second)
	analysed := ended
	recorded := ended
	recorded.Recording = "2026/03/15/01a2015871e95240dce939a0.wav"
	analysed.Analysis = &domain.Analysis{Summary: "Outbound call to +15005550006, 16 s, 2 turns.", Sentiment: "neutral", Method: "lexicon"}
	failed := started
	failed.State, failed.EndReason, failed.EndedAt = domain.CallFailed, domain.EndBusy, at.Add(2*time.Second)
	booked, moved, cancelled := bookings(at, &started)
	completed := moved
	completed.Status = domain.AppointmentCompleted
	texted, arrived, lost, answered := texts(at, &started)
	turns := []domain.Turn{
		{Role: domain.RoleAgent, Text: "What day would you like to come?", StartMs: 20, EndMs: 2100},
		{Role: domain.RoleCaller, Text: "Tomorrow.", StartMs: 2600, EndMs: 3200},
	}
	return []domain.Event{
		{Type: domain.EventCallStarted, Sequence: 1, At: at, Call: &started},
		{Type: domain.EventCallEnded, Sequence: 2, At: ended.EndedAt, Call: &ended, Turns: turns},
		{Type: domain.EventTranscriptReady, Sequence: 3, At: ended.EndedAt, Call: &ended, Turns: turns},
		{Type: domain.EventRecordingReady, Sequence: 4, At: ended.EndedAt, Call: &recorded},
		{Type: domain.EventAnalysisComplete, Sequence: 5, At: ended.EndedAt, Call: &analysed},
		{Type: domain.EventCallFailed, Sequence: 2, At: failed.EndedAt, Call: &failed},
		{Type: domain.EventAppointmentCreated, At: at, Appointment: &booked},
		{Type: domain.EventAppointmentUpdated, At: at.Add(time.Minute), Appointment: &moved, Previous: &booked},
		{Type: domain.EventAppointmentCompleted, At: at.Add(time.Minute), Appointment: &completed, Previous: &moved},
		{Type: domain.EventAppointmentCancelled, At: at.Add(time.Hour), Appointment: &cancelled, Previous: &moved, Reason: "Ill"},
		{Type: domain.EventMessageSent, At: texted.SentAt, Message: &texted},
		{Type: domain.EventMessageDelivered, At: arrived.DeliveredAt, Message: &arrived},
		{Type: domain.EventMessageFailed, At: lost.UpdatedAt, Message: &lost},
		{Type: domain.EventMessageReceived, At: answered.CreatedAt, Message: &answered},
		{Type: domain.EventWebhookTest, At: at},
	}
}

// TestPayloadsAreReal keeps the examples in docs/webhooks.md: each event as it is
// encoded, and two of each other dialect.
func TestPayloadsAreReal(t *testing.T) {
	recording := func(c *domain.Call) string {
		return "https://callwright.example/api/v1/recordings/" + string(c.ID) + "?expires=1773705600&signature=…"
	}
	var all strings.Builder
	for _, ev := range tellings() {
		fmt.Fprintf(&all, "`%s`\n\n", ev.Type)
		example(t, &all, native.Hooks{RecordingURL: recording}, &ev)
	}
	for _, typ := range domain.EventTypes {
		if !strings.Contains(all.String(), "`"+string(typ)+"`\n") {
			t.Errorf("the event %s has no example: add one to tellings", typ)
		}
	}
	block(t, "webhooks.md", "payloads", all.String())
	for _, c := range []struct {
		name  string
		hooks domain.HookDialect
		types []domain.EventType
	}{
		{"payloads of Trillet", trillet.Hooks{RecordingURL: recording}, []domain.EventType{domain.EventCallEnded}},
		{"payloads of Klen", klen.Hooks{RecordingURL: recording}, []domain.EventType{domain.EventCallEnded, domain.EventAppointmentUpdated}},
	} {
		var some strings.Builder
		for _, ev := range tellings() {
			if slices.Contains(c.types, ev.Type) {
				example(t, &some, c.hooks, &ev)
			}
		}
		block(t, "webhooks.md", c.name, some.String())
	}
}

func example(t *testing.T, to *strings.Builder, hooks domain.HookDialect, ev *domain.Event) {
	t.Helper()
	body, known := hooks.Encode(ev)
	if !known {
		t.Fatalf("%s has no payload", ev.Type)
	}
	fmt.Fprintf(to, "```json\n%s\n```\n\n", indented(t, body))
}

// bookings is an appointment that call made, as it was moved, and as it was
// cancelled.
func bookings(at time.Time, call *domain.Call) (booked, moved, cancelled domain.Appointment) {
	booked = domain.Appointment{
		ID: "01a20158772e1c9d5ab06f13", AgentID: call.AgentID, CallID: call.ID, Title: "Product Demo",
		StartAt: at.Add(42 * time.Hour), EndAt: at.Add(42*time.Hour + 30*time.Minute), Status: domain.AppointmentScheduled,
		CreatedAt: at, UpdatedAt: at,
	}
	booked.Customer.Phone = call.To
	moved = booked
	moved.StartAt, moved.EndAt, moved.UpdatedAt = booked.StartAt.Add(time.Hour), booked.EndAt.Add(time.Hour), at.Add(time.Minute)
	cancelled = moved
	cancelled.Status, cancelled.UpdatedAt = domain.AppointmentCancelled, at.Add(time.Hour)
	return booked, moved, cancelled
}

// texts is a message that was sent in call, as it was delivered, as it was not,
// and an answer to it.
func texts(at time.Time, call *domain.Call) (sent, delivered, failed, answer domain.Message) {
	sent = domain.Message{
		ID: "01a2015877d04b7f3e9c1a55", Direction: domain.Outbound, PhoneNumberID: "01a2015871c20d4be19f7a06", CallID: call.ID,
		From: call.From, To: call.To, Text: "See you on March 17 at 9:30.", Status: domain.MessageSent,
		Encoding: domain.EncodingGSM7, Segments: 1, CreatedAt: at, SentAt: at.Add(time.Second), UpdatedAt: at.Add(time.Second),
	}
	delivered, failed, answer = sent, sent, sent
	delivered.Status, delivered.DeliveredAt, delivered.UpdatedAt = domain.MessageDelivered, at.Add(3*time.Second), at.Add(3*time.Second)
	failed.Status, failed.SentAt, failed.Error = domain.MessageFailed, time.Time{}, "the carrier knows no such number"
	answer.ID, answer.CallID, answer.Direction, answer.From, answer.To = "01a201587af13c0d9b2e4f71", "", domain.Inbound, sent.To, sent.From
	answer.Text, answer.Status, answer.CreatedAt, answer.SentAt, answer.UpdatedAt = "Thanks!", domain.MessageReceived, at.Add(time.Minute), time.Time{}, at.Add(time.Minute)
	return sent, delivered, failed, answer
}

// indented spreads JSON over lines, for readers.
func indented(t *testing.T, body []byte) string {
	t.Helper()
	var value json.RawMessage = body
	raw, err := json.MarshalIndent(value, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}
