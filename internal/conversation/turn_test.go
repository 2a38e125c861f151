package conversation_test

import (
	"strings"
	"testing"
	"time"

	"github.com/callwright/callwright/internal/audio"
	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/speech"
)

const ms = time.Millisecond

// event is one thing that the ear tells: sound begins (+) or ended (-), or words.
type event struct {
	after time.Duration // since the one before
	what  string        // "+", "-300" (ended 300 ms ago), "word" an interim, "word." a final
}

// tell plays events.
func (c *caller) tell(events ...event) {
	for _, e := range events {
		time.Sleep(e.after)
		switch {
		case e.what == "+":
			c.talk.SoundOn(time.Now().Add(-60 * ms))
		case strings.HasPrefix(e.what, "-"):
			ago, err := time.ParseDuration(e.what[1:] + "ms")
			if err != nil {
				panic(err)
			}
			c.talk.SoundOff(time.Now().Add(-ago))
		case e.what == "." || strings.HasSuffix(e.what, "."):
			c.talk.Heard(speech.Heard{Text: strings.TrimSuffix(e.what, "."), Final: true})
		default:
			c.talk.Heard(speech.Heard{Text: e.what})
		}
	}
}

// numbers asks twice and repeats what it understood.
const numbers = `{"nodes":[
 {"id":"a","type":"ask","text":"How many adults will there be in your party tonight, please?","variable":"a","answer":{"type":"number"},"repeat":1,"edges":[{"to":"b"}]},
 {"id":"b","type":"ask","text":"And how many of the children in it need a high chair, please?","variable":"b","answer":{"type":"number"},"repeat":1,"edges":[{"to":"end"}]},
 {"id":"end","type":"end","text":"{{a}} and {{b}}."}]}`

// asked is how long the first question takes: 60 characters of 50 ms.
const asked = 3 * time.Second

// TestTurns has recognisers of all habits hear two answers.
func TestTurns(t *testing.T) {
	const q1, q2 = "agent: How many adults will there be in your party tonight, please?\n", "agent: And how many of the children in it need a high chair, please?\n"
	second := []event{{6 * time.Second, "+"}, {600 * ms, "one"}, {500 * ms, "-500"}, {100 * ms, "one."}}
	const answered = q2 + "caller: one\nagent: 4 and 1.\n"
	for _, c := range []struct {
		name   string
		events []event
		want   string
	}{
		{"prompt finals", []event{{asked + time.Second, "+"}, {500 * ms, "four."}, {400 * ms, "-500"}}, q1 + "caller: four\n" + answered},
		{"late finals", []event{{asked + time.Second, "+"}, {900 * ms, "-500"}, {1400 * ms, "four."}}, q1 + "caller: four\n" + answered},
		{"finals after the time", []event{{asked + time.Second, "+"}, {900 * ms, "-500"}, {1700 * ms, "four."}}, q1 + "caller: four\n" + answered},
		{"revisions", []event{{asked + time.Second, "+"}, {300 * ms, "for"}, {200 * ms, "fort"}, {400 * ms, "-500"}, {200 * ms, "fork"}, {200 * ms, "four."}}, q1 + "caller: four\n" + answered},
		{"revised to nothing and back", []event{{asked + time.Second, "+"}, {300 * ms, "for"}, {200 * ms, ""}, {400 * ms, "-500"}, {200 * ms, "four."}}, q1 + "caller: four\n" + answered},
		{"an empty final", []event{{asked + time.Second, "+"}, {600 * ms, "-500"}, {200 * ms, "."}, {2 * time.Second, "+"}, {900 * ms, "-500"}, {200 * ms, "four."}}, q1 + "caller: four\n" + answered},
		{"the final twice", []event{{asked + time.Second, "+"}, {900 * ms, "-500"}, {100 * ms, "four."}, {300 * ms, "Four."}}, q1 + "caller: four\n" + answered},
		{"the final of a turn that was taken without it", []event{{asked + time.Second, "+"}, {400 * ms, "four"}, {900 * ms, "-500"}, {1900 * ms, "for us."}}, q1 + "caller: four\n" + answered},
		{"a final in two pieces", []event{{asked + time.Second, "+"}, {500 * ms, "there will be."}, {900 * ms, "-500"}, {500 * ms, "four."}}, q1 + "caller: there will be four\n" + answered},
		{"an interim without a final", []event{{asked + time.Second, "+"}, {500 * ms, "four"}, {700 * ms, "-500"}}, q1 + "caller: four\n" + answered},
		{"words without a sound", []event{{asked + time.Second, "four"}, {200 * ms, "four."}}, q1 + "caller: four\n" + answered},
		{"a pause in it", []event{{asked + time.Second, "+"}, {500 * ms, "we are."}, {600 * ms, "-500"}, {300 * ms, "+"}, {500 * ms, "four"}, {900 * ms, "-500"}, {100 * ms, "four."}}, q1 + "caller: we are four\n" + answered},
		{"a sentence that breaks off", []event{{asked + time.Second, "+"}, {900 * ms, "-500"}, {100 * ms, "we are"}, {50 * ms, "we are."}, {300 * ms, "+"}, {500 * ms, "four"}, {900 * ms, "-500"}, {100 * ms, "four."}}, q1 + "caller: we are four\n" + answered},
		{"a sentence that is broken off", []event{{asked + time.Second, "+"}, {500 * ms, "four or."}, {600 * ms, "-500"}}, q1 + "caller: four or\n" + answered},
		{"a cough before it", []event{{asked + 500*ms, "+"}, {600 * ms, "-500"}, {900 * ms, "+"}, {900 * ms, "-500"}, {100 * ms, "four."}}, q1 + "caller: four\n" + answered},
		{"over music that goes on", []event{{asked + time.Second, "+"}, {500 * ms, "f"}, {500 * ms, "four"}, {200 * ms, "four."}}, q1 + "caller: four\n" + answered},
		{"with music all the time", []event{{500 * ms, "+"}, {asked + 8*time.Second, "f"}, {500 * ms, "four"}, {200 * ms, "four."}}, q1 + "caller: four\n" + answered},
		{"a yes on the way", []event{{1500 * ms, "+"}, {200 * ms, "uh"}, {600 * ms, "-500"}, {200 * ms, "uh-huh."}, {4 * time.Second, "+"}, {900 * ms, "-500"}, {100 * ms, "four."}},
			"caller: uh-huh\n" + q1 + "caller: four\n" + answered},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, _ := playFlow(t, numbers, nil, func(caller *caller) {
				caller.tell(c.events...)
				events := second
				if c.name == "over music that goes on" { // the sound of the first answer ends in the middle of the next question
					events = append([]event{{3 * time.Second, "-500"}}, second...)
				}
				caller.tell(events...)
			})
			got := strings.ReplaceAll(r.said(), "agent: Are you still there?\n", "")
			if got != c.want || r.ended != domain.EndFlow {
				t.Errorf("transcript:\n%swant:\n%s(ended %s)", r.said(), c.want, r.ended)
			}
		})
	}
}

// gaps are the silences of at least 100 ms in what the agent says.
func (l *line) gaps(within time.Duration) (out []time.Duration) {
	var gap time.Duration
	began := false
	for i, sounded := range l.sound {
		if time.Duration(i)*audio.FrameDuration > within {
			break
		}
		switch {
		case !sounded && began:
			gap += audio.FrameDuration
		case sounded:
			if gap >= 100*ms {
				out = append(out, gap)
			}
			began, gap = true, 0
		}
	}
	return out
}

// TestFalseAlarms has sounds without words come into the agent's speech: it goes
// on, sooner after those that cannot have been a word.
func TestFalseAlarms(t *testing.T) {
	for _, c := range []struct {
		name   string
		events []event
		most   time.Duration
	}{
		{"a knock", []event{{time.Second, "+"}, {520 * ms, "-500"}}, time.Second},
		{"a cough", []event{{time.Second, "+"}, {800 * ms, "-500"}}, 2100 * ms},
		{"music", []event{{time.Second, "+"}}, 4100 * ms},
		{"music, when words are known to be prompt", []event{{200 * ms, "hm"}, {100 * ms, "hm."}, {700 * ms, "+"}}, 2100 * ms},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, l := playFlow(t, numbers, nil, func(caller *caller) {
				caller.tell(c.events...)
				time.Sleep(12 * time.Second)
				caller.talk.Stop(domain.EndCallerHangup)
			})
			gaps := l.gaps(12 * time.Second)
			if len(gaps) == 0 || gaps[0] > c.most {
				t.Errorf("the agent was silent for %v, want one pause of at most %v", gaps, c.most)
			}
		})
	}
}

// A sound without words is a caller's silence in the end.
func TestMusicIsNoAnswer(t *testing.T) {
	r, _ := playFlow(t, numbers, nil, func(c *caller) { c.tell(event{asked + time.Second, "+"}) })
	if r.ended != domain.EndSilence || strings.Contains(r.said(), "caller") {
		t.Errorf("ended for %s:\n%s", r.ended, r.said())
	}
}

// What is typed twice is meant twice.
func TestTypedTwice(t *testing.T) {
	r, _ := playFlow(t, numbers, nil, func(c *caller) {
		c.tell(event{4 * time.Second, "4"}, event{10 * ms, "4."}, event{500 * ms, "4"}, event{10 * ms, "4."})
	})
	if got := strings.Count(r.said(), "caller: 4\n"); got != 2 {
		t.Errorf("transcript:\n%s", r.said())
	}
}
