package native

import (
	"github.com/callwright/callwright/internal/api/wire"
	"github.com/callwright/callwright/internal/domain"
)

// hookedAppointment is the data of an event about an appointment.
type hookedAppointment struct {
	Appointment
	Previous *hookedBefore `json:"previous,omitempty"` // but for appointment.created
	Reason   string        `json:"reason,omitempty"`   // appointment.cancelled, where somebody said
}

// hookedBefore is what an appointment was before the change.
type hookedBefore struct {
	StartTime wire.Instant             `json:"startTime"`
	EndTime   wire.Instant             `json:"endTime"`
	Status    domain.AppointmentStatus `json:"status"`
}

// hookAppointment encodes an event about an appointment. What an appointment may
// hold keeps it far below MaxHookBytes.
func hookAppointment(payload hookPayload, ev *domain.Event) ([]byte, bool) {
	switch ev.Type {
	case domain.EventAppointmentCreated, domain.EventAppointmentUpdated, domain.EventAppointmentCancelled, domain.EventAppointmentCompleted:
	default:
		return nil, false
	}
	data := hookedAppointment{Appointment: appointment(ev.Appointment), Reason: ev.Reason}
	if was := ev.Previous; was != nil {
		data.Previous = &hookedBefore{StartTime: wire.Instant(was.StartAt), EndTime: wire.Instant(was.EndAt), Status: was.Status}
	}
	payload.Data = data
	return encodeHook(payload)
}
