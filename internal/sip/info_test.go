package sip

import (
	"testing"
	"time"
)

func TestParseDTMFInfo(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		kind, body string
		key        rune
		length     time.Duration
	}{
		{"application/dtmf-relay", "Signal=5\r\nDuration=160", '5', 160 * time.Millisecond},
		{"application/dtmf-relay", "Signal= *\r\nDuration= 250\r\n", '*', 250 * time.Millisecond},
		{"application/dtmf-relay", "signal=#", '#', defaultKey},
		{"application/dtmf-relay", "Signal=11\nDuration=1", '#', minKey},
		{"application/dtmf-relay", "Signal=12\r\nDuration=999999999", 'A', maxKey},
		{"application/dtmf-relay", "Duration=100\r\nSignal=d", 'D', 100 * time.Millisecond},
		{"Application/DTMF-Relay; charset=x", "Signal=1\r\nDuration=x", '1', defaultKey},
		{"", "Signal=7\r\nDuration=90\r\n", '7', 90 * time.Millisecond},
		{"", "9", '9', defaultKey},
		{"application/dtmf", " 0\r\n", '0', defaultKey},
		{"application/dtmf", "10", '*', defaultKey},
		{"application/dtmf-relay", "Signal=E", 0, 0},
		{"application/dtmf-relay", "Signal=55", 0, 0},
		{"application/dtmf-relay", "Signal=", 0, 0},
		{"application/dtmf-relay", "", 0, 0},
		{"application/sdp", "5", 0, 0},
		{"application/media_control+xml", "<x a=1/>", 0, 0},
	} {
		key, length, ok := ParseDTMFInfo(c.kind, []byte(c.body))
		if key != c.key || ok != (c.key != 0) || ok && length != c.length {
			t.Errorf("%q %q: %q %v %v, want %q %v", c.kind, c.body, key, length, ok, c.key, c.length)
		}
	}
}

// FuzzDTMFInfo: whatever comes, the key is one of the sixteen.
func FuzzDTMFInfo(f *testing.F) {
	f.Add("application/dtmf-relay", []byte("Signal=5\r\nDuration=160"))
	f.Add("", []byte("*"))
	f.Add("application/dtmf", []byte{0xff, '=', '\n'})
	f.Fuzz(func(t *testing.T, kind string, body []byte) {
		key, length, ok := ParseDTMFInfo(kind, body)
		if !ok {
			return
		}
		known := key >= '0' && key <= '9' || key == '*' || key == '#' || key >= 'A' && key <= 'D'
		if !known || length < minKey || length > maxKey {
			t.Errorf("%q %q: %q for %v", kind, body, key, length)
		}
	})
}
