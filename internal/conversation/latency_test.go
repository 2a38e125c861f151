package conversation_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/callwright/callwright/internal/audio"
	"github.com/callwright/callwright/internal/conversation"
	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/speech"
)

// slowTTS needs a while for its first sound, and then a while for each word, of
// which it gives 400 ms of sound in four pieces.
type slowTTS struct{ first, word time.Duration }

func (v slowTTS) Say(_ context.Context, _, text string, out audio.Writer) (speech.Spoken, error) {
	time.Sleep(v.first)
	for i := range 4 * len(strings.Fields(text)) {
		if i > 0 {
			time.Sleep(v.word / 4)
		}
		if err := out.WriteFrame(make([]int16, rate/10)); err != nil {
			return speech.Spoken{}, err
		}
	}
	return speech.Spoken{Voice: "slow"}, nil
}

// answers returns the latencies of the agent's turns.
func answers(r *record) (out []*domain.TurnLatency) {
	for _, t := range r.turns {
		if t.Role == domain.RoleAgent {
			out = append(out, t.Latency)
		}
	}
	return out
}

// about asserts that got is want, or up to three frames of sound more.
func about(t *testing.T, what string, got int64, want time.Duration) {
	t.Helper()
	if d := time.Duration(got)*time.Millisecond - want; d < -time.Millisecond || d > 3*audio.FrameDuration {
		t.Errorf("%s took %d ms, want %v", what, got, want)
	}
}

func TestLatencyOfAScriptedAnswer(t *testing.T) {
	const late = 400 * time.Millisecond
	r, _ := playWith(t, dinner, conversation.Options{Ear: true, Voice: slowTTS{first: 120 * time.Millisecond}}, func(c *caller) {
		time.Sleep(12 * time.Second)
		start := time.Now()
		c.talk.SoundOn(start)
		time.Sleep(1200 * time.Millisecond)
		c.talk.SoundOff(start.Add(700 * time.Millisecond))
		time.Sleep(late)
		c.talk.Heard(speech.Heard{Text: "four of us", Final: true})
	})
	got := answers(r)
	if len(got) != 2 || got[0] == nil || got[1] == nil {
		t.Fatalf("latencies %+v of\n%s", got, r.said())
	}
	greeting, answer := got[0], got[1]
	about(t, "the greeting", greeting.FirstRTP, 120*time.Millisecond)
	about(t, "its voice", greeting.TTSFirstAudio, 120*time.Millisecond)
	if greeting.EotAt != 0 || greeting.Endpoint != 0 || greeting.Own > 40 {
		t.Errorf("the greeting's latency is %+v", greeting)
	}
	about(t, "the endpoint", answer.Endpoint, 500*time.Millisecond)
	about(t, "the ear", answer.STT, late)
	about(t, "the voice", answer.TTSFirstAudio, 120*time.Millisecond)
	about(t, "all of it", answer.FirstRTP, late+120*time.Millisecond)
	about(t, "the response", answer.Response(), 500*time.Millisecond+late+120*time.Millisecond)
	about(t, "our share", answer.Own, 0)
	about(t, "the end of the turn", answer.EotAt, 13200*time.Millisecond)
	if answer.LLMText != 0 || answer.Route != 0 || answer.Tool != 0 || answer.Held != 0 {
		t.Errorf("nobody else was asked: %+v", answer)
	}
}

func TestLatencyOfAModel(t *testing.T) {
	const lookup = `{"nodes":[{"id":"hi","type":"say","text":"Hi.","edges":[{"to":"talk"}]},
 {"id":"talk","type":"converse","prompt":"Help.","tools":["lookup"],"edges":[{"to":"get","kind":"event","event":"lookup"}]},
 {"id":"get","type":"http","url":"https://example.com/","edges":[{"to":"end"}]},
 {"id":"end","type":"end","text":"It is there."}]}`
	a := says("We ", "are ", "open. ", "Come.")
	b := says().calls("lookup", "{}")
	a.pause, b.pause = 100*time.Millisecond, 300*time.Millisecond
	m := &model{answers: []answer{a, a, b}}
	speaks := func(c *caller, text string) { c.speaks(text, 600*time.Millisecond) }
	r, _ := playWith(t, lookup, conversation.Options{Ear: true, LLM: m, Voice: slowTTS{first: 50 * time.Millisecond}}, func(c *caller) {
		time.Sleep(8 * time.Second)
		speaks(c, "when are you open")
		time.Sleep(5 * time.Second)
		speaks(c, "is it there")
	})
	got := answers(r)
	if len(got) != 4 || got[1] != nil || got[2] == nil || got[3] == nil {
		t.Fatalf("latencies %+v of\n%s", got, r.said())
	}
	got = got[1:] // the first answers nobody
	about(t, "the first token", got[1].LLMFirstToken, 100*time.Millisecond)
	about(t, "the first sentence", got[1].LLMText, 400*time.Millisecond)
	about(t, "the answer", got[1].FirstRTP, 450*time.Millisecond)
	about(t, "our share", got[1].Own, 0)
	about(t, "the request", got[2].Tool, time.Second)
	about(t, "the answer after it", got[2].FirstRTP, 1350*time.Millisecond)
	about(t, "our share of that", got[2].Own, 0)
}

// Noise while the answer is being made holds it back; that is not our share.
func TestLatencyOfAnAnswerThatWaited(t *testing.T) {
	const two = `{"nodes":[
 {"id":"a","type":"ask","text":"How many?","variable":"n","answer":{"type":"number"},"repeat":1,"edges":[{"to":"b"}]},
 {"id":"b","type":"ask","text":"And when?","variable":"t","answer":{"type":"time"},"repeat":1,"edges":[{"to":"end"}]},
 {"id":"end","type":"end","text":"Fine."}]}`
	r, _ := playWith(t, two, conversation.Options{Ear: true, Voice: slowTTS{first: 300 * time.Millisecond}}, func(c *caller) {
		time.Sleep(5 * time.Second)
		c.speaks("four of us", 700*time.Millisecond)
		time.Sleep(100 * time.Millisecond)
		c.speaks("", 400*time.Millisecond) // a cough, and 1.2 s without words after it
		time.Sleep(5 * time.Second)
		c.speaks("at three p m", 700*time.Millisecond)
	})
	got := answers(r)
	if len(got) != 3 || got[1] == nil {
		t.Fatalf("latencies %+v of\n%s", got, r.said())
	}
	if got[1].Held < 1000 || got[1].Own > 60 {
		t.Errorf("the answer's latency is %+v, want it held for over a second and our share small", got[1])
	}
}

// What the agent says without having been asked has no latency.
func TestReminderHasNoLatency(t *testing.T) {
	r, _ := play(t, func(*caller) {})
	got := answers(r)
	if len(got) < 2 || got[0] == nil || got[1] != nil {
		t.Errorf("latencies %+v of\n%s", got, r.said())
	}
}

// A voice that is slower than at once is played while it speaks, and what was
// not played of it was not said.
func TestSlowVoiceIsPlayedAsItComes(t *testing.T) {
	voice := slowTTS{first: 100 * time.Millisecond, word: 300 * time.Millisecond}
	r, l := playWith(t, dinner, conversation.Options{Ear: true, Voice: voice}, func(c *caller) {
		time.Sleep(12 * time.Second)
		c.speaks("four", 600*time.Millisecond)
	})
	want := "agent: Hello there. How many people are coming to the dinner tonight?\ncaller: four\nagent: A table for 4 then.\n"
	if got := r.said(); got != want {
		t.Errorf("transcript:\n%s\nwant:\n%s", got, want)
	}
	for i, sounded := range l.sound {
		if at := time.Duration(i) * audio.FrameDuration; sounded && at > 240*time.Millisecond {
			t.Fatalf("the agent begins at %v", at)
		} else if sounded {
			break
		}
	}
	r, _ = playWith(t, dinner, conversation.Options{Ear: true, Voice: voice}, func(c *caller) {
		time.Sleep(2200 * time.Millisecond)
		c.speaks("sorry what was that", 700*time.Millisecond)
		c.talk.Stop(domain.EndCallerHangup)
	})
	first := r.turns[0]
	if !first.Interrupted || !strings.HasPrefix("Hello there. How many people are coming", first.Text) || len(first.Text) < len("Hello there. How") {
		t.Errorf("after 2.3 s of 400 ms a word the agent has said %q", first.Text)
	}
}
