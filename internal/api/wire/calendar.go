package wire

import (
	"fmt"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/callwright/callwright/internal/domain"
)

// foldAt is how many octets a line of a calendar may have (RFC 5545 section 3.1).
const foldAt = 75

// Calendar renders an appointment as an iCalendar object with one event (RFC
// 5545): its UID stays the same, its SEQUENCE is the appointment's version, and
// its times are UTC.
func Calendar(a *domain.Appointment) []byte {
	var c calendar
	c.line("BEGIN", "VCALENDAR")
	c.line("VERSION", "2.0")
	c.line("PRODID", "-//Callwright//Callwright//EN")
	c.line("CALSCALE", "GREGORIAN")
	c.line("BEGIN", "VEVENT")
	c.line("UID", a.UUID())
	c.moment("DTSTAMP", a.UpdatedAt)
	c.moment("CREATED", a.CreatedAt)
	c.moment("LAST-MODIFIED", a.UpdatedAt)
	c.moment("DTSTART", a.StartAt)
	c.moment("DTEND", a.EndAt)
	c.line("SEQUENCE", fmt.Sprint(a.Version))
	c.line("STATUS", calendarStatus(a.Status))
	c.text("SUMMARY", a.Title)
	description := a.Description
	if description == "" {
		description = a.Notes
	}
	c.text("DESCRIPTION", description)
	c.text("LOCATION", a.Location)
	c.text("CONTACT", contactLine(a.Customer))
	if u, err := url.Parse(a.Video.URL); err == nil && u.Host != "" {
		c.line("URL", u.String()) // escaped: no controls
	}
	if a.Reminder.On && a.Takes() {
		c.line("BEGIN", "VALARM")
		c.line("ACTION", "DISPLAY")
		c.line("TRIGGER", fmt.Sprintf("-PT%dM", int64(a.Reminder.Before/time.Minute)))
		c.text("DESCRIPTION", a.Title)
		c.line("END", "VALARM")
	}
	c.line("END", "VEVENT")
	c.line("END", "VCALENDAR")
	return []byte(c.String())
}

// calendarStatus is the word of RFC 5545 section 3.8.1.11: what is not confirmed
// by anybody is tentative.
func calendarStatus(s domain.AppointmentStatus) string {
	switch s {
	case domain.AppointmentCancelled:
		return "CANCELLED"
	case domain.AppointmentScheduled, domain.AppointmentRescheduled:
		return "TENTATIVE"
	}
	return "CONFIRMED"
}

// contactLine says in one line how the customer is reached.
func contactLine(c domain.Customer) string {
	var parts []string
	for _, part := range []string{c.Name, c.Phone, c.Email} {
		if part != "" {
			parts = append(parts, part)
		}
	}
	return strings.Join(parts, ", ")
}

// calendar writes content lines.
type calendar struct{ strings.Builder }

// moment writes a time as UTC (RFC 5545 section 3.3.5, form 2).
func (c *calendar) moment(name string, t time.Time) {
	c.line(name, t.UTC().Format("20060102T150405Z"))
}

var calendarEscapes = strings.NewReplacer(`\`, `\\`, ";", `\;`, ",", `\,`, "\r\n", `\n`, "\n", `\n`, "\r", `\n`)

// text writes a property of type TEXT (RFC 5545 section 3.3.11), or nothing when
// it is empty. Controls, which the format has no way to write, are left out.
func (c *calendar) text(name, value string) {
	value = strings.Map(func(r rune) rune {
		if r < ' ' && r != '\t' || r == 0x7f {
			return -1
		}
		return r
	}, calendarEscapes.Replace(value))
	if value != "" {
		c.line(name, value)
	}
}

// line writes a content line, folded between characters.
func (c *calendar) line(name, value string) {
	rest, room := name+":"+value, foldAt
	for len(rest) > room {
		at := room
		for at > room-utf8.UTFMax && !utf8.RuneStart(rest[at]) {
			at--
		}
		c.WriteString(rest[:at])
		c.WriteString("\r\n ")
		rest, room = rest[at:], foldAt-1
	}
	c.WriteString(rest)
	c.WriteString("\r\n")
}
