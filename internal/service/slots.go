package service

import (
	"cmp"
	"context"
	"time"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/phone"
	"github.com/callwright/callwright/internal/service/rule"
)

// The hours in which slots are offered, by the workspace's wall clock, Monday to
// Friday.
const (
	slotsFrom = 9 * 60
	slotsTo   = 17 * 60
)

// The bounds of a search for slots.
const (
	maxSlotDays = 62
	minSlotTime = 5 * time.Minute
	maxSlotTime = 8 * time.Hour
)

// Slot is a free time.
type Slot struct{ StartAt, EndAt time.Time }

// SlotDay is what is free on one day.
type SlotDay struct {
	Date  string // 2006-01-02, in Zone
	Slots []Slot
}

// FreeSlots is what is free on several days.
type FreeSlots struct {
	Zone *time.Location // the workspace's
	Days []SlotDay
}

// SlotQuery asks for free times of a length on the days from First to Last, of
// which the date counts and not the zone: they are days of the workspace. Zero
// times are today and the last of so many Days; 0 are seven days, and half an
// hour.
type SlotQuery struct {
	First, Last time.Time
	Days        int
	Length      time.Duration
}

// Slots returns the times from nine to five on working days in which no
// appointment takes time and that have not begun. Slots follow one another from
// nine o'clock on.
func (s *Service) Slots(ctx context.Context, in domain.Scope, q SlotQuery) (*FreeSlots, error) {
	if q.Length == 0 {
		q.Length = 30 * time.Minute
	}
	if q.Length < minSlotTime || q.Length > maxSlotTime {
		return nil, domain.Invalid("duration", "duration must be from %d to %d minutes", minSlotTime/time.Minute, maxSlotTime/time.Minute)
	}
	return rule.View(ctx, &s.Kit, func(ctx context.Context, st *domain.Stores) (*FreeSlots, error) {
		w, err := st.Workspaces.Get(ctx, in.Workspace)
		if err != nil {
			return nil, err
		}
		zone := phone.FirstZone(w.Timezone)
		now := s.Clock().In(zone)
		if err := q.complete(now); err != nil {
			return nil, err
		}
		taken, err := st.Appointments.Taken(ctx, in, q.First, q.Last.AddDate(0, 0, 1), 0)
		if err != nil {
			return nil, err
		}
		return &FreeSlots{Zone: zone, Days: q.freeDays(now, taken)}, nil
	})
}

// complete puts in what was not asked for, and moves the days to the zone of now.
func (q *SlotQuery) complete(now time.Time) error {
	day := func(t time.Time) time.Time {
		return time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, now.Location())
	}
	if q.First.IsZero() {
		q.First = now
	}
	q.First = day(q.First)
	if q.Last.IsZero() {
		q.Last = q.First.AddDate(0, 0, cmp.Or(q.Days, 7)-1)
	}
	q.Last = day(q.Last)
	switch {
	case q.Last.Before(q.First):
		return domain.Invalid("to", "to must not be before from")
	case q.Last.After(q.First.AddDate(0, 0, maxSlotDays-1)):
		return domain.Invalid("to", "from and to may span at most %d days", maxSlotDays)
	}
	return nil
}

// freeDays cuts the working hours of each day into slots and leaves out those
// that are taken; taken is in the order in which they begin.
func (q *SlotQuery) freeDays(now time.Time, taken []domain.Appointment) []SlotDay {
	days := []SlotDay{}
	busy := merge(taken)
	for date := q.First; !date.After(q.Last); date = date.AddDate(0, 0, 1) {
		at := func(minute int) time.Time {
			return time.Date(date.Year(), date.Month(), date.Day(), 0, minute, 0, 0, date.Location())
		}
		day := SlotDay{Date: date.Format(time.DateOnly), Slots: []Slot{}}
		if date.Weekday() != time.Saturday && date.Weekday() != time.Sunday {
			for start := at(slotsFrom); !start.Add(q.Length).After(at(slotsTo)); start = start.Add(q.Length) {
				slot := Slot{StartAt: start.UTC(), EndAt: start.Add(q.Length).UTC()}
				for len(busy) > 0 && !busy[0].EndAt.After(slot.StartAt) {
					busy = busy[1:]
				}
				if !start.Before(now) && (len(busy) == 0 || !busy[0].StartAt.Before(slot.EndAt)) {
					day.Slots = append(day.Slots, slot)
				}
			}
		}
		days = append(days, day)
	}
	return days
}

// merge returns the times that are taken, each once and in order.
func merge(taken []domain.Appointment) []Slot {
	var busy []Slot
	for i := range taken {
		last := len(busy) - 1
		switch {
		case last < 0 || taken[i].StartAt.After(busy[last].EndAt):
			busy = append(busy, Slot{StartAt: taken[i].StartAt, EndAt: taken[i].EndAt})
		case taken[i].EndAt.After(busy[last].EndAt):
			busy[last].EndAt = taken[i].EndAt
		}
	}
	return busy
}
