package conversation_test

import (
	"strings"
	"testing"
	"time"

	"github.com/callwright/callwright/internal/conversation"
	"github.com/callwright/callwright/internal/domain"
)

// anything asks for what no key answers.
const anything = `{"nodes":[
 {"id":"q","type":"ask","text":"What would you like to eat tonight, if you may choose?","variable":"n","answer":{"type":"date"},"edges":[{"to":"end"}]},
 {"id":"end","type":"end","text":"I see."}]}`

// sure takes the keys 1 and 2.
const sure = `{"nodes":[
 {"id":"q","type":"ask","text":"Would you like to eat with us tonight, as you always did?","variable":"n","answer":{"type":"yes-no"},"edges":[{"to":"end"}]},
 {"id":"end","type":"end","text":"I see."}]}`

// TestOptOutKey presses keys: the one not to be called again ends the call,
// unless the flow listens for keys or it is part of a longer number.
func TestOptOutKey(t *testing.T) {
	type key struct {
		after time.Duration
		key   string
	}
	const said = "caller: 9\nagent: You will not be called again. Goodbye.\n"
	for _, c := range []struct {
		name, flow, own string
		keys            []key
		want            bool
	}{
		{"while the agent asks", anything, "9", []key{{time.Second, "9"}}, true},
		{"after it", anything, "9", []key{{5 * time.Second, "9"}}, true},
		{"long after another key", anything, "9", []key{{time.Second, "5"}, {4 * time.Second, "9"}}, true},
		{"no answer to a question", sure, "9", []key{{5 * time.Second, "9"}}, true},
		{"an answer", sure, "1", []key{{5 * time.Second, "1"}}, false},
		{"another key", anything, "9", []key{{time.Second, "8"}}, false},
		{"another key of the agent", anything, "0", []key{{time.Second, "9"}}, false},
		{"no key", anything, "", []key{{time.Second, "9"}}, false},
		{"the end of a number", anything, "9", []key{{time.Second, "5"}, {time.Second, "9"}}, false},
		{"a flow that listens for keys", dinner, "9", []key{{5 * time.Second, "9"}}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, _ := playWith(t, c.flow, conversation.Options{Ear: true, OptOutKey: c.own, OptedOut: conversation.OptedOutFor("en-GB")}, func(caller *caller) {
				for _, k := range c.keys {
					time.Sleep(k.after)
					caller.talk.Digit(k.key)
				}
			})
			noted := false
			for _, turn := range r.turns {
				noted = noted || turn.Note == domain.NoteOptOut && turn.Role == domain.RoleCaller
			}
			if noted != c.want || strings.HasSuffix(r.said(), said) != c.want {
				t.Errorf("transcript:\n%s(ended %s)", r.said(), r.ended)
			}
			if c.want && r.ended != domain.EndFlow {
				t.Errorf("ended for %s", r.ended)
			}
		})
	}
	for language, want := range map[string]string{"": "You", "de-AT": "Sie", "xx": "You"} {
		if text := conversation.OptedOutFor(language); !strings.HasPrefix(text, want) {
			t.Errorf("%q: %s", language, text)
		}
	}
}
