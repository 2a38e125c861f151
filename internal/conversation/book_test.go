package conversation_test

import (
	"context"
	"testing"
	"time"

	"github.com/callwright/callwright/internal/conversation"
	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/flow"
)

const visit = `{"nodes":[
 {"id":"hour","type":"ask","text":"At what time?","variable":"hour","answer":{"type":"time"},"edges":[{"to":"make"}]},
 {"id":"make","type":"book","title":"Visit","date":"2031-03-05","time":"{{hour}}","save":{"number":"id"},
  "edges":[{"to":"done","kind":"success"},{"to":"sorry","kind":"failure"}]},
 {"id":"done","type":"end","text":"It is number {{number}}."},
 {"id":"sorry","type":"end","text":"That did not work."}]}`

// TestBookingIsDoneAndTold: the caller's time is booked, the flow goes on with
// what came of it, and while that takes long the line is not dead.
func TestBookingIsDoneAndTold(t *testing.T) {
	for name, c := range map[string]struct {
		done  flow.Event
		takes time.Duration
		want  string
	}{
		"success": {flow.Event{OK: true, Value: map[string]any{"id": "a1"}}, 100 * time.Millisecond,
			"agent: At what time?\ncaller: half past three\nagent: It is number a1.\n"},
		"failure": {flow.Event{Text: "no"}, 100 * time.Millisecond,
			"agent: At what time?\ncaller: half past three\nagent: That did not work.\n"},
		"late": {flow.Event{OK: true, Value: map[string]any{"id": "a2"}}, 4 * time.Second,
			"agent: At what time?\ncaller: half past three\nagent: One moment.\nagent: It is number a2.\n"},
	} {
		t.Run(name, func(t *testing.T) {
			var asked flow.Do
			performer := &record{do: func(_ context.Context, talk *conversation.Conversation, node string, do flow.Do) {
				asked = do
				c.done.Kind, c.done.Node = flow.Done, node
				time.AfterFunc(c.takes, func() { talk.Post(c.done) })
			}}
			o := conversation.Options{Performer: performer, Ear: true, Fillers: []string{"One moment."}}
			r, _ := playWith(t, visit, o, func(l *caller) {
				time.Sleep(3 * time.Second)
				l.speaks("half past three", 800*time.Millisecond)
			})
			if got := r.said(); got != c.want {
				t.Errorf("transcript:\n%s\nwant:\n%s", got, c.want)
			}
			if asked.Kind != flow.DoBook || asked.Args["startTime"] != "2031-03-05T15:30" || asked.Args["durationMinutes"] != 30 || r.ended != domain.EndFlow {
				t.Errorf("asked for %+v, ended for %q", asked, r.ended)
			}
		})
	}
}
