package native

import "github.com/callwright/callwright/internal/domain"

// hookMessage encodes an event about a text message. What a message may hold
// keeps it far below MaxHookBytes.
func hookMessage(payload hookPayload, ev *domain.Event) ([]byte, bool) {
	switch ev.Type {
	case domain.EventMessageSent, domain.EventMessageDelivered, domain.EventMessageFailed, domain.EventMessageReceived:
	default:
		return nil, false
	}
	payload.Data = message(ev.Message)
	return encodeHook(payload)
}
