package phone_test

import (
	"strings"
	"testing"

	"github.com/callwright/callwright/internal/phone"
)

func TestValid(t *testing.T) {
	for _, number := range []string{"+15551234567", "+15005550106", "+4915112345678", "+8811234", "+123456789012345"} {
		if err := phone.Valid(number); err != nil {
			t.Errorf("%s: %v", number, err)
		}
	}
	for _, number := range []string{"", "+", "15551234567", "+05551234567", "+1 555 1234567", "+1234567890123456",
		"+1555123456a", "+15551234567\n", "0015551234567", "+١٥٥٥١٢٣٤٥٦٧", "tel:+15551234567", "+1-555-123-4567"} {
		if err := phone.Valid(number); err == nil {
			t.Errorf("%q passed", number)
		} else if !strings.Contains(err.Error(), "E.164") {
			t.Errorf("%q: %v does not say what to send", number, err)
		}
	}
}

func TestParse(t *testing.T) {
	for _, c := range []struct {
		number string
		region string
		class  phone.Class
		known  bool
		risky  bool
	}{
		{"+14155552671", "US", phone.Either, true, false},
		{"+15551234567", "", phone.Unknown, false, false},
		{"+18005551234", "US", phone.TollFree, true, false},
		{"+19002345678", "US", phone.Premium, true, true},
		{"+4915112345678", "DE", phone.Mobile, true, false},
		{"+493012345678", "DE", phone.Landline, true, false},
		{"+491805123456", "DE", phone.SharedCost, true, true},
		{"+449012345678", "GB", phone.Premium, true, true},
		{"+447012345678", "GB", phone.Personal, true, true},
		{"+18765551234", "JM", phone.Mobile, true, false},
		{"+870773111632", "", phone.Satellite, true, true},
		{"+881612345678", "", phone.Satellite, true, true},
		{"+2101234567", "", phone.Unknown, false, false},
	} {
		n, err := phone.Parse(c.number)
		if err != nil {
			t.Errorf("%s: %v", c.number, err)
			continue
		}
		if n.E164 != c.number || n.Region != c.region || n.Class != c.class || n.Known != c.known || n.Class.Risky() != c.risky {
			t.Errorf("%s: %+v, risky %v", c.number, n, n.Class.Risky())
		}
	}
	if _, err := phone.Parse("5551234567"); err == nil {
		t.Error("a national number passed")
	}
}
