package sip

import (
	"strconv"
	"strings"
	"time"
)

// Bounds of a key's length that is believed; Q.24 asks for 40 ms at least.
const (
	minKey     = 40 * time.Millisecond
	maxKey     = 10 * time.Second
	defaultKey = 160 * time.Millisecond
)

// ParseDTMFInfo reads the key of an INFO request: "Signal=5\r\nDuration=160"
// (application/dtmf-relay, in milliseconds) or "5" (application/dtmf). Many
// senders leave the Content-Type out or wrong, so the body decides when
// contentType is "" or says nothing of keys. key is one of 0–9 * # A–D; ok is
// false when the body names none.
func ParseDTMFInfo(contentType string, body []byte) (key rune, duration time.Duration, ok bool) {
	kind, _, _ := strings.Cut(strings.ToLower(contentType), ";")
	switch strings.TrimSpace(kind) {
	case "", "application/dtmf-relay", "application/dtmf", "text/plain", "application/octet-stream":
	default:
		return 0, 0, false
	}
	if len(body) > 256 {
		return 0, 0, false
	}
	duration = defaultKey
	text := strings.TrimSpace(string(body))
	if !strings.Contains(text, "=") {
		key, ok = dtmfKey(text)
		return key, duration, ok
	}
	for _, line := range strings.FieldsFunc(text, func(r rune) bool { return r == '\r' || r == '\n' }) {
		name, value, _ := strings.Cut(line, "=")
		value = strings.TrimSpace(value)
		switch strings.ToLower(strings.TrimSpace(name)) {
		case "signal", "d":
			key, ok = dtmfKey(value)
		case "duration":
			if ms, err := strconv.Atoi(value); err == nil {
				duration = min(max(time.Duration(ms)*time.Millisecond, minKey), maxKey)
			}
		}
	}
	return key, duration, ok
}

// dtmfKey reads one key. Some senders number the keys as the events of RFC
// 4733 section 3.2 do: 10 is the star, 11 the hash, 12 to 15 are A to D.
func dtmfKey(s string) (rune, bool) {
	s = strings.ToUpper(strings.Trim(s, `"' `))
	if n, err := strconv.Atoi(s); err == nil && len(s) == 2 && n >= 10 && n <= 15 {
		return rune("*#ABCD"[n-10]), true
	}
	if len(s) != 1 || !strings.Contains("0123456789*#ABCD", s) {
		return 0, false
	}
	return rune(s[0]), true
}
