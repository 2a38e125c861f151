package klen

import (
	"context"
	"time"

	"github.com/callwright/callwright/internal/api/wire"
	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/service"
)

// CalendarAvailability is what is free.
type CalendarAvailability struct {
	UserID    domain.ID      `json:"user_id" doc:"The workspace."`
	StartDate string         `json:"start_date" format:"date"`
	EndDate   string         `json:"end_date" format:"date"`
	Duration  int64          `json:"duration_minutes"`
	Slots     []CalendarSlot `json:"available_slots"`
	Count     int            `json:"count"`
}

// CalendarSlot is a free time.
type CalendarSlot struct {
	Start    CalendarTime `json:"start"`
	End      CalendarTime `json:"end"`
	Duration int64        `json:"duration_minutes"`
}

// The week that is looked at when a query does not say, and how long slots are.
const (
	availabilityDays    = 7
	availabilityMinutes = 30
)

type availabilityQuery struct {
	StartDate string `query:"start_date" doc:"The first day, ISO 8601; today when not sent."`
	EndDate   string `query:"end_date" doc:"The last day; seven days from the first when not sent."`
	Duration  int    `query:"duration" minimum:"1" maximum:"1440" doc:"Minutes; 30 when not sent."`
}

func (f *face) listAvailability(ctx context.Context, in *availabilityQuery) (*struct{ Body CalendarAvailability }, error) {
	if in.Duration == 0 {
		in.Duration = availabilityMinutes
	}
	q := service.SlotQuery{Days: availabilityDays + 1, Length: time.Duration(in.Duration) * time.Minute}
	var err error
	if in.StartDate != "" {
		if q.First, _, err = wire.ParseInstant("start_date", in.StartDate); err != nil {
			return nil, notDatetime("start_date")
		}
	}
	if in.EndDate != "" {
		if q.Last, _, err = wire.ParseInstant("end_date", in.EndDate); err != nil {
			return nil, notDatetime("end_date")
		}
	}
	free, err := f.rules.Slots(ctx, wire.ScopeOf(ctx), q)
	if err != nil {
		return nil, err
	}
	out := CalendarAvailability{UserID: wire.ScopeOf(ctx).Workspace, Duration: int64(in.Duration), Slots: []CalendarSlot{}}
	out.StartDate, out.EndDate = free.Days[0].Date, free.Days[len(free.Days)-1].Date
	for _, day := range free.Days {
		for _, s := range day.Slots {
			out.Slots = append(out.Slots, CalendarSlot{Start: CalendarTime(s.StartAt), End: CalendarTime(s.EndAt), Duration: out.Duration})
		}
	}
	out.Count = len(out.Slots)
	return &struct{ Body CalendarAvailability }{out}, nil
}
