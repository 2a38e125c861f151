package service

import (
	"context"
	"time"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/service/rule"
)

// The bounds of what an appointment keeps.
const (
	maxAddress   = 320 // characters of an e-mail address (RFC 3696 erratum 1690 allows 254) or a phone number
	maxPlace     = 1_000
	maxOverlaps  = 100 // of an answer
	maxBefore    = 28 * 24 * time.Hour
	remindBefore = time.Hour
)

// AppointmentDetail is an appointment with the ids of others that take time
// while it does, in the order in which they begin, at most 100. One that is
// cancelled has none.
type AppointmentDetail struct {
	domain.Appointment
	Overlaps []domain.ID
}

// AppointmentChange is a new appointment, or what is to change in one. Nil
// fields keep what is there (in a new one: the defaults).
type AppointmentChange struct {
	ContactID    rule.Change[domain.ID] // "" takes the contact off
	AgentID      rule.Change[domain.ID] // "" takes the agent off
	Title        rule.Change[string]
	Notes        rule.Change[string]
	StartAt      rule.Change[time.Time]
	EndAt        rule.Change[time.Time]
	Status       rule.Change[domain.AppointmentStatus]
	Kind         rule.Change[domain.AppointmentKind]
	Description  rule.Change[string]
	Location     rule.Change[string]
	Customer     CustomerChange
	VideoOn      rule.Change[bool]
	VideoURL     rule.Change[string]
	VideoBy      rule.Change[string] // the provider
	RemindOn     rule.Change[bool]
	RemindBefore rule.Change[time.Duration]
	TeamID       rule.Change[string]
	ByAgent      rule.Change[bool]
	Sync         rule.Change[bool]
	Notify       rule.Change[bool]
	IfVersion    int64 // 0 for any
}

// CustomerChange is what is to change in whom an appointment is with.
type CustomerChange struct{ Name, Email, Phone, Notes rule.Change[string] }

// CreateAppointment makes an appointment. It needs a title, a beginning, and an
// end after that; both may be in the past, and it may overlap others.
func (s *Service) CreateAppointment(ctx context.Context, in domain.Scope, req AppointmentChange, once *rule.Once[AppointmentDetail]) (*AppointmentDetail, error) {
	return rule.Effect(ctx, &s.Kit, in, once, func(ctx context.Context, st *domain.Stores) (*AppointmentDetail, error) {
		return s.newAppointment(ctx, st, in, req, "")
	})
}

// newAppointment stores and announces an appointment that was made in a call, or
// ("") in none.
func (s *Service) newAppointment(ctx context.Context, st *domain.Stores, in domain.Scope, req AppointmentChange, call domain.ID) (*AppointmentDetail, error) {
	now := s.Clock()
	a := &domain.Appointment{
		ID: domain.NewID(), WorkspaceID: in.Workspace, Mode: in.Mode, CallID: call,
		Status: domain.AppointmentScheduled, Version: 1, CreatedAt: now, UpdatedAt: now,
		AppointmentDetails: domain.AppointmentDetails{
			Kind: domain.KindMeeting, Reminder: domain.Reminder{On: true, Before: remindBefore}, Sync: true, Notify: true,
		},
	}
	if err := req.apply(ctx, st, in, a); err != nil {
		return nil, err
	}
	if err := st.Appointments.Create(ctx, a); err != nil {
		return nil, err
	}
	if err := s.announceAppointment(ctx, st, &domain.Event{Type: domain.EventAppointmentCreated, Appointment: a}); err != nil {
		return nil, err
	}
	return withOverlaps(ctx, st, in, a)
}

// UpdateAppointment changes the fields of an appointment that req names. A
// change that changes nothing is not announced and makes no new version.
func (s *Service) UpdateAppointment(ctx context.Context, in domain.Scope, id domain.ID, req AppointmentChange) (*AppointmentDetail, error) {
	return s.changeAppointment(ctx, in, id, nil, "", func(ctx context.Context, st *domain.Stores, a *domain.Appointment) error {
		if err := rule.At(req.IfVersion, a.Version); err != nil {
			return err
		}
		return req.apply(ctx, st, in, a)
	})
}

// CancelAppointment cancels an appointment; one that is cancelled stays as it
// is. A reason is added to the notes about the customer.
func (s *Service) CancelAppointment(ctx context.Context, in domain.Scope, id domain.ID, reason string, once *rule.Once[AppointmentDetail]) (*AppointmentDetail, error) {
	return s.changeAppointment(ctx, in, id, once, reason, func(_ context.Context, _ *domain.Stores, a *domain.Appointment) error {
		if !a.Takes() {
			return nil
		}
		a.Status = domain.AppointmentCancelled
		if reason == "" {
			return nil
		}
		if a.Customer.Notes != "" {
			a.Customer.Notes += "\n"
		}
		a.Customer.Notes += reason
		return rule.Text("reason", a.Customer.Notes, rule.MaxText)
	})
}

// changeAppointment lets change change an appointment, and stores and announces
// it if that did; reason is why it was cancelled, if somebody said.
func (s *Service) changeAppointment(ctx context.Context, in domain.Scope, id domain.ID, once *rule.Once[AppointmentDetail], reason string,
	change func(context.Context, *domain.Stores, *domain.Appointment) error) (*AppointmentDetail, error) {
	return rule.Effect(ctx, &s.Kit, in, once, func(ctx context.Context, st *domain.Stores) (*AppointmentDetail, error) {
		a, err := st.Appointments.Get(ctx, in, id)
		if err != nil {
			return nil, err
		}
		was := *a
		if err := change(ctx, st, a); err != nil {
			return nil, err
		}
		if *a == was {
			return withOverlaps(ctx, st, in, a)
		}
		a.UpdatedAt = s.Clock()
		if err := st.Appointments.Update(ctx, a); err != nil {
			return nil, err
		}
		if err := s.announceChange(ctx, st, &was, a, reason); err != nil {
			return nil, err
		}
		return withOverlaps(ctx, st, in, a)
	})
}

// announceChange announces what became of an appointment.
func (s *Service) announceChange(ctx context.Context, st *domain.Stores, was, a *domain.Appointment, reason string) error {
	if was.Takes() && !a.Takes() {
		return s.announceAppointment(ctx, st, &domain.Event{Type: domain.EventAppointmentCancelled, Appointment: a, Previous: was, Reason: reason})
	}
	err := s.announceAppointment(ctx, st, &domain.Event{Type: domain.EventAppointmentUpdated, Appointment: a, Previous: was})
	if err != nil || a.Status != domain.AppointmentCompleted || was.Status == domain.AppointmentCompleted {
		return err
	}
	return s.announceAppointment(ctx, st, &domain.Event{Type: domain.EventAppointmentCompleted, Appointment: a, Previous: was})
}

// DeleteAppointment deletes an appointment. One that still took its time is
// announced as cancelled.
func (s *Service) DeleteAppointment(ctx context.Context, in domain.Scope, id domain.ID, ifVersion int64) error {
	return s.Store.InTx(ctx, domain.LaneAPI, func(ctx context.Context, st *domain.Stores) error {
		a, err := st.Appointments.Get(ctx, in, id)
		if err != nil {
			return err
		}
		if err := rule.At(ifVersion, a.Version); err != nil {
			return err
		}
		if err := st.Appointments.Delete(ctx, in, id); err != nil || !a.Takes() {
			return err
		}
		was := *a
		a.Status, a.UpdatedAt = domain.AppointmentCancelled, s.Clock()
		return s.announceAppointment(ctx, st, &domain.Event{Type: domain.EventAppointmentCancelled, Appointment: a, Previous: &was})
	})
}

// Appointment returns one appointment.
func (s *Service) Appointment(ctx context.Context, in domain.Scope, id domain.ID) (*AppointmentDetail, error) {
	return rule.View(ctx, &s.Kit, func(ctx context.Context, st *domain.Stores) (*AppointmentDetail, error) {
		a, err := st.Appointments.Get(ctx, in, id)
		if err != nil {
			return nil, err
		}
		return withOverlaps(ctx, st, in, a)
	})
}

// Appointments returns a page of the appointments that the filter lets through,
// in the order in which they begin, and the number of all.
func (s *Service) Appointments(ctx context.Context, in domain.Scope, f domain.AppointmentFilter, page domain.Page) ([]domain.Appointment, int, error) {
	if f.Status != "" {
		if err := rule.OneOf("status", f.Status, domain.AppointmentStatuses...); err != nil {
			return nil, 0, err
		}
	}
	var total int
	rows, err := rule.View(ctx, &s.Kit, func(ctx context.Context, st *domain.Stores) ([]domain.Appointment, error) {
		rows, n, err := st.Appointments.Find(ctx, in, f, page)
		total = n
		return rows, err
	})
	return rows, total, err
}

// withOverlaps finds what takes time while a does.
func withOverlaps(ctx context.Context, st *domain.Stores, in domain.Scope, a *domain.Appointment) (*AppointmentDetail, error) {
	detail := &AppointmentDetail{Appointment: *a, Overlaps: []domain.ID{}}
	if !a.Takes() {
		return detail, nil
	}
	taken, err := st.Appointments.Taken(ctx, in, a.StartAt, a.EndAt, maxOverlaps+1)
	for i := range taken {
		if taken[i].ID != a.ID && len(detail.Overlaps) < maxOverlaps {
			detail.Overlaps = append(detail.Overlaps, taken[i].ID)
		}
	}
	return detail, err
}

// apply puts the changes into a and checks the whole.
func (req *AppointmentChange) apply(ctx context.Context, st *domain.Stores, in domain.Scope, a *domain.Appointment) error {
	req.set(a)
	err := rule.First(
		rule.Name("title", a.Title), rule.Text("notes", a.Notes, rule.MaxText),
		moment("startTime", a.StartAt), moment("endTime", a.EndAt),
		rule.OneOf("status", a.Status, domain.AppointmentStatuses...), rule.OneOf("eventType", a.Kind, domain.AppointmentKinds...),
		rule.Text("description", a.Description, rule.MaxText), rule.Text("location", a.Location, maxPlace),
		rule.Text("customer.name", a.Customer.Name, rule.MaxName), rule.Text("customer.email", a.Customer.Email, maxAddress),
		rule.Text("customer.phone", a.Customer.Phone, maxAddress), rule.Text("customer.notes", a.Customer.Notes, rule.MaxText),
		rule.Text("videoConferenceUrl", a.Video.URL, rule.MaxURL), rule.Text("videoConferenceProvider", a.Video.Provider, rule.MaxName),
		rule.Text("teamId", a.TeamID, rule.MaxName), rule.Text("contactId", string(a.ContactID), rule.MaxName),
	)
	switch {
	case err != nil:
		return err
	case !a.EndAt.After(a.StartAt):
		return domain.Invalid("endTime", "endTime must be after startTime")
	case a.EndAt.Sub(a.StartAt) > domain.MaxAppointment:
		return domain.Invalid("endTime", "endTime must be at most 366 days after startTime")
	case a.Reminder.Before < 0 || a.Reminder.Before > maxBefore:
		return domain.Invalid("remindBeforeMinutes", "remindBeforeMinutes must be from 0 to %d", maxBefore/time.Minute)
	}
	if req.AgentID != nil && a.AgentID != "" {
		if _, err := st.Agents.Get(ctx, in, a.AgentID); err != nil {
			return err
		}
	}
	// A contact may also be one of another system, by an id of its own form.
	if req.ContactID != nil && a.ContactID.Valid() {
		_, err = st.Contacts.Get(ctx, in, a.ContactID)
	}
	return err
}

// set puts the changes into a.
func (req *AppointmentChange) set(a *domain.Appointment) {
	rule.Set(&a.ContactID, req.ContactID)
	rule.Set(&a.AgentID, req.AgentID)
	rule.Set(&a.Title, req.Title)
	rule.Set(&a.Notes, req.Notes)
	setTime(&a.StartAt, req.StartAt)
	setTime(&a.EndAt, req.EndAt)
	rule.Set(&a.Status, req.Status)
	rule.Set(&a.Kind, req.Kind)
	rule.Set(&a.Description, req.Description)
	rule.Set(&a.Location, req.Location)
	rule.Set(&a.Customer.Name, req.Customer.Name)
	rule.Set(&a.Customer.Email, req.Customer.Email)
	rule.Set(&a.Customer.Phone, req.Customer.Phone)
	rule.Set(&a.Customer.Notes, req.Customer.Notes)
	rule.Set(&a.Video.On, req.VideoOn)
	rule.Set(&a.Video.URL, req.VideoURL)
	rule.Set(&a.Video.Provider, req.VideoBy)
	rule.Set(&a.Reminder.On, req.RemindOn)
	rule.Set(&a.Reminder.Before, req.RemindBefore)
	rule.Set(&a.TeamID, req.TeamID)
	rule.Set(&a.ByAgent, req.ByAgent)
	rule.Set(&a.Sync, req.Sync)
	rule.Set(&a.Notify, req.Notify)
}

// setTime stores a new time as the store keeps it.
func setTime(field *time.Time, change rule.Change[time.Time]) {
	if change != nil {
		*field = change.UTC().Truncate(time.Microsecond)
	}
}

// moment checks a time that must be there and that every client can read.
func moment(field string, t time.Time) error {
	if t.IsZero() {
		return required(field, "")
	}
	if t.Year() < 1971 || t.Year() > 9998 {
		return domain.Invalid(field, "%s must be in a year from 1971 to 9998", field)
	}
	return nil
}
