package messaging_test

import (
	"strings"
	"testing"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/service/messaging"
)

func TestMeasure(t *testing.T) {
	const gsm, ucs = domain.EncodingGSM7, domain.EncodingUCS2
	for _, c := range []struct {
		text     string
		encoding domain.MessageEncoding
		parts    int
	}{
		{"", gsm, 1},
		{"Hello, your appointment is at 5 pm.", gsm, 1},
		{strings.Repeat("a", 160), gsm, 1},
		{strings.Repeat("a", 161), gsm, 2},
		{strings.Repeat("a", 306), gsm, 2},
		{strings.Repeat("a", 307), gsm, 3},
		{strings.Repeat("a", 1600), gsm, 11},
		{"£€ÄÖñà@Δ\n{}", gsm, 1},
		{strings.Repeat("€", 80), gsm, 1},
		{strings.Repeat("€", 81), gsm, 2},
		// The 77th does not fit into the last septet of the first part.
		{strings.Repeat("€", 153), gsm, 3},
		{strings.Repeat("a", 152) + "€" + strings.Repeat("a", 151), gsm, 2},
		{strings.Repeat("a", 152) + "€" + strings.Repeat("a", 152), gsm, 3},
		{"ç", ucs, 1}, // only its capital is in the alphabet
		{"`", ucs, 1},
		{strings.Repeat("я", 70), ucs, 1},
		{strings.Repeat("я", 71), ucs, 2},
		{strings.Repeat("я", 134), ucs, 2},
		{strings.Repeat("я", 135), ucs, 3},
		{strings.Repeat("🙂", 35), ucs, 1},
		{strings.Repeat("🙂", 36), ucs, 2},
		{strings.Repeat("🙂", 66), ucs, 2}, // 33 in a part: half a character does not go
		{strings.Repeat("🙂", 67), ucs, 3},
		{strings.Repeat("a", 69) + "я", ucs, 1},
		{"\xff", ucs, 1},
	} {
		if encoding, parts := messaging.Measure(c.text); encoding != c.encoding || parts != c.parts {
			t.Errorf("%.20q of %d bytes: %s in %d, want %s in %d", c.text, len(c.text), encoding, parts, c.encoding, c.parts)
		}
	}
}

func FuzzMeasure(f *testing.F) {
	for _, seed := range []string{"", "a", "€", "🙂я", "\xff\x00"} {
		f.Add(seed, 3)
	}
	f.Fuzz(func(t *testing.T, text string, times int) {
		text = strings.Repeat(text, min(max(times, 0), 300))
		encoding, parts := messaging.Measure(text)
		_, more := messaging.Measure(text + "a")
		if parts < 1 || more < parts || more > parts+1 || encoding != domain.EncodingGSM7 && encoding != domain.EncodingUCS2 {
			t.Errorf("%q: %s in %d, one more letter makes %d", text, encoding, parts, more)
		}
	})
}
