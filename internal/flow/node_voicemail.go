package flow

import (
	"time"

	"github.com/callwright/callwright/internal/domain"
)

func init() {
	register(nodeType{name: "voicemail", fresh: func() body { return &voicemail{} }, waits: true, final: true})
}

// How long a message waits for the beep: for the whole greeting, and after the
// machine has said something.
const (
	beepAfterAnswer = 30 * time.Second
	beepAfterWords  = 4 * time.Second
)

// voicemail leaves a message after the beep, or when none comes, and ends the
// call. The first such node of a flow takes every answering machine that no edge
// for the event machine takes; no edge needs to lead to it.
type voicemail struct {
	Text string `json:"text,omitempty"`
}

func (b *voicemail) check(c *check) { c.text("text", b.Text, false) }

func (b *voicemail) spoken() []string { return []string{b.Text} }

func (b *voicemail) enter(w *walk, _ *Node) {
	if b.Text == "" || w.event.Kind == Beep {
		b.leave(w)
		return
	}
	w.do(Wait{For: beepAfterAnswer})
}

func (b *voicemail) take(w *walk, _ *Node) {
	switch w.event.Kind {
	case Beep, Timer:
		b.leave(w)
	case Heard:
		w.do(Wait{For: beepAfterWords})
	}
}

func (b *voicemail) leave(w *walk) {
	w.say(b.Text)
	w.end(domain.EndVoicemail)
}
