package webhook_test

import (
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/callwright/callwright/internal/domain"
)

// eventRow is a row of the table of events in docs/webhooks.md.
var eventRow = regexp.MustCompile("(?m)^\\| `([\\w.]+)` \\| (`[\\w.]+`|none) \\| (`[\\w.]+`|none) \\| .+ \\|$")

// TestEveryEventHasItsWords: the page names, for each event that there is and for
// no other, its word in each dialect, or "none", and that is what each says.
func TestEveryEventHasItsWords(t *testing.T) {
	raw, err := os.ReadFile("../../docs/webhooks.md")
	if err != nil {
		t.Fatal(err)
	}
	page := make(map[domain.EventType][]string)
	for _, row := range eventRow.FindAllStringSubmatch(string(raw), -1) {
		page[domain.EventType(row[1])] = []string{row[1], strings.Trim(row[2], "`"), strings.Trim(row[3], "`")}
	}
	every := append([]domain.EventType{domain.EventWebhookTest}, domain.EventTypes...)
	a := newAdversary(2)
	for _, typ := range every {
		said := make([]string, len(voices))
		for i, v := range voices {
			said[i] = "none"
			if body, told := v.hooks.Encode(a.event(typ)); told {
				var payload struct {
					Event     string
					EventType string `json:"event_type"`
				}
				if err := json.Unmarshal(body, &payload); err != nil {
					t.Fatal(err)
				}
				said[i] = payload.Event + payload.EventType
			}
		}
		if fmt.Sprint(page[typ]) != fmt.Sprint(said) || said[0] != string(typ) {
			t.Errorf("%s is %q in the dialects, and on the page %q", typ, said, page[typ])
		}
	}
	if len(page) != len(every) {
		t.Errorf("the page lists %d events; there are %d", len(page), len(every))
	}
	for _, v := range voices {
		if body, told := v.hooks.Encode(a.event("call.dreamt")); told {
			t.Errorf("%s tells of an event that there is not: %s", v.name, body)
		}
	}
}
