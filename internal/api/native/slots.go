package native

import (
	"context"
	"time"

	"github.com/callwright/callwright/internal/api/wire"
	"github.com/callwright/callwright/internal/service"
)

// Availability is what is free on several days.
type Availability struct {
	Availability []DaySlots   `json:"availability"`
	Settings     SlotSettings `json:"settings"`
}

// DaySlots is what is free on one day.
type DaySlots struct {
	Date      string `json:"date" format:"date"`
	Available bool   `json:"available" doc:"Whether there is a free time."`
	Slots     []Slot `json:"slots"`
}

// Slot is a free time.
type Slot struct {
	StartTime wire.Instant `json:"startTime"`
	EndTime   wire.Instant `json:"endTime"`
}

// SlotSettings is how times were looked for.
type SlotSettings struct {
	Timezone string `json:"timezone" doc:"The workspace's: dates and working hours are by its clock."`
	Duration int64  `json:"duration" doc:"Minutes."`
}

// slotDefault is how long a free time is when the query does not say.
const slotDefault = 30

type slotQuery struct {
	From     string `query:"from" doc:"The first day, ISO 8601; today when not sent."`
	To       string `query:"to" doc:"The last day; the seventh when not sent."`
	Duration int    `query:"duration" minimum:"0" maximum:"1440" doc:"Minutes; 30 when not sent."`
}

func (f *face) listSlots(ctx context.Context, in *slotQuery) (*object[Availability], error) {
	if in.Duration == 0 {
		in.Duration = slotDefault
	}
	q := service.SlotQuery{Length: time.Duration(in.Duration) * time.Minute}
	var err error
	if in.From != "" {
		if q.First, _, err = wire.ParseInstant("from", in.From); err != nil {
			return nil, err
		}
	}
	if in.To != "" {
		if q.Last, _, err = wire.ParseInstant("to", in.To); err != nil {
			return nil, err
		}
	}
	free, err := f.rules.Slots(ctx, wire.ScopeOf(ctx), q)
	if err != nil {
		return nil, err
	}
	out := Availability{
		Availability: make([]DaySlots, len(free.Days)),
		Settings:     SlotSettings{Timezone: free.Zone.String(), Duration: int64(in.Duration)},
	}
	for i, day := range free.Days {
		d := DaySlots{Date: day.Date, Available: len(day.Slots) > 0, Slots: make([]Slot, len(day.Slots))}
		for j, s := range day.Slots {
			d.Slots[j] = Slot{StartTime: wire.Instant(s.StartAt), EndTime: wire.Instant(s.EndAt)}
		}
		out.Availability[i] = d
	}
	return &object[Availability]{Body: out}, nil
}
