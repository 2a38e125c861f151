package conversation

import "context"

// Holding is why the talk stands still. Several may hold it at once.
type Holding uint8

// The reasons.
const (
	HeldByFarEnd Holding = 1 << iota // it does not hear us
	HeldByUs                         // we do not want to be heard
	HandedOver                       // the caller is with somebody else, or on the way there
)

// holding is one reason that came or went.
type holding struct {
	why Holding
	on  bool
}

// asked is a text that somebody outside wants the agent to say.
type asked struct{ text string }

// Hold makes the talk stand still for a reason, or takes that back. Meanwhile
// nothing is said or heard, no time passes for the flow, and what comes in from
// models and tools waits. What the agent was saying goes on afterwards, unless
// the call is handed over: then it is cut.
func (c *Conversation) Hold(why Holding, on bool) { c.post(holding{why, on}) }

// Say has the agent say a text that does not come from the flow.
func (c *Conversation) Say(text string) { c.post(asked{text}) }

// whileHeld takes a message of a talk that stands still, and reports whether
// that was all there is to do about it.
func (c *Conversation) whileHeld(m any) bool {
	if c.held == 0 {
		return false
	}
	switch m.(type) {
	case soundOn, soundOff, heard, pressed:
		return true // it was not meant for the agent
	case thought, posted, asked:
		c.missed = append(c.missed, m)
		return true
	}
	return false
}

func (c *Conversation) onHold(ctx context.Context, m holding) {
	before := c.held
	if m.on {
		c.held |= m.why
	} else {
		c.held &^= m.why
	}
	if c.held&HandedOver != 0 && before&HandedOver == 0 {
		c.clearLine()
	}
	c.pauseLine(before)
	switch {
	case before == 0 && c.held != 0:
		c.timers.freeze()
		c.caller, c.voiced = hearing{}, false
	case before != 0 && c.held == 0:
		c.timers.thaw()
		c.takeUp(ctx)
	}
}

// clearLine leaves the line to others.
func (c *Conversation) clearLine() {
	if c.speaking() || c.paused {
		c.interrupt()
	}
	c.move(InPlayed)
}

// pauseLine pauses what the agent says while nobody is to hear it, and only
// then: a line that was handed over carries another's sound.
func (c *Conversation) pauseLine(before Holding) {
	was, is := before != 0 && before&HandedOver == 0, c.held != 0 && c.held&HandedOver == 0
	switch {
	case is && !was:
		c.o.Line.Pause()
	case was && !is && !c.paused:
		c.o.Line.Resume()
	}
}

// takeUp goes on with the talk where it stood still.
func (c *Conversation) takeUp(ctx context.Context) {
	switch c.state {
	case Listening, Waiting:
		c.goOn() // whoever was speaking has stopped since
	default:
		c.awaitCaller()
	}
	late := c.missed
	c.missed = nil
	for i, m := range late {
		if c.held != 0 || c.state == Over {
			c.missed = append(c.missed, late[i:]...)
			return
		}
		c.receive(ctx, m)
	}
}

// onAsked says a text for somebody outside.
func (c *Conversation) onAsked(text string) {
	if c.state == Ending || c.state == Over || c.ending != "" {
		return
	}
	c.say(text, c.flow.Node)
	c.hush()
	c.timers.clear(timeListen) // it begins anew when all was said
}

// afterwards performs do when the agent has said all that it is saying, or was
// interrupted in it.
func (c *Conversation) afterwards(do func()) {
	if !c.speaking() {
		do()
		return
	}
	c.after = do
}

// said performs what was to wait for the agent's words.
func (c *Conversation) said() {
	if do := c.after; do != nil && !c.speaking() {
		c.after = nil
		do()
	}
}
