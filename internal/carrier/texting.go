package carrier

import (
	"context"
	"sync"
	"time"

	"github.com/callwright/callwright/internal/callee"
	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/trunk"
)

// Who answers a text message at which number of +1500nnn000d; all others get it.
const (
	textInvalid = 0 // there is no such number
	textBusy    = 1 // the carrier takes the message when it is asked again
	textAbsent  = 2 // the message is sent, and never delivered
	textOptOut  = 9 // gets it, and answers STOP
)

// How long the simulated phones take, and how often what they tell is repeated.
const (
	textDelivery = 200 * time.Millisecond
	textReply    = 300 * time.Millisecond
	textRepeat   = 250 * time.Millisecond
	textRepeats  = 40
	textLast     = time.Second // for all that is told at the end
)

// texting is what the sandbox does with text messages.
type texting struct {
	ctx  context.Context // ends with the carrier
	stop context.CancelFunc
	work *sync.WaitGroup

	listening sync.Mutex
	inbox     trunk.Inbox // guarded by listening; nil: nobody is told
	closed    bool        // guarded by listening
}

func newTexting() texting {
	ctx, stop := context.WithCancel(context.Background())
	return texting{ctx: ctx, stop: stop, work: &sync.WaitGroup{}}
}

// Listen tells where receipts and answers go.
func (x *texting) Listen(to trunk.Inbox) {
	x.listening.Lock()
	defer x.listening.Unlock()
	x.inbox = to
}

// Send gives a message to whoever is at the number. What they have not told yet
// they tell when the process is asked to stop; when it is killed, that is lost.
func (x *texting) Send(_ context.Context, t domain.Trunk, m trunk.Message) (string, error) {
	who, named := callee.Persona(m.To)
	if !named {
		who = -1
	}
	switch {
	case who == textInvalid:
		return "", domain.Invalid("to", "the carrier knows no such number").For(domain.ReasonInvalidNumber, "")
	case who == textBusy && m.Try == 1:
		return "", domain.Unavailable(0, nil, "the carrier is busy")
	}
	name := "sandbox-" + string(domain.NewID())
	x.listening.Lock()
	defer x.listening.Unlock()
	if who != textAbsent && x.inbox != nil && !x.closed {
		inbox := x.inbox
		x.work.Go(func() { x.answer(inbox, t, m, name, who) }) //nolint:contextcheck // outlives the request, and ends with the carrier
	}
	return name, nil
}

// answer tells what became of a message.
func (x *texting) answer(inbox trunk.Inbox, t domain.Trunk, m trunk.Message, name string, who int) {
	x.wait(textDelivery)
	x.repeat(func(ctx context.Context) error {
		return inbox.Receipt(ctx, t, trunk.Receipt{CarrierID: name, At: time.Now()})
	})
	if who != textOptOut {
		return
	}
	x.wait(textReply)
	x.repeat(func(ctx context.Context) error {
		return inbox.Incoming(ctx, t, trunk.IncomingMessage{CarrierID: name + "-reply", From: m.To, To: m.From, Text: "STOP"})
	})
}

// repeat tells something until it is taken; once the carrier is closed, one last
// time, and not for long.
func (x *texting) repeat(tell func(context.Context) error) {
	for range textRepeats {
		if x.ctx.Err() == nil && tell(x.ctx) == nil {
			return
		}
		if !x.wait(textRepeat) {
			last, cancel := context.WithTimeout(context.WithoutCancel(x.ctx), textLast)
			defer cancel()
			_ = tell(last) // nobody is left who could be told why
			return
		}
	}
}

// wait returns false when the carrier was closed before d was over.
func (x *texting) wait(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-x.ctx.Done():
		return false
	}
}

// close has everybody tell at once what they were about to, and waits for that.
func (x *texting) close() {
	x.listening.Lock()
	x.closed = true
	x.listening.Unlock()
	x.stop()
	x.work.Wait()
}

var _ trunk.Messenger = (*Sandbox)(nil)
