package conversation

import (
	"strings"
	"time"
	"unicode"
)

// acknowledgements are words by which a listener says "go on".
var acknowledgements = map[string]bool{
	"uh-huh": true, "uh huh": true, "mhm": true, "mm-hmm": true, "mm hmm": true, "hmm": true, "mm": true,
	"okay": true, "ok": true, "right": true, "i see": true, "yeah": true, "yep": true, "sure": true,
	"go on": true, "aha": true,
}

// interrupts reports whether words said into the agent's speech are meant to
// stop it. A mere acknowledgement, or what may yet become one, is not, unless
// the agent was about done: then it answers.
func (c *Conversation) interrupts(words string) bool {
	bare := strings.ToLower(strings.Trim(words, ".,!?- "))
	if bare == "" {
		return false
	}
	if acknowledgements[bare] {
		return c.left() <= 2
	}
	if c.caller.final {
		return true
	}
	for whole := range acknowledgements {
		if strings.HasPrefix(whole, bare) {
			return false
		}
	}
	return true
}

// repeats reports whether words came that belong to the turn before: there was
// no sound since, and that turn has them already, or had to be taken before they
// were final.
func (c *Conversation) repeats(text string, final bool) bool {
	l := &c.last
	if l.sound || l.words == "" || c.caller.words() != "" || time.Since(l.at) > c.o.Timing.Echo {
		return false
	}
	if final && !l.final {
		l.final = true
		return true
	}
	return plain(text) == "" || strings.Contains(" "+plain(l.words)+" ", " "+plain(text)+" ")
}

// remember keeps what was just taken for the caller's turn, if it was spoken:
// what is typed twice is meant twice.
func (c *Conversation) remember(words string) {
	c.last = heardTurn{}
	if !c.caller.typed {
		c.last = heardTurn{words: words, final: c.caller.final, at: time.Now()}
	}
}

// plain is words without what recognisers change their mind about.
func plain(words string) string {
	return strings.Join(strings.FieldsFunc(strings.ToLower(words), func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '\''
	}), " ")
}

// hanging are words after which people have more to say.
var hanging = map[string]bool{
	"and": true, "or": true, "but": true, "because": true, "so": true, "if": true, "then": true, "than": true,
	"the": true, "a": true, "an": true, "my": true, "our": true, "your": true, "their": true, "his": true,
	"i": true, "we": true, "i'm": true, "we're": true, "it's": true, "is": true, "are": true, "was": true,
	"to": true, "of": true, "for": true, "with": true, "from": true, "at": true, "in": true, "on": true, "by": true,
	"um": true, "uh": true, "er": true, "erm": true, "hmm": true, "like": true, "about": true, "around": true,
}

// unfinished reports whether words break off in the middle of a sentence.
func unfinished(words string) bool {
	if strings.HasSuffix(words, ".") || strings.HasSuffix(words, "!") || strings.HasSuffix(words, "?") {
		return false
	}
	all := strings.Fields(plain(words))
	return len(all) > 0 && hanging[all[len(all)-1]]
}
