package wire_test

import (
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/callwright/callwright/internal/api/wire"
	"github.com/callwright/callwright/internal/domain"
)

func calendarSample() *domain.Appointment {
	at := time.Date(2025, 2, 15, 10, 0, 0, 0, time.FixedZone("", 3600))
	return &domain.Appointment{
		ID: "0123456789abcdef01234567", Title: "Demo; 3, 4", Notes: "a\\b\r\nc", StartAt: at, EndAt: at.Add(30 * time.Minute),
		Status: domain.AppointmentConfirmed, Version: 3, CreatedAt: at.Add(-time.Hour), UpdatedAt: at.Add(-time.Minute),
		AppointmentDetails: domain.AppointmentDetails{
			Location: "Søndre gate 1", Customer: domain.Customer{Name: "Zoë", Phone: "+15551234567", Email: "zoe@example.com"},
			Video:    domain.Video{On: true, URL: "https://meet.example/a b?c=1,2;3\r\nX-EVIL:1"},
			Reminder: domain.Reminder{On: true, Before: 90 * time.Minute},
		},
	}
}

func TestCalendar(t *testing.T) {
	a := calendarSample()
	a.Video.URL = "https://meet.example/a%20b?c=1,2"
	want := strings.ReplaceAll(`BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//Callwright//Callwright//EN
CALSCALE:GREGORIAN
BEGIN:VEVENT
UID:01234567-89ab-8cde-8f01-234567000000
DTSTAMP:20250215T085900Z
CREATED:20250215T080000Z
LAST-MODIFIED:20250215T085900Z
DTSTART:20250215T090000Z
DTEND:20250215T093000Z
SEQUENCE:3
STATUS:CONFIRMED
SUMMARY:Demo\; 3\, 4
DESCRIPTION:a\\b\nc
LOCATION:Søndre gate 1
CONTACT:Zoë\, +15551234567\, zoe@example.com
URL:https://meet.example/a%20b?c=1,2
BEGIN:VALARM
ACTION:DISPLAY
TRIGGER:-PT90M
DESCRIPTION:Demo\; 3\, 4
END:VALARM
END:VEVENT
END:VCALENDAR
`, "\n", "\r\n")
	if got := string(wire.Calendar(a)); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestCalendarStatus(t *testing.T) {
	for status, want := range map[domain.AppointmentStatus]string{
		domain.AppointmentScheduled: "TENTATIVE", domain.AppointmentRescheduled: "TENTATIVE", domain.AppointmentConfirmed: "CONFIRMED",
		domain.AppointmentCompleted: "CONFIRMED", domain.AppointmentNoShow: "CONFIRMED", domain.AppointmentCancelled: "CANCELLED",
	} {
		a := calendarSample()
		a.Status = status
		event := readCalendar(t, wire.Calendar(a))
		if event["VEVENT STATUS"] != want || (event["VALARM TRIGGER"] == "") != (want == "CANCELLED") {
			t.Errorf("%s is %v", status, event)
		}
	}
}

// readCalendar reads an iCalendar object strictly (RFC 5545 sections 3.1 and
// 3.3.11): it returns the values by component and property, those of texts
// unescaped.
func readCalendar(t *testing.T, raw []byte) map[string]string {
	t.Helper()
	text, whole := strings.CutSuffix(string(raw), "\r\n")
	if !whole || !utf8.ValidString(text) {
		t.Fatalf("%q does not end with a line, or is no UTF-8", raw)
	}
	var lines []string
	for _, line := range strings.Split(text, "\r\n") {
		if len(line) > 75 || strings.ContainsAny(line, "\r\n\x00\x07\x7f") || !utf8.ValidString(line) {
			t.Fatalf("%q is too long for a line, cut within a character, or has controls", line)
		}
		if rest, folded := strings.CutPrefix(line, " "); folded && len(lines) > 0 {
			lines[len(lines)-1] += rest
			continue
		}
		lines = append(lines, line)
	}
	values := map[string]string{}
	var open []string
	for _, line := range lines {
		name, value, found := strings.Cut(line, ":")
		if !found || name == "" {
			t.Fatalf("%q is no content line", line)
		}
		switch name {
		case "BEGIN":
			open = append(open, value)
			continue
		case "END":
			if len(open) == 0 || open[len(open)-1] != value {
				t.Fatalf("%s ends and %v is open", value, open)
			}
			open = open[:len(open)-1]
			continue
		case "SUMMARY", "DESCRIPTION", "LOCATION", "CONTACT":
			value = readCalendarText(t, value)
		}
		key := open[len(open)-1] + " " + name
		if _, twice := values[key]; twice {
			t.Fatalf("%s is there twice", key)
		}
		values[key] = value
	}
	if len(open) > 0 {
		t.Fatalf("%v stays open", open)
	}
	return values
}

func readCalendarText(t *testing.T, value string) string {
	t.Helper()
	var out strings.Builder
	for i := 0; i < len(value); i++ {
		switch c := value[i]; c {
		case '\\':
			i++
			plain, known := map[byte]string{'\\': `\`, ';': ";", ',': ",", 'n': "\n"}[value[i]]
			if !known {
				t.Fatalf("%q has an unknown escape", value)
			}
			out.WriteString(plain)
		case ';', ',':
			t.Fatalf("%q has %q in plain", value, c)
		default:
			out.WriteByte(c)
		}
	}
	return out.String()
}

// FuzzCalendar: whatever is written into an appointment comes out of its file,
// and adds no line to it.
func FuzzCalendar(f *testing.F) {
	sample := calendarSample()
	f.Add(sample.Title, sample.Notes, sample.Location, sample.Video.URL)
	f.Add(strings.Repeat("日本語", 40), "\r\rEND:VEVENT\nBEGIN:VALARM\r\n", "\x00\x7f\t\\n\\", "javascript:alert(1)")
	f.Add("x", strings.Repeat("é;", 500), strings.Repeat(" ", 200), "https://[::1]/\u2028é")
	f.Fuzz(func(t *testing.T, title, notes, place, link string) {
		for _, s := range []*string{&title, &notes, &place, &link} {
			*s = strings.ToValidUTF8(*s, "?")
		}
		a := calendarSample()
		a.Title, a.Notes, a.Location, a.Video.URL = title, notes, place, link
		got := readCalendar(t, wire.Calendar(a))
		for key, want := range map[string]string{
			"VEVENT SUMMARY": title, "VALARM DESCRIPTION": title, "VEVENT DESCRIPTION": notes, "VEVENT LOCATION": place,
		} {
			want = strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(want)
			want = strings.Map(func(r rune) rune {
				if r < ' ' && r != '\t' && r != '\n' || r == 0x7f {
					return -1
				}
				return r
			}, want)
			if got[key] != want {
				t.Fatalf("%s is %q, want %q", key, got[key], want)
			}
		}
		if at := fmt.Sprint(got["VEVENT DTSTART"], got["VEVENT DTEND"], got["VEVENT UID"]); at != "20250215T090000Z20250215T093000Z"+a.UUID() {
			t.Fatal(at)
		}
	})
}
