package wire

import (
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/callwright/callwright/internal/domain"
)

// Instant is a time in an answer: RFC 3339 in UTC with whole seconds, null for
// the zero time.
type Instant time.Time

// MarshalJSON prints t.
func (t Instant) MarshalJSON() ([]byte, error) { return t.appendCanonical(nil), nil }

func (t Instant) appendCanonical(dst []byte) []byte {
	at := time.Time(t)
	if at.IsZero() {
		return append(dst, "null"...)
	}
	return append(at.UTC().AppendFormat(append(dst, '"'), time.RFC3339), '"')
}

// Schema says date-time, or null.
func (Instant) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeString, Format: "date-time", Nullable: true}
}

// Plus gives a phone number of a query its plus sign back: one that was not
// escaped arrives as a space.
func Plus(number string) string {
	if strings.HasPrefix(number, " ") {
		return "+" + strings.TrimSpace(number)
	}
	return number
}

// instantForms are the forms of ISO 8601 that a request may use, each with the
// length of what it names. Without a zone a time is UTC.
var instantForms = []struct {
	layout string
	grain  time.Duration
}{
	{time.RFC3339, time.Second},
	{"2006-01-02T15:04:05Z0700", time.Second},
	{"2006-01-02T15:04:05", time.Second},
	{"2006-01-02T15:04Z07:00", time.Minute},
	{"2006-01-02T15:04", time.Minute},
	{"2006-01-02", 24 * time.Hour},
	{"20060102", 24 * time.Hour},
}

// ParseInstant reads a date or time in ISO 8601. It returns when what was named
// begins and when it is over: a date is a whole day, a time a second or, with a
// fraction, a microsecond.
func ParseInstant(field, s string) (start, end time.Time, err error) {
	// A plus sign that was not escaped in a query arrives as a space.
	s = strings.ReplaceAll(strings.TrimSpace(s), " ", "+")
	for _, form := range instantForms {
		t, err := time.Parse(form.layout, s)
		t = t.UTC()
		if err != nil || t.Year() < 1 || t.Year() > 9999 {
			continue
		}
		grain := form.grain
		if t.Nanosecond() != 0 {
			grain = time.Microsecond
		}
		return t, t.Add(grain), nil
	}
	return start, end, domain.Invalid(field, "%s must be a date or time in ISO 8601, such as 2025-02-01 or 2025-02-01T09:00:00Z", field)
}
