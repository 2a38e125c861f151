package trillet

import (
	"github.com/callwright/callwright/internal/api/wire"
	"github.com/callwright/callwright/internal/domain"
)

// hookMessage is the data of an event about a text message.
type hookMessage struct {
	MessageID  domain.ID    `json:"messageId"`
	CallID     *domain.ID   `json:"callId"` // the call in which it was sent
	Status     string       `json:"status"`
	FromNumber string       `json:"fromNumber"`
	ToNumber   string       `json:"toNumber"`
	Text       string       `json:"text"`
	Segments   int          `json:"segments"`
	Timestamp  wire.Instant `json:"timestamp"`
}

// hookText encodes an event about a text message; the dialect has no word for
// those that failed or came in. What a message may hold keeps it far below
// MaxHookBytes.
func hookText(ev *domain.Event) ([]byte, bool) {
	if ev.Type != domain.EventMessageSent && ev.Type != domain.EventMessageDelivered {
		return nil, false
	}
	m := ev.Message
	return encodeHook(string(ev.Type), hookMessage{
		MessageID: m.ID, CallID: orNull(m.CallID), Status: string(m.Status), FromNumber: m.From, ToNumber: m.To,
		Text: m.Text, Segments: m.Segments, Timestamp: wire.Instant(ev.At),
	})
}
