package domain

import "time"

// AppointmentStatus is where an appointment stands.
type AppointmentStatus string

// The statuses of an appointment. Any may follow any: people change their minds.
const (
	AppointmentScheduled   AppointmentStatus = "scheduled"
	AppointmentConfirmed   AppointmentStatus = "confirmed"
	AppointmentCompleted   AppointmentStatus = "completed"
	AppointmentCancelled   AppointmentStatus = "cancelled" // takes no time any more
	AppointmentNoShow      AppointmentStatus = "no_show"
	AppointmentRescheduled AppointmentStatus = "rescheduled"
)

// AppointmentStatuses lists every status.
var AppointmentStatuses = []AppointmentStatus{
	AppointmentScheduled, AppointmentConfirmed, AppointmentCompleted,
	AppointmentCancelled, AppointmentNoShow, AppointmentRescheduled,
}

// AppointmentKind is what sort of entry of a calendar an appointment is.
type AppointmentKind string

// The kinds.
const (
	KindMeeting     AppointmentKind = "meeting"
	KindAppointment AppointmentKind = "appointment"
	KindBusy        AppointmentKind = "busy"
	KindVoiceCall   AppointmentKind = "voice_call"
	KindVideoCall   AppointmentKind = "video_call"
)

// AppointmentKinds lists every kind.
var AppointmentKinds = []AppointmentKind{KindMeeting, KindAppointment, KindBusy, KindVoiceCall, KindVideoCall}

// MaxAppointment is how long an appointment may last: a leap year.
const MaxAppointment = 366 * 24 * time.Hour

// Appointment is a time that somebody has with somebody: an entry of the
// workspace's calendar. Appointments may overlap.
type Appointment struct {
	ID          ID
	WorkspaceID ID
	Mode        Mode
	ContactID   ID // "" for none, as are the next two
	AgentID     ID // who made it, or whom it is with
	CallID      ID // in which it was made
	Title       string
	Notes       string
	StartAt     time.Time
	EndAt       time.Time // after StartAt
	Status      AppointmentStatus
	AppointmentDetails
	Version   int64 // row version, for ETag and SEQUENCE
	CreatedAt time.Time
	UpdatedAt time.Time
}

// AppointmentDetails is what an appointment keeps that no list is narrowed by.
type AppointmentDetails struct {
	Kind        AppointmentKind
	Description string
	Location    string
	Customer    Customer
	Video       Video
	Reminder    Reminder
	TeamID      string
	ByAgent     bool // an agent made it in a call
	Sync        bool // other calendars may copy it
	Notify      bool // the customer may be told
}

// Customer is whom an appointment is with, where that is not a contact.
type Customer struct{ Name, Email, Phone, Notes string }

// Video is where a video conference takes place.
type Video struct {
	On            bool
	URL, Provider string
}

// Reminder says whether the customer is to be reminded, and how long before.
type Reminder struct {
	On     bool
	Before time.Duration
}

// Takes reports whether the appointment takes its time: a cancelled one does not.
func (a *Appointment) Takes() bool { return a.Status != AppointmentCancelled }

// UUID is the appointment's id in the form of RFC 9562 (version 8), for clients
// and calendars that want that: the same 96 bits.
func (a *Appointment) UUID() string { return UUIDOf(a.ID) }

// UUIDOf spells a valid id as a UUID of version 8 (RFC 9562 section 5.8).
func UUIDOf(id ID) string {
	if !id.Valid() {
		return ""
	}
	h := string(id)
	return h[:8] + "-" + h[8:12] + "-8" + h[12:15] + "-8" + h[15:18] + "-" + h[18:24] + "000000"
}

// IDOfUUID returns the id that UUIDOf spelled as s; any other string comes back
// as it is.
func IDOfUUID(s string) ID {
	if len(s) != 36 {
		return ID(s)
	}
	id := ID(s[:8] + s[9:13] + s[15:18] + s[20:23] + s[24:30])
	if UUIDOf(id) != s {
		return ID(s)
	}
	return id
}

// AppointmentFilter narrows a list of appointments; zero fields do not filter.
type AppointmentFilter struct {
	Status    AppointmentStatus
	ContactID ID
	AgentID   ID
	StartMin  time.Time // of StartAt, inclusive
	StartMax  time.Time // of StartAt, exclusive
}
