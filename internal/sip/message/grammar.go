package message

import (
	"strings"
)

// span walks over a header value byte by byte and says of each whether it
// stands in quotes or in angle brackets. It reports false when one of them is
// not closed.
func span(s string, f func(i int, quoted, bracketed bool)) bool {
	quoted, bracketed := false, false
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case quoted && c == '\\' && i+1 < len(s):
			f(i, true, bracketed)
			i++
		case quoted && c == '"':
			f(i, true, bracketed)
			quoted = false
			continue
		case quoted:
		case c == '"' && !bracketed:
			quoted = true
		case c == '<':
			bracketed = true
		case c == '>' && bracketed:
			f(i, false, true)
			bracketed = false
			continue
		}
		f(i, quoted, bracketed)
	}
	return !quoted && !bracketed
}

// split cuts a header value at every sep that stands outside of quotes and
// angle brackets. Blanks around the parts are gone.
func split(s string, sep byte) ([]string, bool) {
	var parts []string
	from := 0
	ok := span(s, func(i int, quoted, bracketed bool) {
		if s[i] == sep && !quoted && !bracketed {
			parts = append(parts, trimLWS(s[from:i]))
			from = i + 1
		}
	})
	return append(parts, trimLWS(s[from:])), ok
}

// cutAt is split in two, at the first sep.
func cutAt(s string, sep byte) (head, tail string, found, ok bool) {
	at := -1
	ok = span(s, func(i int, quoted, bracketed bool) {
		if at < 0 && s[i] == sep && !quoted && !bracketed {
			at = i
		}
	})
	if at < 0 {
		return s, "", false, ok
	}
	return s[:at], s[at+1:], true, ok
}

// params rewrites ";name=value" parameters without blanks around their signs
// (RFC 3261 section 25.1, generic-param). s begins behind the first semicolon.
func params(s string) (string, bool) {
	parts, ok := split(s, ';')
	if !ok {
		return "", false
	}
	var b strings.Builder
	for _, p := range parts {
		if p == "" { // "a=b;" and "a=b;;c" are wrong, but clear
			continue
		}
		name, value, _, _ := cutAt(p, '=')
		name, value = trimLWS(name), trimLWS(value)
		if TokenLen(name) != len(name) || name == "" || !paramValue(value) {
			return "", false
		}
		b.WriteByte(';')
		b.WriteString(name)
		if value != "" {
			b.WriteByte('=')
			b.WriteString(value)
		}
	}
	return b.String(), true
}

// paramValue reports whether v is a token, a host, a quoted string or nothing.
// Bytes that have no meaning in a header are let through in the first two.
func paramValue(v string) bool {
	if v != "" && v[0] == '"' {
		return quotedString(v)
	}
	return !strings.ContainsAny(v, " \t\"<>,\r\n\x00")
}

// quotedString reports whether v is one quoted string and nothing else.
func quotedString(v string) bool {
	if len(v) < 2 || v[0] != '"' {
		return false
	}
	for i := 1; i < len(v); i++ {
		switch v[i] {
		case '\\':
			i++
			if i < len(v) && v[i] >= 0x80 {
				return false
			}
		case '"':
			return i == len(v)-1
		case 0:
			return false
		}
	}
	return false
}

// NameAddr rewrites a name-addr or addr-spec with its parameters (RFC 3261
// section 25.1) so that it has no blanks but in its display name, which is
// quoted.
func NameAddr(s string) (string, bool) {
	display, rest, bracketed, ok := cutBracket(s)
	if !ok {
		return "", false
	}
	if !bracketed {
		uri, tail, has, _ := cutAt(s, ';')
		uri = trimLWS(uri)
		// Without brackets a comma or question mark could belong to either the URI
		// or the header (RFC 3261 section 20).
		if !addrSpec(uri) || strings.ContainsAny(uri, ",?") {
			return "", false
		}
		if !has {
			return "<" + plainParams(uri) + ">", true
		}
		p, ok := params(tail)
		return "<" + plainParams(uri) + ">" + p, ok
	}
	uri, tail, _ := strings.Cut(rest, ">")
	display, ok = displayName(display)
	if !ok || !addrSpec(uri) {
		return "", false
	}
	out := display + "<" + plainParams(uri) + ">"
	tail = trimLWS(tail)
	if tail == "" {
		return out, true
	}
	if tail[0] != ';' {
		return "", false
	}
	p, ok := params(tail[1:])
	return out + p, ok
}

// cutBracket cuts at the angle bracket that opens outside of quotes.
func cutBracket(s string) (head, tail string, found, ok bool) {
	at := -1
	ok = span(s, func(i int, quoted, _ bool) {
		if at < 0 && s[i] == '<' && !quoted {
			at = i
		}
	})
	if at < 0 {
		return s, "", false, ok
	}
	return s[:at], s[at+1:], true, ok
}

// displayName rewrites a display name as a quoted string, or as nothing. Names
// that should have been quoted are: they cannot be misread before a bracket.
func displayName(s string) (string, bool) {
	if s = trimLWS(s); s == "" {
		return "", true
	}
	if s[0] != '"' {
		if strings.ContainsAny(s, "\"\\\x00;") {
			return "", false
		}
		return Quoted(s) + " ", true
	}
	return s + " ", quotedString(s)
}

// addrSpec reports whether s is a URI: a scheme, a colon and something without
// blanks, quotes or brackets, which for SIP has a host.
func addrSpec(s string) bool {
	scheme, rest, ok := strings.Cut(s, ":")
	if !ok || rest == "" || !schemeName(scheme) || strings.ContainsAny(rest, " \t<>\"\r\n\x00") {
		return false
	}
	if !strings.EqualFold(scheme, "sip") && !strings.EqualFold(scheme, "sips") {
		return true
	}
	host := rest
	if _, after, ok := strings.Cut(rest, "@"); ok {
		host = after
	}
	if end := strings.IndexAny(host, ";?"); end >= 0 {
		host = host[:end]
	}
	return hostPort(host)
}

// plainParams gives a URI parameter without a value an empty one where header
// fields follow it, ";lr?x=y" becoming ";lr=?x=y", for it is misread otherwise.
func plainParams(uri string) string {
	host := max(0, strings.IndexByte(uri, '@'))
	ask := strings.IndexByte(uri[host:], '?')
	if ask < 0 {
		return uri
	}
	ask += host
	last := strings.LastIndexByte(uri[host:ask], ';')
	if last < 0 || strings.IndexByte(uri[host+last:ask], '=') >= 0 {
		return uri
	}
	return uri[:ask] + "=" + uri[ask:]
}

// hostPort reports whether s is a host with or without a port: a name, an IPv4
// address or an IPv6 one in brackets (RFC 3261 section 25.1). Three colons in a
// row are let through (RFC 5118 section 4.10).
func hostPort(s string) bool {
	host, port, found := strings.Cut(s, ":")
	chars := ".-_~%"
	if strings.HasPrefix(s, "[") {
		var closed bool
		if host, port, closed = strings.Cut(s[1:], "]"); !closed {
			return false
		}
		chars = ".:"
		if port, found = strings.CutPrefix(port, ":"); !found && port != "" {
			return false
		}
	}
	for i := range len(host) {
		if c := host[i]; c < 0x80 && !letter(c) && !digit(c) && strings.IndexByte(chars, c) < 0 {
			return false
		}
	}
	if !found {
		return host != ""
	}
	_, ok := number32(port, 65535)
	return host != "" && ok
}

// schemeName reports whether s is the scheme of a URI (RFC 3986 section 3.1).
func schemeName(s string) bool {
	for i := range len(s) {
		if c := s[i]; !letter(c) && (i == 0 || !digit(c) && strings.IndexByte("+-.", c) < 0) {
			return false
		}
	}
	return s != ""
}

// Via rewrites one Via value without blanks where none belong (RFC 3261
// section 20.42).
func Via(s string) (string, bool) {
	head, tail, has, ok := cutAt(s, ';')
	if !ok {
		return "", false
	}
	parts := strings.SplitN(head, "/", 3)
	if len(parts) != 3 {
		return "", false
	}
	transport, sentBy, found := strings.Cut(strings.ReplaceAll(trimLWS(parts[2]), "\t", " "), " ")
	sentBy = strings.ReplaceAll(sentBy, " ", "")
	name, version := trimLWS(parts[0]), trimLWS(parts[1])
	for _, token := range []string{name, version, transport} {
		if token == "" || TokenLen(token) != len(token) {
			return "", false
		}
	}
	if !found || !hostPort(sentBy) {
		return "", false
	}
	out := name + "/" + version + "/" + transport + " " + sentBy
	if !has {
		return out, true
	}
	p, ok := params(tail)
	return out + p, ok
}

// TokenLen is how many bytes at the front of s are of a token (RFC 3261
// section 25.1).
func TokenLen(s string) int {
	for i := range len(s) {
		if !TokenByte(s[i]) {
			return i
		}
	}
	return len(s)
}

// TokenByte reports whether c may be part of a token.
func TokenByte(c byte) bool {
	return letter(c) || digit(c) || strings.IndexByte("-.!%*_+`'~", c) >= 0
}

func letter(c byte) bool { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' }

func digit(c byte) bool { return c >= '0' && c <= '9' }

// Quoted makes a quoted-string of s (RFC 3261 section 25.1).
func Quoted(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}
