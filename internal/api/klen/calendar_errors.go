package klen

import (
	"strings"

	"github.com/callwright/callwright/internal/domain"
)

// The calendar's own words for what is wrong with a request.
const (
	reasonMissing  = "missing_parameter"
	reasonDatetime = "invalid_datetime_format"
)

// missingParameter is the error of a request without a field that it needs.
func missingParameter(field string) error {
	return domain.Invalid(field, "Missing required parameter: %s", field).For(reasonMissing, field)
}

// notDatetime is the error of a time that cannot be read.
func notDatetime(field string) error {
	return domain.Invalid(field, "Invalid datetime format for %s: use ISO 8601, such as 2025-02-01T09:00:00Z", field).For(reasonDatetime, field)
}

// calendarFields are the dialect's names for what the rules name otherwise.
var calendarFields = strings.NewReplacer(
	"startTime", "start_time", "endTime", "end_time", "eventType", "event_type", "customer.", "customer_",
	"videoConferenceUrl", "video_conference_url", "videoConferenceProvider", "video_conference_provider",
	"remindBeforeMinutes", "remind_before_minutes", "teamId", "team_id", "agentId", "ai_agent_id",
)

// calendarShape renders an error in the calendar's words.
func calendarShape(err *domain.Error) (int, any) {
	shown := *err
	switch {
	case err.Code == domain.CodeNotFound && err.Noun == "Appointment":
		shown.Noun, shown.Message = "Event", "Event not found or you do not have access"
	case err.Code == domain.CodeInvalid && err.Reason == "" && err.Field != "":
		shown.Message = calendarFields.Replace(err.Message)
	}
	status, body := Shape(&shown)
	if fault, ok := body.(Fault); ok && (err.Reason == reasonMissing || err.Reason == reasonDatetime) {
		fault.Error = err.Reason
		return status, fault
	}
	return status, body
}
