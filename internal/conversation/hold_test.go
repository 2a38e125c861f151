package conversation_test

import (
	"strings"
	"testing"
	"time"

	"github.com/callwright/callwright/internal/audio"
	"github.com/callwright/callwright/internal/conversation"
	"github.com/callwright/callwright/internal/domain"
)

// sounds counts the frames with sound between two moments.
func (l *line) sounds(from, to time.Duration) int {
	n := 0
	for i, sounded := range l.sound {
		if at := time.Duration(i) * audio.FrameDuration; sounded && at >= from && at < to {
			n++
		}
	}
	return n
}

const whole = "agent: Hello there. How many people are coming to the dinner tonight?\ncaller: four of us\nagent: A table for 4 then.\n"

func TestHeldInTheMiddleOfASentence(t *testing.T) {
	for _, why := range []conversation.Holding{conversation.HeldByFarEnd, conversation.HeldByUs} {
		r, l := play(t, func(c *caller) {
			time.Sleep(1500 * time.Millisecond)
			c.talk.Hold(why, true)
			time.Sleep(30 * time.Second)
			c.speaks("this is for somebody else", time.Second)
			time.Sleep(30 * time.Second)
			c.talk.Hold(why, false)
			time.Sleep(8 * time.Second)
			c.speaks("four of us", 800*time.Millisecond)
		})
		if got := r.said(); got != whole {
			t.Errorf("transcript:\n%s\nwant:\n%s", got, whole)
		}
		if n := l.sounds(1600*time.Millisecond, 60*time.Second); n != 0 {
			t.Errorf("%d frames were played while on hold", n)
		}
	}
}

func TestHeldWhileTheCallerIsAwaited(t *testing.T) {
	r, _ := play(t, func(c *caller) {
		time.Sleep(6 * time.Second) // two of the eight seconds of silence that are borne
		c.talk.Hold(conversation.HeldByFarEnd, true)
		c.talk.Hold(conversation.HeldByUs, true) // from both sides
		time.Sleep(time.Minute)
		c.talk.Hold(conversation.HeldByFarEnd, false)
		time.Sleep(time.Minute)
		c.talk.Hold(conversation.HeldByUs, false)
		time.Sleep(3 * time.Second)
		c.speaks("four of us", 800*time.Millisecond)
	})
	if got := r.said(); got != whole {
		t.Errorf("transcript:\n%s\nwant:\n%s", got, whole)
	}
}

// A caller who is held in the middle of a turn begins it again.
func TestHeldWhileTheCallerSpeaks(t *testing.T) {
	r, _ := play(t, func(c *caller) {
		time.Sleep(6 * time.Second)
		c.talk.SoundOn(time.Now())
		time.Sleep(300 * time.Millisecond)
		c.talk.Hold(conversation.HeldByUs, true)
		time.Sleep(time.Minute)
		c.talk.Hold(conversation.HeldByUs, false)
		time.Sleep(time.Second)
		c.speaks("four of us", 800*time.Millisecond)
	})
	if got := r.said(); got != whole {
		t.Errorf("transcript:\n%s\nwant:\n%s", got, whole)
	}
}

func TestHandedOverIsCutAndTakenBack(t *testing.T) {
	r, l := play(t, func(c *caller) {
		time.Sleep(1500 * time.Millisecond)
		c.talk.Hold(conversation.HandedOver, true)
		c.talk.Say("This waits.")
		time.Sleep(time.Minute)
		c.talk.Hold(conversation.HandedOver, false)
		time.Sleep(3 * time.Second)
		c.speaks("four of us", 800*time.Millisecond)
	})
	if !r.turns[0].Interrupted || strings.HasSuffix(r.turns[0].Text, "tonight?") {
		t.Errorf("the first turn is %+v, want it cut", r.turns[0])
	}
	_, rest, _ := strings.Cut(r.said(), "\n")
	if want := "agent: This waits.\ncaller: four of us\nagent: A table for 4 then.\n"; rest != want {
		t.Errorf("transcript:\n%s\nwant after the first turn:\n%s", r.said(), want)
	}
	if n := l.sounds(1600*time.Millisecond, 61*time.Second); n != 0 {
		t.Errorf("%d frames were played while the caller was with somebody else", n)
	}
	if l.paused {
		t.Error("the line was left paused")
	}
}

func TestStoppedWhileHeld(t *testing.T) {
	r, _ := play(t, func(c *caller) {
		time.Sleep(time.Second)
		c.talk.Hold(conversation.HandedOver, true)
		time.Sleep(time.Second)
		c.talk.Stop(domain.EndTransferred)
	})
	if r.ended != domain.EndTransferred {
		t.Errorf("ended for %q", r.ended)
	}
}

const operator = `{"nodes":[
 {"id":"over","type":"transfer","text":"One moment please.","to":"+15005550006","edges":[{"to":"end","kind":"success"}]},
 {"id":"end","type":"end","text":"Bye."}]}`

// A hand-over waits until the agent has said what comes before it, or was cut
// short in it.
func TestTransferWaitsForTheWords(t *testing.T) {
	var began time.Time
	words := time.Duration(len("One moment please.")) * 50 * time.Millisecond
	r, _ := playFlow(t, operator, nil, func(*caller) { began = time.Now() })
	if len(r.did) != 1 || r.did[0].Sub(began) < words-100*time.Millisecond {
		t.Errorf("it was begun %v after the words were, which take %v", r.did, words)
	}
	if got := r.said(); got != "agent: One moment please.\nagent: Bye.\n" {
		t.Errorf("transcript:\n%s", got)
	}
	r, _ = playFlow(t, operator, nil, func(c *caller) {
		began = time.Now()
		time.Sleep(300 * time.Millisecond)
		c.speaks("yes yes go ahead", 300*time.Millisecond)
	})
	if len(r.did) != 1 {
		t.Errorf("a caller who cut the words short was handed over %d times", len(r.did))
	}
}
