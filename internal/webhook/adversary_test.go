package webhook_test

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"

	"github.com/callwright/callwright/internal/domain"
)

// adversary makes up events that hold what callers, customers and models could
// say at their worst. The same seed makes the same events.
type adversary struct{ *rand.Rand }

func newAdversary(seed uint64) adversary {
	return adversary{rand.New(rand.NewPCG(seed, 4))} //nolint:gosec // keeps no secret
}

// phrases are what encoders write differently, or get wrong.
var phrases = []string{
	"Grüß Gott", "\"Zoë\" <zoe@example.com> & Söhne", "\u2028", "\u2029", "世界", "😀", "👩‍👩‍👧‍👦", "e\u0301", "\ufeff", "\u202eevil", "\u0000", "\u0001\u001f", "\u007f\u0080\u009f",
	"\\", "/", "</script><script>", "\\u0041", "\\\"", "\b\f\n\r\t", "\xff", "\xc3", "\xed\xa0\x80", "\xed\xb0\x80", "\xed\xa0\xbd\xed\xb8\x80", "\xf4\x90\x80\x80", "\xc0\x80",
	"\ufffd", "\ufffe\uffff", "\U0001ffff", "\U0010ffff", "١٢٣", "１２３", "ﷺ", "a\u0300\u0301\u0302\u0303", "null", "{\"a\":1}", "[", "%00", "${jndi:ldap://x}", "{{name}}", "'; DROP TABLE calls; --", " ", "",
}

// keys are names that JavaScript keeps in an order of its own, or does not keep.
var keys = []string{
	"name", "2", "10", "0", "01", "-1", "1.5", "4294967294", "4294967295", "4294967296", "9007199254740993", "__proto__", "constructor", "toString", "hasOwnProperty", "length",
	"", " ", "\u2028", "Ä", "😀", "a.b", "\x00", "\xff",
}

// numbers are written as they were given.
var numbers = []json.Number{
	"0", "-0", "-0.0", "1.0", "1.50", "1e0", "1E+2", "1e-7", "0.000001", "0.0000001", "1e20", "1e21", "123456789012345678901", "9007199254740991", "9007199254740993",
	"12345678901234567890", "1e308", "1.7976931348623157e308", "5e-324", "1e-400", "0.1", "0.30000000000000004", "100000000000000000000000", "-1e-9", "3.141592653589793238462643383279",
}

func pick[T any](a adversary, from []T) T { return from[a.IntN(len(from))] }

func (a adversary) text(pieces int) string {
	var b strings.Builder
	for range a.IntN(pieces + 1) {
		if a.IntN(6) == 0 {
			fmt.Fprintf(&b, "%c", rune(a.IntN(0x110000))) // a surrogate is written as U+FFFD
		} else {
			b.WriteString(pick(a, phrases))
		}
	}
	return b.String()
}

func (a adversary) number() any {
	switch a.IntN(5) {
	case 0:
		return pick(a, numbers)
	case 1:
		return a.Int64()
	case 2:
		return math.Copysign(float64(a.IntN(1000)), float64(a.IntN(2))-0.5)
	case 3:
		return json.Number(strconv.Itoa(a.IntN(2000)-1000) + "." + strconv.Itoa(a.IntN(100000)) + "e" + strconv.Itoa(a.IntN(600)-310))
	}
	for {
		if f := math.Float64frombits(a.Uint64()); !math.IsNaN(f) && !math.IsInf(f, 0) {
			return f
		}
	}
}

func (a adversary) value(depth int) any {
	switch n := a.IntN(8); {
	case n == 0:
		return nil
	case n == 1:
		return a.IntN(2) == 0
	case n <= 3:
		return a.number()
	case n == 4 && depth > 0:
		list := make([]any, a.IntN(4))
		for i := range list {
			list[i] = a.value(depth - 1)
		}
		return list
	case n == 5 && depth > 0:
		return a.object(depth - 1)
	}
	return a.text(6)
}

func (a adversary) object(depth int) map[string]any {
	object := make(map[string]any)
	for range a.IntN(8) {
		key := pick(a, keys)
		if a.IntN(4) == 0 {
			key = a.text(2)
		}
		object[key] = a.value(depth)
	}
	return object
}

// event makes up an event of a type.
func (a adversary) event(typ domain.EventType) *domain.Event {
	at := time.Unix(1_700_000_000+a.Int64N(1e8), a.Int64N(1e9))
	ev := &domain.Event{
		ID: domain.NewID(), Type: typ, At: at, Sequence: 1 + a.Int64N(9), Agent: &domain.Agent{Name: a.text(4)},
		Contact: &domain.Contact{ID: "k", FirstName: a.text(3), LastName: a.text(3), Email: a.text(2), Company: a.text(3)},
	}
	if strings.HasPrefix(string(typ), "appointment.") {
		ev.Appointment = &domain.Appointment{ID: "p", Title: a.text(8), Notes: a.text(20), StartAt: at, EndAt: at.Add(time.Hour), Status: domain.AppointmentConfirmed}
		ev.Appointment.Location, ev.Appointment.Description, ev.Reason = a.text(4), a.text(9), a.text(5)
		ev.Appointment.Customer = domain.Customer{Name: a.text(3), Email: a.text(2), Phone: "+15005550006"}
		before := *ev.Appointment
		before.StartAt = at.Add(-time.Hour)
		ev.Previous = &before
		return ev
	}
	if strings.HasPrefix(string(typ), "sms.") {
		ev.Message = &domain.Message{
			ID: "m", From: "+15005550100", To: "+15005550006", Direction: domain.Outbound, Text: a.text(30), Status: domain.MessageSent,
			Error: a.text(4), Extra: a.object(2), CreatedAt: at, SentAt: at, UpdatedAt: at,
		}
		return ev
	}
	ev.Call = &domain.Call{
		ID: domain.NewID(), AgentID: "a", From: "+15005550100", To: "+15005550006", Direction: domain.Outbound, State: domain.CallCompleted, EndReason: domain.EndFlow,
		AnsweredAt: at.Add(-time.Minute), EndedAt: at, Recording: "r.wav", Variables: a.object(3), Captured: a.object(3),
		Analysis: &domain.Analysis{Summary: a.text(40), Sentiment: "neutral", Method: a.text(2)},
		Extra:    map[string]any{"metadata": a.object(3), "tag": a.value(2)},
	}
	turns := a.IntN(12)
	if a.IntN(50) == 0 {
		turns = 2000 // more than fits
	}
	for range turns {
		ev.Turns = append(ev.Turns, domain.Turn{Role: pick(a, []domain.Role{domain.RoleAgent, domain.RoleCaller}), Text: a.text(10), StartMs: a.Int64N(1e6), EndMs: a.Int64N(1e6)})
	}
	return ev
}
