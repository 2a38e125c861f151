package app_test

import (
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/callwright/callwright/internal/audio"
	"github.com/callwright/callwright/internal/callee"
	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/service"
)

// sandbox opens an application in test mode and returns a number to call from.
// Its trunk leads to the simulated phones, whatever it names.
func sandbox(t *testing.T, s setup) (*house, domain.ID) {
	t.Helper()
	s.mode, s.plan = domain.Test, domain.Enterprise
	h := open(t, s)
	trunk := h.trunkTo(netip.MustParseAddrPort("192.0.2.1:5060"), map[string]any{"callsPerSecond": 100})
	return h, h.number(trunk, "", 1)
}

// ask is a node that puts a question; answer is the type it wants.
func ask(id, text string, answer any, to string) map[string]any {
	return map[string]any{
		"id": id, "type": "ask", "text": text, "variable": id, "answer": answer, "timeoutSeconds": 3, "repeat": 1,
		"edges": []any{map[string]any{"to": to}},
	}
}

// TestPersonas calls everybody who lives in the sandbox.
func TestPersonas(t *testing.T) {
	t.Parallel()
	h, from := sandbox(t, setup{ring: 2 * time.Second})
	agent := h.agent(nil, say("hello", "Hello, this is Ava.", "n"), ask("n", "How many people are you?", "number", "bye"), bye("Goodbye."))
	calls := map[string]domain.ID{}
	personas := []struct{ to, status, reason, says string }{
		{"+15001110000", "failed", "invalid-number", ""},
		{"+15001110001", "failed", "busy", ""},
		{"+15001110002", "failed", "no-answer", ""},
		{"+15001110003", "completed", "voicemail", "leave a message"},
		{"+15001110004", "failed", "declined", ""},
		{"+15001110005", "completed", "caller-hangup", ""},
		{"+15001110006", "completed", "flow-ended", "Two."},
		{"+15001110007", "completed", "silence", ""},
		{"+15001110008", "completed", "flow-ended", "Sorry, wait a moment please."},
		{"+15001110009", "completed", "caller-hangup", "Please do not call me again. Take me off your list."},
		{"+4722000000", "completed", "caller-hangup", "Hello. Sorry, I cannot talk right now. Goodbye."},
	}
	for _, p := range personas {
		calls[p.to] = h.place(agent, from, p.to)
	}
	for _, p := range personas {
		got := h.ended(calls[p.to])
		h.wants(got, p.status, p.reason)
		if said := words(got, "caller"); !strings.Contains(strings.Join(said, " "), p.says) || p.says == "" && len(said) > 0 {
			t.Errorf("%s said %q, want %q", p.to, said, p.says)
		}
		if p.status == "failed" && (len(got.Turns) > 0 || got.RecordingURL != "") {
			t.Errorf("%s never answered, and yet: %+v", p.to, got)
		}
		if got.Duration > 20 {
			t.Errorf("the call to %s took %v s", p.to, got.Duration)
		}
	}
}

// words returns what one side said, turn by turn.
func words(c call, role string) []string {
	var said []string
	for _, turn := range c.Turns {
		if turn.Role == role {
			said = append(said, turn.Text)
		}
	}
	return said
}

// TestTheWillingAnswerEverything asks for each type of answer; what comes back
// is of that type.
func TestTheWillingAnswerEverything(t *testing.T) {
	t.Parallel()
	sizes := map[string]any{"type": "choice", "choices": []string{"small", "medium", "large"}}
	questions := []struct {
		text   string
		answer any
		want   string // shape of the value
	}{
		{"What is your name?", "text", `\w+`},
		{"What brings you to us?", "text", `\w+`},
		{"Would you like a reminder?", "yes_no", `true`},
		{"Is Tuesday fine?", "yes_no", `true`},
		{"How many people will you be?", "number", `\d+`},
		{"On a scale of one to ten, how happy are you?", "number", `\d+`},
		{"What is your budget?", "number", `\d+`},
		{"What day would you like to come?", "date", `\d{4}-\d\d-\d\d`},
		{"And when should we do that?", "date", `\d{4}-\d\d-\d\d`},
		{"What time works best for you?", "time", `\d\d:\d\d`},
		{"When would you like to be called?", "time", `\d\d:\d\d`},
		{"What number can we reach you on?", "phone", `\+?\d{7,15}`},
		{"How can we reach you?", "phone", `\+?\d{7,15}`},
		{"What is your e-mail address?", "email", `[^@ ]+@[^@ ]+\.\w+`},
		{"Where should we write to?", "email", `[^@ ]+@[^@ ]+\.\w+`},
		{"Would you like small, medium or large?", sizes, `small|medium|large`},
		{"Which size do you want? You can say: small, medium or large.", sizes, `small|medium|large`},
		{"Which size would you like?", sizes, `small|medium|large`},
	}
	h, from := sandbox(t, setup{})
	var calls []domain.ID
	for i, q := range questions {
		agent := h.agent(nil, ask("value", q.text, q.answer, "bye"), bye("Thank you, {{value}}. Goodbye."))
		calls = append(calls, h.place(agent, from, fmt.Sprintf("+1500%03d0006", i)))
	}
	for i, q := range questions {
		got := h.ended(calls[i])
		h.wants(got, "completed", "flow-ended")
		value := fmt.Sprint(got.Variables["value"])
		if !regexp.MustCompile("^("+q.want+")").MatchString(value) || got.Duration > 20 {
			t.Errorf("%q gave %q after %v s: %q", q.text, value, got.Duration, words(got, "caller"))
		}
	}
}

const menu = "Hello, this is Ava from the Harbour Grill, and I would like to tell you about our menu of the week, which has soup, fish, and a cake with plums."

// TestInterruption has people talk into a long speech of the agent. The far
// ends got exactly the text that the transcripts have, and the agent fell silent
// at once.
func TestInterruption(t *testing.T) {
	t.Parallel()
	reports := make(chan callee.Report, 3)
	h, from := sandbox(t, setup{offline: true, callee: func(r callee.Report) { reports <- r }})
	agent := h.agent(nil, say("long", menu, "n"), ask("n", "How many people will you be?", "number", "bye"), bye("Goodbye."))
	calls := map[string]domain.ID{}
	for i := range cap(reports) {
		to := fmt.Sprintf("+1500%03d0008", i)
		calls[to] = h.place(agent, from, to)
	}
	watched := calls["+15000000008"]
	h.reaches(watched, "in-progress")
	disk := newProbe(t)
	seen := h.watch(watched)
	slack := disk.slowest()
	quickest := 1 << 20
	for range calls {
		report := <-reports
		got := h.ended(calls[report.Number])
		h.wants(got, "completed", "flow-ended")
		told := words(got, "agent")
		if len(told) < 2 || !strings.HasPrefix(menu, told[0]) || told[0] == menu || got.Duration > 20 {
			t.Errorf("in %v s the agent said %q; its first turn should be part of its speech", got.Duration, told)
		}
		if !slices.Equal(report.Heard, told) {
			t.Errorf("the far end read %q, the transcript has %q", report.Heard, told)
		}
		quickest = min(quickest, stillTalks(h, got))
	}
	if quickest > 200 {
		t.Errorf("the agent talks on for %d ms when it is interrupted", quickest)
	}
	detail, err := h.app.Service.Call(t.Context(), domain.Scope{Workspace: h.app.First.Workspace.ID, Mode: domain.Test}, watched)
	if err != nil {
		t.Fatal(err)
	}
	readableInTime(t, detail, seen, slack)
}

// stillTalks returns for how many milliseconds the agent can be heard after the
// caller's first sound, while the caller talks.
func stillTalks(h *house, c call) int {
	h.Helper()
	left, right := h.recording(c)
	onset := firstSound(left)
	if onset < 0 || !loudBefore(right, onset) {
		h.Fatalf("no interruption can be heard in call %s: onset %d", c.ID, onset)
	}
	last, silent := onset, onset
	for i := onset; i < len(left) && i < onset+1000*ms; i += window {
		if loud(left, i) {
			last = i
		}
	}
	for i := onset; i < last; i += window {
		if loud(right, i) {
			silent = i + window
		}
	}
	if last < onset+500*ms || silent > onset+500*ms {
		h.Errorf("call %s: the caller talks until %d ms after its onset, the agent until %d ms", c.ID, (last-onset)/ms, (silent-onset)/ms)
	}
	return (silent - onset) / ms
}

// A recording is looked at in windows of 10 ms.
const (
	ms     = 8 // samples
	window = 10 * ms
)

func loud(pcm []int16, at int) bool {
	return audio.Level(pcm[at:min(at+window, len(pcm))]) > 0.005
}

// firstSound returns where sound begins that lasts for three windows, or −1.
func firstSound(pcm []int16) int {
	for i := 0; i+3*window <= len(pcm); i += window {
		if loud(pcm, i) && loud(pcm, i+window) && loud(pcm, i+2*window) {
			return i
		}
	}
	return -1
}

func loudBefore(pcm []int16, at int) bool {
	for i := max(at-300*ms, 0); i < at; i += window {
		if loud(pcm, i) {
			return true
		}
	}
	return false
}

// watch reads a call until it is over, and returns when each turn was there.
func (h *house) watch(id domain.ID) []time.Time {
	h.Helper()
	var seen []time.Time
	for deadline := time.Now().Add(2 * callLimit); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		c := h.read(id)
		for len(seen) < len(c.Turns) {
			seen = append(seen, time.Now())
		}
		if c.Status != "in-progress" {
			return seen
		}
	}
	h.Fatalf("call %s does not end", id)
	return nil
}

// readableInTime checks how soon the agent's turns could be read: at best
// within 200 ms of their end, beyond what the machine's disk takes anyway.
// (Whether a caller's turn is over, and whether one of the agent's was cut, is
// known only some time after its sound.)
func readableInTime(t *testing.T, c *service.CallDetail, seen []time.Time, slack time.Duration) {
	t.Helper()
	best := time.Hour
	for i, turn := range c.Turns {
		if turn.Role == domain.RoleAgent && !turn.Interrupted && i < len(seen) {
			best = min(best, seen[i].Sub(c.AnsweredAt.Add(time.Duration(turn.EndMs)*time.Millisecond)))
		}
	}
	if best > 200*time.Millisecond+2*slack {
		t.Errorf("the first of the agent's turns could be read %v after its end; the disk takes up to %v", best, slack)
	}
}

// probe finds out how slow the disk is meanwhile.
type probe struct {
	stop  chan struct{}
	worst chan time.Duration
}

func newProbe(t *testing.T) *probe {
	t.Helper()
	file, err := os.Create(filepath.Join(t.TempDir(), "probe"))
	if err != nil {
		t.Fatal(err)
	}
	p := &probe{stop: make(chan struct{}), worst: make(chan time.Duration, 1)}
	go func() {
		worst := time.Duration(0)
		for {
			select {
			case <-p.stop:
				p.worst <- worst
				_ = file.Close() // nobody reads it
				return
			case <-time.After(50 * time.Millisecond):
			}
			began := time.Now()
			if _, err := file.WriteAt([]byte("x"), 0); err == nil && file.Sync() == nil {
				worst = max(worst, time.Since(began))
			}
		}
	}()
	return p
}

// slowest ends the probe and returns the longest time that a write took.
func (p *probe) slowest() time.Duration {
	close(p.stop)
	return <-p.worst
}

// TestUnknownVoice: an agent that asks for a voice nobody has talks all the
// same, and the call says whose voice it was.
func TestUnknownVoice(t *testing.T) {
	t.Parallel()
	h, from := sandbox(t, setup{})
	agent := h.agent(map[string]any{"voice": "Morgana"}, bye("Good day to you."))
	got := h.ended(h.place(agent, from, "+15001110006"))
	h.wants(got, "completed", "flow-ended")
	if told := words(got, "agent"); !slices.Equal(told, []string{"Good day to you."}) {
		t.Errorf("the agent said %q", told)
	}
	if !slices.ContainsFunc(got.Notes, func(n string) bool { return strings.Contains(n, `"Morgana"`) }) {
		t.Errorf("no note says that the voice is unknown: %q", got.Notes)
	}
}
