package phone_test

import (
	"testing"

	"github.com/callwright/callwright/internal/phone"
)

func TestDials(t *testing.T) {
	for _, c := range []struct {
		dialed, own string
		want        bool
	}{
		{"+12025550123", "+12025550123", true},
		{"12025550123", "+12025550123", true},
		{"2025550123", "+12025550123", true},
		{"0012025550123", "+12025550123", true},
		{"01112025550123", "+12025550123", true},
		{"+1 (202) 555-0123", "+12025550123", true},
		{"5550123", "+12025550123", false},
		{"+2025550123", "+12025550123", false}, // Egypt
		{"020 7946 0018", "+442079460018", true},
		{"2079460018", "+442079460018", true},
		{"442079460018", "+442079460018", true},
		{"00442079460018", "+442079460018", true},
		{"22000001", "+4722000001", true},
		{"4722000001", "+4722000001", true},
		{"0612345678", "+390612345678", true}, // Italy's numbers keep their zero
		{"612345678", "+390612345678", false},
		{"", "+4722000001", false},
		{"support", "+4722000001", false},
		{"4722000001;x=1", "+4722000001", false},
		{"4722000001", "4722000001", false},
	} {
		if got := phone.Dials(c.dialed, c.own); got != c.want {
			t.Errorf("Dials(%q, %q) = %t", c.dialed, c.own, got)
		}
	}
}

func TestNormalize(t *testing.T) {
	for _, c := range []struct{ raw, near, want string }{
		{"+12025550123", "+4722000001", "+12025550123"}, // as written, also when no plan knows it
		{"+1 202 555-0123", "", "+12025550123"},
		{"+", "", ""},
		{"+0123456789", "", ""},
		{"004722225555", "+12125551234", "+4722225555"},
		{"22225555", "+4722000001", "+4722225555"},
		{"4722225555", "+4722000001", "+4722225555"},
		{"02079460958", "+442079460018", "+442079460958"},
		{"2125550100", "+12125551234", "+12125550100"},
		{"12125550100", "+12125551234", "+12125550100"},
		{"100", "+12125551234", ""},
		{"anonymous", "+12125551234", ""},
		{"", "", ""},
		{"2125550100", "", ""}, // Morocco's +212 555 0100 would be too short
	} {
		if got := phone.Normalize(c.raw, c.near); got != c.want {
			t.Errorf("Normalize(%q, near %q) = %q, want %q", c.raw, c.near, got, c.want)
		}
	}
}

func FuzzNormalize(f *testing.F) {
	for _, seed := range []string{"+12025550123", "00", "0047 22", "\x00", "+٣", "(((", "12125550100"} {
		f.Add(seed, "+12125551234")
	}
	f.Fuzz(func(t *testing.T, raw, near string) {
		if got := phone.Normalize(raw, near); got != "" && phone.Valid(got) != nil {
			t.Errorf("Normalize(%q, %q) = %q, which is not E.164", raw, near, got)
		}
		if phone.Dials(raw, near) && phone.Valid(near) != nil {
			t.Errorf("Dials(%q, %q) of what is no number", raw, near)
		}
	})
}
