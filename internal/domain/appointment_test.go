package domain

import (
	"testing"
	"time"
)

func TestUUIDSpellsTheID(t *testing.T) {
	if got := UUIDOf("0123456789abcdef01234567"); got != "01234567-89ab-8cde-8f01-234567000000" {
		t.Error(got)
	}
	seen := map[string]bool{}
	for range 1000 {
		id := NewID()
		uuid := UUIDOf(id)
		if IDOfUUID(uuid) != id || seen[uuid] {
			t.Fatalf("%s became %s and then %s", id, uuid, IDOfUUID(uuid))
		}
		seen[uuid] = true
	}
	for _, s := range []string{
		"", "x", "0123456789abcdef01234567", "01234567-89ab-8cde-8f01-234567000001", "01234567-89AB-8cde-8f01-234567000000",
		"01234567-89ab-4cde-8f01-234567000000", "01234567+89ab+8cde+8f01+234567000000", "éééééééééééééééééé",
	} {
		if got := IDOfUUID(s); got != ID(s) {
			t.Errorf("%q became %q", s, got)
		}
	}
	if got := UUIDOf("not an id"); got != "" {
		t.Error(got)
	}
}

func TestOverlapIsOfTimeThatIsTaken(t *testing.T) {
	at := func(from, to int) *Appointment {
		day := time.Date(2025, 2, 15, 0, 0, 0, 0, time.UTC)
		return &Appointment{StartAt: day.Add(time.Duration(from) * time.Minute), EndAt: day.Add(time.Duration(to) * time.Minute)}
	}
	for _, c := range []struct {
		from, to int
		want     bool
	}{{0, 60, false}, {0, 61, true}, {60, 90, true}, {65, 70, true}, {0, 200, true}, {89, 95, true}, {90, 95, false}} {
		a, b := at(60, 90), at(c.from, c.to)
		if a.Overlaps(b) != c.want || b.Overlaps(a) != c.want {
			t.Errorf("%d to %d: %v", c.from, c.to, !c.want)
		}
		b.Status = AppointmentCancelled
		if a.Overlaps(b) || b.Overlaps(a) {
			t.Errorf("%d to %d overlaps though it is cancelled", c.from, c.to)
		}
	}
}
