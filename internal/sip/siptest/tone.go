package siptest

import (
	"math"
	"os"
	"path/filepath"
	"testing"
)

// writeTone writes a second of a sine wave as raw G.711 mu-law, which is what
// sipp streams as payload type 0, and returns the file's name. The second holds
// whole periods for whole hertz, so that looping it does not click.
func writeTone(t testing.TB, dir string, hertz float64) string {
	t.Helper()
	if hertz == 0 {
		hertz = 440
	}
	const rate, loud = 8000, 12000
	data := make([]byte, rate)
	for i := range data {
		data[i] = muLaw(int(loud * math.Sin(2*math.Pi*hertz*float64(i)/rate)))
	}
	name := filepath.Join(dir, "tone.ul")
	if err := os.WriteFile(name, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// muLaw encodes one 16-bit sample (ITU-T G.711).
func muLaw(s int) byte {
	const bias, clip = 0x84, 32635
	sign := 0
	if s < 0 {
		s, sign = -s, 0x80
	}
	s = min(s, clip) + bias
	exponent := 7
	for mask := 0x4000; exponent > 0 && s&mask == 0; mask >>= 1 {
		exponent--
	}
	return ^byte(sign | exponent<<4 | s>>(exponent+3)&0x0f)
}
