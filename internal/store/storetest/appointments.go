package storetest

import (
	"context"
	"testing"
	"time"

	"github.com/callwright/callwright/internal/domain"
)

func appointmentOf(in domain.Scope, id domain.ID, at time.Time, n int) domain.Appointment {
	start := time.Date(2025, 2, 15, 10, n, 0, 1000, time.UTC)
	return domain.Appointment{
		ID: id, WorkspaceID: in.Workspace, Mode: in.Mode, Version: 1, CreatedAt: at, UpdatedAt: at,
		ContactID: "contact", AgentID: "agent", CallID: domain.NewID(), Title: "Zoë's demo", Notes: "a ? '' \n b",
		StartAt: start, EndAt: start.Add(30 * time.Minute), Status: domain.AppointmentConfirmed,
		AppointmentDetails: domain.AppointmentDetails{
			Kind: domain.KindVideoCall, Description: "d", Location: "Søndre gate 1",
			Customer: domain.Customer{Name: "Ann", Email: "ann@example.com", Phone: "+15551234567", Notes: "n"},
			Video:    domain.Video{On: true, URL: "https://example.com/?a=1&b=2", Provider: "p"},
			Reminder: domain.Reminder{On: true, Before: time.Hour}, TeamID: "t", ByAgent: true, Sync: true, Notify: true,
		},
	}
}

func appointments(_ *testing.T, b *bench) {
	plain[domain.Appointment]{
		noun: "Appointment",
		pick: func(s *domain.Stores) domain.Collection[domain.Appointment] { return s.Appointments },
		make: appointmentOf,
		id:   func(a *domain.Appointment) domain.ID { return a.ID }, version: func(a *domain.Appointment) int64 { return a.Version },
		change: func(a *domain.Appointment) {
			a.Status, a.Notes, a.AgentID, a.EndAt = domain.AppointmentCancelled, "", "", a.EndAt.Add(time.Hour)
			a.AppointmentDetails = domain.AppointmentDetails{Kind: domain.KindBusy}
		},
	}.exercise(b)
}

// appointmentsFind proves each filter, the order by beginning, and the totals.
func appointmentsFind(_ *testing.T, b *bench) {
	in, others := scopes()
	day := time.Date(2025, 2, 15, 0, 0, 0, 0, time.UTC)
	// Stored in another order than they begin in; the last two begin together.
	hours := []int{30, 10, 20, 20}
	made := make([]domain.Appointment, len(hours))
	b.write(func(ctx context.Context, s *domain.Stores) error {
		for n, hour := range hours {
			a := appointmentOf(in, domain.NewID(), clock(), n)
			a.StartAt, a.EndAt = day.Add(time.Duration(hour)*time.Hour), day.Add(time.Duration(hour+1)*time.Hour)
			if n%2 == 1 {
				a.Status, a.AgentID, a.ContactID = domain.AppointmentCancelled, "other agent", ""
			}
			if err := s.Appointments.Create(ctx, &a); err != nil {
				return err
			}
			made[n] = a
		}
		for _, other := range others {
			a := appointmentOf(other, domain.NewID(), clock(), 0)
			a.StartAt, a.EndAt = made[0].StartAt, made[0].EndAt
			if err := s.Appointments.Create(ctx, &a); err != nil {
				return err
			}
		}
		return nil
	})
	at := func(hour int) time.Time { return day.Add(time.Duration(hour) * time.Hour) }
	for _, c := range []struct {
		filter domain.AppointmentFilter
		page   domain.Page
		total  int
		want   []int
	}{
		{domain.AppointmentFilter{}, domain.Page{}, 4, []int{1, 2, 3, 0}},
		{domain.AppointmentFilter{}, domain.Page{Limit: 2, Offset: 1}, 4, []int{2, 3}},
		{domain.AppointmentFilter{}, domain.Page{Limit: 2, After: made[2].ID}, 4, []int{3, 0}},
		{domain.AppointmentFilter{}, domain.Page{Limit: 2, Offset: 9}, 4, nil},
		{domain.AppointmentFilter{}, domain.Page{Limit: 2, After: "nobody"}, 4, nil},
		{domain.AppointmentFilter{Status: domain.AppointmentConfirmed}, domain.Page{}, 2, []int{2, 0}},
		{domain.AppointmentFilter{Status: domain.AppointmentNoShow}, domain.Page{}, 0, nil},
		{domain.AppointmentFilter{AgentID: "other agent"}, domain.Page{Limit: 1}, 2, []int{1}},
		{domain.AppointmentFilter{ContactID: "contact"}, domain.Page{}, 2, []int{2, 0}},
		{domain.AppointmentFilter{StartMin: at(20)}, domain.Page{}, 3, []int{2, 3, 0}},
		{domain.AppointmentFilter{StartMin: at(11), StartMax: at(30)}, domain.Page{}, 2, []int{2, 3}},
		{domain.AppointmentFilter{StartMax: at(20), AgentID: "agent"}, domain.Page{}, 0, nil},
	} {
		b.read(func(ctx context.Context, s *domain.Stores) error {
			got, total, err := s.Appointments.Find(ctx, in, c.filter, c.page)
			want := []domain.Appointment{}
			for _, n := range c.want {
				want = append(want, made[n])
			}
			b.same(got, want)
			b.same(total, c.total)
			return err
		})
	}
}

// appointmentsTaken proves what takes time in a span: all that begins before its
// end and ends after its beginning, but for what is cancelled or elsewhere.
func appointmentsTaken(_ *testing.T, b *bench) {
	in, others := scopes()
	day := time.Date(2025, 2, 15, 0, 0, 0, 0, time.UTC)
	at := func(hour int) time.Time { return day.Add(time.Duration(hour) * time.Hour) }
	spans := [][2]int{{8, 10}, {9, 11}, {10, 11}, {12, 13}, {11 - 366*24, 11}, {1, 23}}
	var made []domain.ID
	b.write(func(ctx context.Context, s *domain.Stores) error {
		made = nil
		for n, span := range spans {
			for _, where := range append(others, in) {
				a := appointmentOf(where, domain.NewID(), clock(), n)
				a.StartAt, a.EndAt, a.Status = at(span[0]), at(span[1]), domain.AppointmentNoShow
				if n == 5 {
					a.Status = domain.AppointmentCancelled
				}
				if err := s.Appointments.Create(ctx, &a); err != nil {
					return err
				}
				if where == in {
					made = append(made, a.ID)
				}
			}
		}
		return nil
	})
	for _, c := range []struct {
		from, to, limit int
		want            []int
	}{
		{10, 12, 0, []int{4, 1, 2}}, {10, 13, 0, []int{4, 1, 2, 3}}, {11, 12, 0, nil}, {9, 10, 0, []int{4, 0, 1}}, {9, 10, 2, []int{4, 0}},
	} {
		b.read(func(ctx context.Context, s *domain.Stores) error {
			rows, err := s.Appointments.Taken(ctx, in, at(c.from), at(c.to), c.limit)
			got, want := []domain.ID{}, []domain.ID{}
			for _, a := range rows {
				got = append(got, a.ID)
			}
			for _, n := range c.want {
				want = append(want, made[n])
			}
			b.same(got, want)
			return err
		})
	}
}
