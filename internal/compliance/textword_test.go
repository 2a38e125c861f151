package compliance_test

import (
	"strings"
	"testing"

	"github.com/callwright/callwright/internal/compliance"
)

func TestTextWords(t *testing.T) {
	for text, want := range map[string]string{
		"STOP": "out", " stop. ": "out", "Stop!!": "out", "“Stop”": "out", "\nSTOP\n": "out", "end": "out", "QUIT": "out",
		"Cancel": "out", "UNSUBSCRIBE": "out", "revoke": "out", "OPT OUT": "out", "opt-out": "out", "OptOut": "out", "STOPALL": "out",
		"Please stop calling me": "out", "take me off your list": "out",
		"START": "in", "start.": "in", "Unstop": "in",
		"": "", "ok": "", "Stop by at noon?": "", "the bus stop": "", "When does it end?": "", "Can I cancel my order": "", "started": "",
		"Start. Stop.": "", "start at nine": "", strings.Repeat("stop ", 500): "",
	} {
		got := ""
		switch out, in := compliance.TextOptsOut(text), compliance.TextOptsIn(text); {
		case out && in:
			got = "both"
		case out:
			got = "out"
		case in:
			got = "in"
		}
		if got != want {
			t.Errorf("%.40q: %q, want %q", text, got, want)
		}
	}
}
