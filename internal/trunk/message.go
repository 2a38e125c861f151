package trunk

import (
	"context"
	"time"

	"github.com/callwright/callwright/internal/domain"
)

// Messenger is a Carrier that takes text messages.
type Messenger interface {
	Carrier
	// Send hands a message over once and returns the carrier's name for it, which
	// its receipts bear. An error with domain.CodeUnavailable or CodeRateLimited
	// says that the carrier has not taken it now and may be asked again; one of
	// another code that it never will. Any other error leaves open whether the
	// carrier has it.
	Send(ctx context.Context, t domain.Trunk, m Message) (carrierID string, err error)
	// Listen tells where receipts and messages that come in go. It is called once,
	// before the first Send.
	Listen(to Inbox)
}

// Message is a text message on its way out.
type Message struct {
	From, To string // E.164
	Text     string
	Try      int64 // from 1: how often it was handed over, this time included
}

// Inbox takes what carriers tell. A carrier repeats what was answered with an
// error, now and then, for a while; what comes twice counts once.
type Inbox interface {
	// Receipt takes what became of a message. CodeNotFound may also say that it was
	// not noted yet that the carrier took it.
	Receipt(ctx context.Context, t domain.Trunk, r Receipt) error
	// Incoming takes a message from somebody.
	Incoming(ctx context.Context, t domain.Trunk, m IncomingMessage) error
}

// Receipt is what became of a message that a carrier took.
type Receipt struct {
	CarrierID string
	Error     string // why it was not delivered, for people; "" when it was
	At        time.Time
}

// IncomingMessage is a text message that came in.
type IncomingMessage struct {
	CarrierID string // the carrier's name for it, once for each; "" when it has none
	From      string // as the carrier gives it: not every sender is a number
	To        string // E.164, one of the workspace's own
	Text      string
}

// Send hands a message over to the trunk's carrier.
func (c *Carriers) Send(ctx context.Context, t domain.Trunk, m Message) (carrierID string, err error) {
	one, err := c.of(t)
	if err != nil {
		return "", err
	}
	messenger, ok := one.(Messenger)
	if !ok {
		return "", domain.Invalid("carrier", "the carrier %q of trunk %s takes no text messages", t.Carrier, t.ID)
	}
	return messenger.Send(ctx, t, m)
}

// Listen tells all carriers that take messages where theirs go.
func (c *Carriers) Listen(to Inbox) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, one := range c.list {
		if messenger, ok := one.(Messenger); ok {
			messenger.Listen(to)
		}
	}
}
