package analysis

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/callwright/callwright/internal/domain"
)

// Bounds of a summary, in characters.
const (
	maxSummary = 4000
	maxValue   = 300
	maxQuote   = 160
)

// endings say in words why a call is over and who ended it.
var endings = map[domain.EndReason]string{
	domain.EndFlow:           "The agent said goodbye",
	domain.EndCallerHangup:   "The caller hung up",
	domain.EndAgentHangup:    "The agent hung up",
	domain.EndSilence:        "The agent ended the call because the caller was silent",
	domain.EndMaxDuration:    "The agent ended the call at its maximum duration",
	domain.EndMediaTimeout:   "The call was ended because no sound arrived any more",
	domain.EndTransferred:    "The agent transferred the call",
	domain.EndVoicemail:      "The call reached voicemail",
	domain.EndBusy:           "The line was busy",
	domain.EndNoAnswer:       "Nobody answered",
	domain.EndDeclined:       "The call was declined",
	domain.EndInvalidNumber:  "The number is not in service",
	domain.EndBlocked:        "The called party blocks such calls",
	domain.EndCanceled:       "The call was canceled",
	domain.EndUnreachable:    "The trunk could not be reached",
	domain.EndTrunkError:     "The trunk refused the call",
	domain.EndCongestion:     "The telephone network was overloaded",
	domain.EndMoved:          "The number has moved to another one",
	domain.EndConfiguration:  "The call could not be carried as it was configured",
	domain.EndInterrupted:    "The call was interrupted by a restart of the server",
	domain.EndInternal:       "The call was broken off by an error of the server",
	domain.EndDoNotCall:      "The number is on the do-not-call list",
	domain.EndMediaNotAgreed: "No codec was agreed on",
}

// summarise says in a few sentences how the call went.
func summarise(call *domain.Call, turns []domain.Turn, asks []string) string {
	sentences := []string{opening(call, len(turns))}
	if answers := captured(call.Captured, asks); answers != "" {
		sentences = append(sentences, "Captured: "+answers+".")
	} else if quote := longest(turns); quote != "" {
		sentences = append(sentences, fmt.Sprintf("The caller said: %q.", quote))
	}
	sentences = append(sentences, ending(call.EndReason))
	return clip(strings.Join(sentences, " "), maxSummary)
}

func opening(call *domain.Call, turns int) string {
	who := "Outbound call to " + call.To
	if call.Direction == domain.Inbound {
		who = "Inbound call from " + call.From
	}
	noun := "turns"
	if turns == 1 {
		noun = "turn"
	}
	return fmt.Sprintf("%s, %s, %d %s.", who, length(call.Duration()), turns, noun)
}

// length prints a duration as people say it, in whole seconds.
func length(d time.Duration) string {
	seconds := int(d / time.Second)
	if seconds < 60 {
		return fmt.Sprintf("%d s", seconds)
	}
	return fmt.Sprintf("%d min %d s", seconds/60, seconds%60)
}

func ending(reason domain.EndReason) string {
	words, ok := endings[reason]
	if !ok {
		words = "The call ended"
	}
	if reason == "" {
		return words + "."
	}
	return fmt.Sprintf("%s (%s).", words, reason)
}

// captured lists every variable with its value: those that were asked for first,
// in the order of the asking.
func captured(values map[string]any, asks []string) string {
	names := make([]string, 0, len(values))
	for _, name := range asks {
		if _, ok := values[name]; ok && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(values)) {
		if !slices.Contains(names, name) && !companion(values, name) {
			names = append(names, name)
		}
	}
	pairs := make([]string, len(names))
	for i, name := range names {
		pairs[i] = name + " = " + clip(printed(values[name]), maxValue)
	}
	return strings.Join(pairs, "; ")
}

// companion reports whether name holds another form of an answer: what was said
// word for word, or the value as one would say it.
func companion(values map[string]any, name string) bool {
	for _, suffix := range []string{"_raw", "_spoken"} {
		if stem, ok := strings.CutSuffix(name, suffix); ok {
			if _, known := values[stem]; known {
				return true
			}
		}
	}
	return false
}

// printed writes a value as text: strings as they are, the rest as JSON.
func printed(value any) string {
	if text, ok := value.(string); ok {
		if text == "" {
			return "(empty)"
		}
		return strings.Join(strings.Fields(text), " ")
	}
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(value); err != nil {
		return fmt.Sprint(value)
	}
	return strings.TrimSpace(buf.String())
}

// longest returns what the caller said at most at once.
func longest(turns []domain.Turn) string {
	var said string
	for _, turn := range turns {
		if text := strings.TrimSpace(turn.Text); turn.Role == domain.RoleCaller && len(text) > len(said) {
			said = text
		}
	}
	return clip(said, maxQuote)
}

// clip shortens text to at most n characters.
func clip(text string, n int) string {
	runes := 0
	for at := range text {
		if runes++; runes > n {
			return strings.TrimSpace(text[:at]) + "…"
		}
	}
	return text
}
