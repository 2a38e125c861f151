package callee

import (
	"context"
	"strings"
	"time"
)

// persona is how a simulated person behaves. Either it refuses the call with a
// status, or it answers and talks.
type persona struct {
	name   string
	status int    // final response that refuses the call, or 0
	reason string // of the response
	mute   bool   // rings for ever
	talk   func(ctx context.Context, t *talk)
}

// brief is everybody whose number names no persona.
var brief = persona{name: "brief", talk: beBrief}

// personas by the last digit of +1500nnn000d.
var personas = [10]persona{
	0: {name: "invalid", status: 404, reason: "Not Found"},
	1: {name: "busy", status: 486, reason: "Busy Here"},
	2: {name: "absent", mute: true},
	3: {name: "voicemail", talk: beVoicemail},
	4: {name: "declines", status: 603, reason: "Decline"},
	5: {name: "hangs up early", talk: hangUpEarly},
	6: {name: "answers", talk: answerAll},
	7: {name: "silent", talk: staySilent},
	8: {name: "interrupts", talk: interrupt},
	9: {name: "opts out", talk: optOut},
}

// personaOf returns who is at number. Visual separators do not matter.
func personaOf(number string) persona {
	if digit, named := Persona(number); named {
		return personas[digit]
	}
	return brief
}

// Persona returns the digit of +1500nnn000d that says who is at number, and false
// for other numbers.
func Persona(number string) (digit int, named bool) {
	n := strings.TrimPrefix(number, "+")
	if len(n) == 11 && strings.HasPrefix(n, "1500") && n[7:10] == "000" && n[10] >= '0' && n[10] <= '9' {
		return int(n[10] - '0'), true
	}
	return 0, false
}

// The time that a person takes before speaking.
const reaction = 150 * time.Millisecond

func beBrief(ctx context.Context, t *talk) {
	t.wait(ctx, 400*time.Millisecond)
	t.say(ctx, "Hello. Sorry, I cannot talk right now. Goodbye.")
}

// beep is what an answering machine gives: 1 kHz for 0.4 s, 8 dB below the
// loudest there is.
const (
	beepHertz  = 1000
	beepLevel  = 13000
	beepLength = 400 * time.Millisecond
)

func beVoicemail(ctx context.Context, t *talk) {
	t.say(ctx, "Hi, you have reached Casey. Please leave a message after the tone.")
	t.beep(ctx, beepHertz, beepLength)
	t.wait(ctx, 20*time.Second)
}

func hangUpEarly(ctx context.Context, t *talk) { t.wait(ctx, 1500*time.Millisecond) }

func staySilent(ctx context.Context, t *talk) { t.wait(ctx, time.Minute) }

// The willing have little time: after patience they say goodbye, and within 20 s
// of the answer they are gone, whatever the agent does.
const (
	patience = 16500 * time.Millisecond
	gone     = 19 * time.Second
)

// answerAll answers every question.
func answerAll(ctx context.Context, t *talk) {
	ctx, stop := context.WithDeadline(ctx, t.began.Add(gone))
	defer stop()
	hurry, stopHurry := context.WithDeadline(ctx, t.began.Add(patience))
	defer stopHurry()
	for reply(hurry, t) {
	}
	if t.speaking() {
		// Whoever is being talked to does not hang up: it may be the goodbye.
		t.hear(ctx)
		t.wait(ctx, time.Second)
		return
	}
	t.say(ctx, "I have to go now. Goodbye.")
}

// reply hears one turn of the agent and answers it; false when time is up.
func reply(ctx context.Context, t *talk) bool {
	line, ok := t.hear(ctx)
	if !ok {
		return false
	}
	words, asked := answer(line)
	if !asked {
		// A statement. The agent may go on; if it waits, so do people, a little.
		if t.begins(ctx, 1500*time.Millisecond) {
			return true
		}
		words = "Okay."
	}
	t.wait(ctx, reaction)
	return t.say(ctx, words)
}

// interrupt talks into the agent's first words, then answers like the willing.
func interrupt(ctx context.Context, t *talk) {
	if !t.begins(ctx, 10*time.Second) {
		return
	}
	t.wait(ctx, 900*time.Millisecond)
	t.say(ctx, "Sorry, wait a moment please.")
	answerAll(ctx, t)
}

func optOut(ctx context.Context, t *talk) {
	t.hear(ctx)
	t.wait(ctx, reaction)
	t.say(ctx, "Please do not call me again. Take me off your list.")
	bye, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	t.hear(bye)
}
