package service

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/phone"
	"github.com/callwright/callwright/internal/service/rule"
)

// Bounds of a day.
const (
	dayMinutes = 24 * 60
	maxSpans   = 24 // of one day
)

// checkHours checks when a number is answered, and brings each day's spans into
// order.
func checkHours(ctx context.Context, st *domain.Stores, in domain.Scope, h *domain.Hours) error {
	if h.Timezone != "" {
		if _, err := phone.Zone(h.Timezone); err != nil {
			return domain.Invalid("hours.timezone", "hours.timezone %s", err)
		}
	}
	for day := range h.Week {
		spans := slices.Clone(h.Week[day])
		slices.SortFunc(spans, func(a, b domain.Span) int { return a.From - b.From })
		h.Week[day] = spans
		field := "hours.week." + strings.ToLower(time.Weekday(day).String()[:3])
		if err := checkSpans(field, spans); err != nil {
			return err
		}
	}
	switch closed := h.Closed; closed.Action {
	case domain.ClosedMessage:
		if strings.TrimSpace(closed.Text) == "" {
			return domain.Invalid("hours.closed.text", "hours.closed.text is required: it is what callers hear")
		}
		return rule.Text("hours.closed.text", closed.Text, rule.MaxText)
	case domain.ClosedReject:
		return nil
	case domain.ClosedAgent:
		if closed.AgentID == "" {
			return domain.Invalid("hours.closed.agentId", "hours.closed.agentId is required: the agent that answers then")
		}
		_, err := st.Agents.Get(ctx, in, closed.AgentID)
		return err
	}
	return domain.Invalid("hours.closed.action", "hours.closed.action must be one of: message, reject, agent")
}

func checkSpans(field string, spans []domain.Span) error {
	if len(spans) > maxSpans {
		return domain.Invalid(field, "%s has %d spans; at most %d are allowed", field, len(spans), maxSpans)
	}
	until := 0
	for _, s := range spans {
		switch {
		case s.From < 0 || s.To > dayMinutes || s.From >= s.To:
			return domain.Invalid(field, "%s: %s is no part of a day; a span goes from an earlier to a later time, and one over midnight is two: until 24:00, and on the next day from 00:00", field, clockSpan(s))
		case s.From < until:
			return domain.Invalid(field, "%s: %s overlaps the span before it", field, clockSpan(s))
		}
		until = s.To
	}
	return nil
}

func clockSpan(s domain.Span) string {
	return fmt.Sprintf("%02d:%02d to %02d:%02d", s.From/60, s.From%60, s.To/60, s.To%60)
}
