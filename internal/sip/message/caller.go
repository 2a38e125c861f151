package message

import (
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"
)

// PlainName is a display name as people read it: without the escapes of a
// quoted string and without what cannot be shown. One that is not UTF-8 is none.
func PlainName(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+1 < len(s) {
			i++
		}
		b.WriteByte(s[i])
	}
	name := b.String()
	if !utf8.ValidString(name) {
		return ""
	}
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) {
			return -1
		}
		return r
	}, name))
}

// Unescaped resolves the escapes of a URI's user part, %2B1555 to +1555
// (RFC 3261 section 19.1.4). One that would hide what cannot be shown, such as
// %00, stays as it was written.
func Unescaped(user string) string {
	plain, err := url.PathUnescape(user)
	if err != nil || !utf8.ValidString(plain) || strings.ContainsFunc(plain, unicode.IsControl) {
		return user
	}
	return plain
}
