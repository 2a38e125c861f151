package trillet_test

import (
	"testing"

	"github.com/callwright/callwright/internal/api/trillet"
	"github.com/callwright/callwright/internal/domain"
)

// TestTextHooks names what is told of messages: that they were sent, and that
// they arrived.
func TestTextHooks(t *testing.T) {
	m := domain.Message{
		ID: "m1", CallID: "c1", Status: domain.MessageSent, From: "+1987654321", To: "+1234567890", Text: `Hi, "Zoë" 🙂`, Segments: 1,
	}
	const rest = `"fromNumber":"+1987654321","toNumber":"+1234567890","text":"Hi, \"Zoë\" 🙂","segments":1,"timestamp":"2025-01-15T14:25:00Z"}}`
	for typ, want := range map[domain.EventType]string{
		domain.EventMessageSent:      `{"event":"sms.sent","data":{"messageId":"m1","callId":"c1","status":"sent",` + rest,
		domain.EventMessageDelivered: `{"event":"sms.delivered","data":{"messageId":"m1","callId":null,"status":"delivered",` + rest,
		domain.EventMessageFailed:    "", domain.EventMessageReceived: "",
	} {
		ev := hookEvent(typ, nil)
		message := m
		if ev.Message = &message; typ == domain.EventMessageDelivered {
			message.CallID, message.Status = "", domain.MessageDelivered
		}
		if got, told := (trillet.Hooks{}).Encode(ev); string(got) != want || told != (want != "") {
			t.Errorf("%s: %v\n got %s\nwant %s", typ, told, got, want)
		}
		ev.Message = nil
		if got, told := (trillet.Hooks{}).Encode(ev); told {
			t.Errorf("%s without its message became %s", typ, got)
		}
	}
}
