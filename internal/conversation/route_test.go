package conversation_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/callwright/callwright/internal/conversation"
	"github.com/callwright/callwright/internal/flow"
)

const ways = `{"nodes":[
 {"id":"q","type":"ask","text":"What can I do for you?","repeat":0,"answer":{"type":"text"},"edges":[
  {"to":"book","kind":"intent","intent":"wants to reserve a table","keywords":["reserve","table"]},
  {"to":"cancel","kind":"intent","intent":"wants to cancel"},
  {"to":"other"}]},
 {"id":"book","type":"end","text":"Reserved."},
 {"id":"cancel","type":"end","text":"Canceled."},
 {"id":"other","type":"end","text":"Something else."}]}`

func TestModelChoosesTheWay(t *testing.T) {
	late := says("1")
	late.pause = 5 * time.Second
	for name, c := range map[string]struct {
		answer answer
		says   string
		want   string
	}{
		"a number":                {says("2"), "I do not want it any more", "Canceled."},
		"a number in words":       {says("It is ", "2."), "I do not want it any more", "Canceled."},
		"none":                    {says("0"), "reserve a table", "Something else."},
		"garbage":                 {says("The caller wants a table."), "reserve a table", "Reserved."},
		"garbage without keyword": {says("Hm."), "what is that", "Something else."},
		"two numbers":             {says("1 or 2"), "reserve a table", "Reserved."},
		"a number too high":       {says("7"), "cancel it", "Canceled."},
		"a failure":               {answer{err: errors.New("503")}, "cancel it", "Canceled."},
		"a panic":                 {answer{panics: true}, "cancel it", "Canceled."},
		"too late":                {late, "cancel it", "Canceled."},
		"endless":                 {says(strings.Repeat("no idea ", 40), strings.Repeat("no idea ", 40)), "cancel it", "Canceled."},
	} {
		t.Run(name, func(t *testing.T) {
			m := &model{answers: []answer{c.answer}}
			r, _ := playWith(t, ways, conversation.Options{Ear: true, Router: m, Graph: &flow.Graph{Route: true}}, func(talk *caller) {
				time.Sleep(3 * time.Second)
				talk.speaks(c.says, 800*time.Millisecond)
			})
			if !strings.HasSuffix(r.said(), "agent: "+c.want+"\n") {
				t.Errorf("transcript:\n%s\nwant %q", r.said(), c.want)
			}
			if len(m.asked) != 1 {
				t.Fatalf("the model was asked %d times", len(m.asked))
			}
			if got := history(m.asked[0]); got != "assistant: What can I do for you?\nuser: "+c.says+"\n" {
				t.Errorf("the model was told\n%s", got)
			}
			if s := m.asked[0].System; !strings.Contains(s, "\n1: wants to reserve a table (reserve, table)\n2: wants to cancel") {
				t.Errorf("the model was asked\n%s", s)
			}
		})
	}
}
