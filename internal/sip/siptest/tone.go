package siptest

import (
	"math"
	"os"
	"path/filepath"
	"testing"
)

// writeTone writes a second of a sine wave as raw G.711, which is what sipp
// streams as payload types 0 (mu-law) and 8 (A-law), and returns the file's
// name. The second holds whole periods for whole hertz, so that looping it does
// not click.
func writeTone(t testing.TB, dir string, hertz float64, aLaw bool) string {
	t.Helper()
	if hertz == 0 {
		hertz = 440
	}
	const rate, loud = 8000, 12000
	data := make([]byte, rate)
	for i := range data {
		sample := int(loud * math.Sin(2*math.Pi*hertz*float64(i)/rate))
		if data[i] = muLaw(sample); aLaw {
			data[i] = aLawByte(sample)
		}
	}
	name := filepath.Join(dir, "tone.g711")
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

// aLawByte encodes one 16-bit sample (ITU-T G.711).
func aLawByte(s int) byte {
	sign := 0x80
	if s < 0 {
		s, sign = -s-1, 0
	}
	s = min(s, 32767) >> 4
	exponent := 0
	for s >= 32 {
		s >>= 1
		exponent++
	}
	if s >= 16 {
		s, exponent = s-16, exponent+1
	}
	return byte(sign|exponent<<4|s) ^ 0x55
}
