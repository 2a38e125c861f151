package domain

import "time"

// EventType is the native word for something that happened.
type EventType string

// The one list of event types.
const (
	EventCallStarted      EventType = "call.started"
	EventCallEnded        EventType = "call.ended"
	EventCallFailed       EventType = "call.failed"
	EventTranscriptReady  EventType = "transcript.ready"
	EventRecordingReady   EventType = "recording.ready"
	EventAnalysisComplete EventType = "analysis.complete"
	EventWebhookTest      EventType = "webhook.test"

	EventAppointmentCreated   EventType = "appointment.created"
	EventAppointmentUpdated   EventType = "appointment.updated"
	EventAppointmentCancelled EventType = "appointment.cancelled"
	EventAppointmentCompleted EventType = "appointment.completed" // beside the update that made it so

	EventMessageSent      EventType = "sms.sent"
	EventMessageDelivered EventType = "sms.delivered"
	EventMessageFailed    EventType = "sms.failed"
	EventMessageReceived  EventType = "sms.received"
)

// EventTypes lists every type that an endpoint may subscribe to.
var EventTypes = []EventType{
	EventCallStarted, EventCallEnded, EventCallFailed, EventTranscriptReady, EventRecordingReady, EventAnalysisComplete,
	EventAppointmentCreated, EventAppointmentUpdated, EventAppointmentCancelled, EventAppointmentCompleted,
	EventMessageSent, EventMessageDelivered, EventMessageFailed, EventMessageReceived,
}

// Event is something that happened to a call, an appointment or a message, with
// that as it was then.
type Event struct {
	ID          ID
	WorkspaceID ID
	Mode        Mode
	Type        EventType
	CallID      ID
	Sequence    int64 // per call, strictly increasing from 1; 1 without a call
	At          time.Time
	Call        *Call    // the call after the change; not stored with the event
	Turns       []Turn   // the transcript so far; not stored with the event
	Agent       *Agent   // the call's, nil when it is gone; not stored with the event
	Contact     *Contact // whom the call is with, or nil; not stored with the event

	// Appointment is the appointment after the change, and Previous what it was
	// before a change; Reason is why it was cancelled, where somebody said. None
	// of them is stored with the event.
	Appointment *Appointment
	Previous    *Appointment
	Reason      string

	Message *Message // the message after the change; not stored with the event
}

// About is what else than a call the event tells of: the contact of its
// appointment, or its message; "" is neither.
func (e *Event) About() ID {
	switch {
	case e.Message != nil:
		return e.Message.ID
	case e.Appointment != nil:
		return e.Appointment.ContactID
	}
	return ""
}

// HookDialect turns events into one vendor's payloads and signs them.
type HookDialect interface {
	// Encode returns the payload for ev, canonical JSON, and false when the
	// dialect does not know the event.
	Encode(ev *Event) ([]byte, bool)
	// Sign returns the vendor's own headers for body, keyed with the literal
	// secret string.
	Sign(secret string, ev DeliveryHead, body []byte) map[string]string
}

// DeliveryHead is what a signature may cover beside the body.
type DeliveryHead struct {
	ID   ID        // the event's id: the same for each try
	Type EventType // native word
	At   time.Time // time of this try
}
