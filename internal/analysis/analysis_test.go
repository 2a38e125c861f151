package analysis

import (
	"strings"
	"testing"
	"time"

	"github.com/callwright/callwright/internal/domain"
)

func TestSentiment(t *testing.T) {
	for text, want := range map[string]string{
		"":                           Neutral,
		"Yes.":                       Neutral,
		"No.":                        Neutral,
		"March the third, at nine.":  Neutral,
		"Thanks, bye.":               Neutral,
		"Wrong number.":              Neutral,
		"It is fine.":                Neutral,
		"That's great, thank you!":   Positive,
		"I love it":                  Positive,
		"Perfect. See you then.":     Positive,
		"no that is great":           Positive,
		"No, that's wonderful":       Positive,
		"I can’t wait":               Positive,
		"Not bad, really good.":      Positive,
		"You have been very helpful": Positive,
		"I'm not happy with this":    Negative,
		"This isn't great":           Negative,
		"that is not very good at all, and too expensive": Negative,
		"Please take me off your list":                    Negative,
		"Stop calling me!":                                Negative,
		"this is RIDICULOUS":                              Negative,
		"I don’t like it. I am really annoyed.":           Negative,
		"It was great but then it was awful":              Neutral,
		"no good, and no help, it's broken, terrible":     Negative,
		"¡Hola! 你好 \xff":                                  Neutral,
	} {
		turns := []domain.Turn{{Role: domain.RoleAgent, Text: "Terrible, awful, horrible!"}, {Role: domain.RoleCaller, Text: text}}
		if got := feel(turns); got != want {
			t.Errorf("%q is %s, want %s (%+v)", text, got, want, weigh(text))
		}
	}
}

func TestLexicon(t *testing.T) {
	for entry := range weights {
		if n := len(strings.Fields(entry)); n == 0 || n > longestPhrase {
			t.Errorf("the entry %q has %d words", entry, n)
		}
		if entry != strings.ToLower(entry) || strings.ContainsAny(entry, "'’") {
			t.Errorf("the entry %q can never be met", entry)
		}
	}
}

func TestSummary(t *testing.T) {
	answered := time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)
	call := func(reason domain.EndReason, captured map[string]any) *domain.Call {
		return &domain.Call{Direction: domain.Outbound, From: "+15550000001", To: "+15551234567", EndReason: reason, Captured: captured,
			AnsweredAt: answered, EndedAt: answered.Add(83*time.Second + 400*time.Millisecond)}
	}
	turns := []domain.Turn{
		{Role: domain.RoleAgent, Text: "Hello, this is a much longer text than what the caller says."},
		{Role: domain.RoleCaller, Text: "Hi."}, {Role: domain.RoleCaller, Text: "Who is this?"},
	}
	inbound := call(domain.EndCallerHangup, nil)
	inbound.Direction, inbound.EndedAt = domain.Inbound, answered.Add(9*time.Second)
	for _, c := range []struct {
		name  string
		call  *domain.Call
		turns []domain.Turn
		asks  []string
		want  string
	}{
		{"answers in the order of the asking", call(domain.EndFlow, map[string]any{
			"zip": "94107", "name": "Ana  María", "name_raw": "it's Ana", "name_spoken": "Ana", "ok": true, "party": 4, "extra": map[string]any{"a": []int{1}}, "b": "",
		}), turns, []string{"zip", "name", "never", "zip"},
			"Outbound call to +15551234567, 1 min 23 s, 3 turns. Captured: zip = 94107; name = Ana María; b = (empty); " +
				`extra = {"a":[1]}; ok = true; party = 4. The agent said goodbye (flow-ended).`},
		{"no answers", call(domain.EndTransferred, nil), turns, nil,
			`Outbound call to +15551234567, 1 min 23 s, 3 turns. The caller said: "Who is this?". The agent transferred the call (transferred).`},
		{"inbound, nothing said", inbound, turns[:1], nil,
			"Inbound call from +15550000001, 9 s, 1 turn. The caller hung up (caller-hangup)."},
		{"a reason without words", call("cosmic-rays", nil), nil, nil,
			"Outbound call to +15551234567, 1 min 23 s, 0 turns. The call ended (cosmic-rays)."},
	} {
		t.Run(c.name, func(t *testing.T) {
			for range 3 { // maps are walked in any order
				if got := Analyse(c.call, c.turns, c.asks).Summary; got != c.want {
					t.Fatalf("\n got %s\nwant %s", got, c.want)
				}
			}
		})
	}
}

func TestSummaryIsBounded(t *testing.T) {
	captured := map[string]any{"wide": strings.Repeat("é", 100_000)}
	for i := range 500 {
		captured[strings.Repeat("v", i+1)] = strings.Repeat("x ", 1000)
	}
	got := summarise(&domain.Call{To: "+1", Captured: captured}, nil, []string{"wide"})
	if n := len([]rune(got)); n > maxSummary+1 || !strings.Contains(got, "wide = "+strings.Repeat("é", maxValue)+"…") {
		t.Errorf("%d characters: %.400s", n, got)
	}
}

func TestEveryEndReasonHasWords(t *testing.T) {
	for reason, words := range endings {
		if words == "" || reason == "" {
			t.Errorf("%q: %q", reason, words)
		}
	}
	if len(endings) < 21 {
		t.Errorf("%d reasons have words", len(endings))
	}
}

func FuzzAnalyse(f *testing.F) {
	f.Add("I'm not happy, but thanks", "name", "value")
	f.Fuzz(func(t *testing.T, said, name, value string) {
		call := &domain.Call{Captured: map[string]any{name: value}}
		got := Analyse(call, []domain.Turn{{Role: domain.RoleCaller, Text: said}}, []string{name})
		if got.Summary == "" || got.Sentiment == "" || got.Method != Method {
			t.Fatalf("%+v", got)
		}
	})
}
