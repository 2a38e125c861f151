package engine

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/service"
)

// bookTime is how long a caller waits for the database to take an appointment.
const bookTime = 5 * time.Second

// book performs the arguments of a flow.Do of kind book: it makes the
// appointment and returns it as a flow's variables show it. A time without a
// zone is by the workspace's clock.
func (c *call) book(ctx context.Context, args map[string]any) (map[string]any, error) {
	written, _ := args["startTime"].(string)
	start, err := startOf(written, c.dial.Zone)
	if err != nil {
		return nil, err
	}
	title, _ := args["title"].(string)
	notes, _ := args["notes"].(string)
	minutes, _ := args["durationMinutes"].(int)
	end := start.Add(time.Duration(minutes) * time.Minute)
	ctx, cancel := context.WithTimeout(ctx, bookTime)
	defer cancel()
	a, err := c.engine.o.Service.BookAppointment(ctx, c.dial.Call.ID, service.AppointmentChange{
		Title: &title, Notes: &notes, StartAt: &start, EndAt: &end,
	})
	if err != nil {
		c.log.Warn("an appointment was not made", "err", err)
		var known *domain.Error
		if errors.As(err, &known) && known.Code != domain.CodeInternal {
			return nil, errors.New("the appointment was not made: " + known.Message)
		}
		return nil, errors.New("the appointment was not made: something went wrong on our end")
	}
	overlaps := make([]any, len(a.Overlaps))
	for i, id := range a.Overlaps {
		overlaps[i] = string(id)
	}
	return map[string]any{
		"id": string(a.ID), "title": a.Title, "notes": a.Notes, "status": string(a.Status),
		"startTime": a.StartAt.Format(time.RFC3339), "endTime": a.EndAt.Format(time.RFC3339),
		"agentId": string(a.AgentID), "callId": string(a.CallID), "overlaps": overlaps,
	}, nil
}

// startForms are the ways to write a beginning: with a zone, or by the clock of
// a place.
var startForms = []string{time.RFC3339, "2006-01-02T15:04Z07:00", "2006-01-02T15:04:05", "2006-01-02T15:04", "2006-01-02 15:04"}

// startOf reads the beginning of an appointment, by zone's clock where it names
// none.
func startOf(written string, zone *time.Location) (time.Time, error) {
	for _, form := range startForms {
		if start, err := time.ParseInLocation(form, written, zone); err == nil {
			return start, nil
		}
	}
	return time.Time{}, fmt.Errorf("the appointment was not made: %q is no date and time such as 2026-03-15T15:30", written)
}
