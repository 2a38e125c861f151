package service

import (
	"context"

	"github.com/callwright/callwright/internal/domain"
)

// defaultTitle is the title of an appointment that a call makes without one.
const defaultTitle = "Appointment"

// BookAppointment makes an appointment in a live call, with its agent and the
// person at the far end. It waits for the disk.
func (s *Service) BookAppointment(ctx context.Context, call domain.ID, req AppointmentChange) (*AppointmentDetail, error) {
	var made *AppointmentDetail
	err := s.Store.InTx(ctx, domain.LaneCall, func(ctx context.Context, st *domain.Stores) error {
		c, err := st.Calls.ByID(ctx, call)
		if err != nil {
			return err
		}
		in, booked := domain.Scope{Workspace: c.WorkspaceID, Mode: c.Mode}, req
		if booked.Title == nil || *booked.Title == "" {
			booked.Title = new(defaultTitle)
		}
		booked.Kind, booked.ByAgent, booked.Customer.Phone = new(domain.KindAppointment), new(true), new(farEnd(c))
		if c.ContactID != "" {
			_, err := st.Contacts.Get(ctx, in, c.ContactID)
			switch {
			case err == nil:
				booked.ContactID = &c.ContactID
			case domain.CodeOf(err) != domain.CodeNotFound: // it may have been deleted since
				return err
			}
		}
		if c.AgentID != "" {
			_, err := st.Agents.Get(ctx, in, c.AgentID)
			switch {
			case err == nil:
				booked.AgentID = &c.AgentID
			case domain.CodeOf(err) != domain.CodeNotFound: // it may have been deleted since
				return err
			}
		}
		made, err = s.newAppointment(ctx, st, in, booked, c.ID)
		return err
	})
	if err != nil {
		return nil, err
	}
	return made, nil
}

// farEnd is the number of the person on a call.
func farEnd(c *domain.Call) string {
	if c.Direction == domain.Inbound {
		return c.From
	}
	return c.To
}
