package conversation

import (
	"context"
	"strings"
	"time"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/flow"
)

// typing is how soon after a key another one belongs to it: who types a long
// number does not ask for anything with one of its digits.
const typing = 3 * time.Second

// optedOut is said to who has pressed the key not to be called again.
var optedOut = map[string]string{
	"en": "You will not be called again. Goodbye.",
	"de": "Sie werden nicht mehr angerufen. Auf Wiederhören.",
	"es": "No le volveremos a llamar. Adiós.",
	"fr": "Nous ne vous rappellerons plus. Au revoir.",
	"it": "Non la chiameremo più. Arrivederci.",
	"nl": "U wordt niet meer gebeld. Tot ziens.",
	"pt": "Não voltaremos a ligar. Adeus.",
}

// OptedOutFor is what an agent of a language (BCP 47; English when it is not
// known) says to who has pressed the key not to be called again.
func OptedOutFor(language string) string {
	primary, _, _ := strings.Cut(strings.ToLower(language), "-")
	if text, known := optedOut[primary]; known {
		return text
	}
	return optedOut["en"]
}

// optsOut reports whether a key, which is none that is listened for, is the wish not to be
// called again.
func (c *Conversation) optsOut(key string) bool {
	now := time.Now()
	alone := now.Sub(c.keyAt) > typing
	c.keyAt = now
	if !alone || c.o.OptOutKey == "" || key != c.o.OptOutKey {
		return false
	}
	rule := c.digitRule()
	return rule == nil || rule.Only != "" && c.digits == "" && !strings.Contains(rule.Only, key)
}

// optOut notes the wish, confirms it and ends the call.
func (c *Conversation) optOut(ctx context.Context, key string) {
	at := c.sinceAnswer(time.Now())
	c.tell(domain.Turn{Role: domain.RoleCaller, Text: key, Note: domain.NoteOptOut, NodeID: c.flow.Node, StartMs: at, EndMs: at})
	c.flow.Ended = true
	c.move(InTurn)
	c.act(ctx, []flow.Act{flow.Say{Text: c.o.OptedOut, Node: c.flow.Node}, flow.End{Reason: domain.EndFlow}}, false)
}
