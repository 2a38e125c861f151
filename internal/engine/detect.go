package engine

import (
	"regexp"
	"sync/atomic"

	"github.com/callwright/callwright/internal/conversation"
	"github.com/callwright/callwright/internal/flow"
	"github.com/callwright/callwright/internal/speech"
)

// detector tells the flow of a call that we placed when an answering machine has
// answered, and when its beep was heard. It lives on the pacer's goroutine, but
// for words. Once a human has answered it does nothing any more.
type detector struct {
	greeting speech.Greeting
	beep     *speech.BeepDetector
	words    atomic.Bool // what was said is what machines say
	told     bool        // of the machine
}

// newDetector listens at rate hertz.
func newDetector(rate int) (*detector, error) {
	beep, err := speech.NewBeepDetector(rate)
	return &detector{beep: beep}, err
}

// hear takes one frame and whether it is in the midst of speech.
func (d *detector) hear(pcm []int16, speaking bool, talk *conversation.Conversation) {
	if d == nil || d.greeting.Verdict() == speech.Human {
		return
	}
	if d.words.Load() {
		d.greeting.Decide(speech.Machine)
	}
	beeped := d.beep.Push(pcm)
	machine := d.greeting.Push(speaking) == speech.Machine
	if machine && !d.told {
		d.told = true
		talk.Post(flow.Event{Kind: flow.Machine})
	}
	if beeped {
		d.told = true
		d.greeting.Decide(speech.Machine)
		talk.Post(flow.Event{Kind: flow.Beep})
	}
}

// attentive is a conversation whose detector sees the words, too.
type attentive struct {
	*conversation.Conversation
	detector *detector
}

// Heard tells what was understood of the caller.
func (u *attentive) Heard(h speech.Heard) {
	u.detector.hears(h.Text)
	u.Conversation.Heard(h)
}

// machineWords are what only machines ask for.
var machineWords = regexp.MustCompile(`(?i)(leave (me |us )?(a|your|his|her|their)\b.{0,30}\bmessage|(after|at) the (tone|beep|signal)|voice ?mail|mailbox|record your message)`)

// hears looks at what was understood of the far end. It may be called from any
// goroutine.
func (d *detector) hears(words string) {
	if d != nil && !d.words.Load() && machineWords.MatchString(words) {
		d.words.Store(true)
	}
}
