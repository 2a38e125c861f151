package sip

import (
	"strconv"
	"strings"
)

// one are the header fields that a message has at most once (RFC 3261 section
// 7.3.1 and the table of section 20).
var one = map[string]bool{
	"call-id": true, "cseq": true, "from": true, "to": true, "max-forwards": true, "content-length": true,
	"content-type": true, "expires": true, "refer-to": true, "referred-by": true, "session-expires": true, "min-se": true,
}

// lists are the header fields whose comma-separated values are taken apart.
var lists = map[string]bool{"via": true, "contact": true, "route": true, "record-route": true}

// check finds out whether a message is well-formed, and rewrites it so that
// there is one way left to read it: fields of the length that they say, lists
// taken apart, addresses in brackets, numbers without leading zeros. A stream's
// message must say how long it is.
func (m *text) check(stream bool) *fault {
	f := m.checkStart()
	if f != nil {
		return f
	}
	seen := map[string]bool{}
	out := make([]field, 0, len(m.fields))
	for _, h := range m.fields {
		if one[h.name] && seen[h.name] {
			return bad("More Than One " + h.name)
		}
		seen[h.name] = true
		values := []string{h.value}
		if lists[h.name] {
			var ok bool
			if values, ok = split(h.value, ','); !ok {
				return bad("Malformed " + h.name)
			}
		}
		for _, v := range values {
			v, ok := m.rewrite(h.name, v)
			if !ok {
				return bad("Malformed " + h.name)
			}
			out = append(out, field{h.name, v})
		}
	}
	m.fields = out
	for _, name := range []string{"via", "from", "to", "call-id", "cseq"} {
		if !seen[name] {
			return bad("Missing " + name)
		}
	}
	return m.checkBody(stream)
}

// checkStart checks the request line or status line (RFC 3261 sections 7.1 and
// 7.2). Exactly one blank separates their parts.
func (m *text) checkStart() *fault {
	parts := strings.SplitN(m.start, " ", 3)
	if m.isResponse() {
		if len(parts) == 2 {
			parts = append(parts, "") // a lenient reading of "SIP/2.0 100"
		}
		if len(parts) != 3 || !strings.EqualFold(parts[0], "SIP/2.0") || len(parts[1]) != 3 || !digits(parts[1]) || parts[1][0] < '1' || parts[1][0] > '6' {
			return bad("Malformed Status Line")
		}
		m.start = "SIP/2.0 " + parts[1] + " " + parts[2]
		return nil
	}
	if len(parts) != 3 || tokenLen(parts[0]) != len(parts[0]) || parts[0] == "" {
		return bad("Malformed Request Line")
	}
	version := strings.ToUpper(parts[2])
	number, isSIP := strings.CutPrefix(version, "SIP/")
	major, minor, dotted := strings.Cut(number, ".")
	if !isSIP || !dotted || !digits(major) || !digits(minor) {
		return bad("Malformed Request Line")
	}
	if version != "SIP/2.0" {
		return &fault{505, "Version Not Supported"}
	}
	uri := parts[1]
	if !addrSpec(uri) {
		return bad("Malformed Request-URI")
	}
	// Header fields in a Request-URI have no meaning; honoring them would let the
	// caller write our headers (RFC 3261 section 19.1.1).
	scheme, rest, _ := strings.Cut(strings.ToLower(uri), ":")
	switch scheme {
	case "sip", "sips":
		user, host, has := strings.Cut(rest, "@")
		if !has {
			host = user
		}
		if strings.ContainsAny(host, "?@") {
			return bad("Headers In Request-URI")
		}
	case "tel":
	default:
		return &fault{416, "Unsupported URI Scheme"}
	}
	m.start = parts[0] + " " + uri + " SIP/2.0"
	return nil
}

// rewrite returns the canonical form of one value of a header field.
func (m *text) rewrite(name, v string) (string, bool) {
	switch name {
	case "via":
		return via(v)
	case "contact":
		if v == "*" {
			return v, true
		}
		return nameAddr(v)
	case "from", "to", "route", "record-route", "refer-to", "referred-by":
		return nameAddr(v)
	case "cseq":
		return m.rewriteCSeq(v)
	case "call-id":
		return v, v != "" && !strings.ContainsAny(v, " \t\x00")
	case "content-type":
		return v, v != ""
	case "max-forwards":
		return number32(v, 255)
	case "content-length":
		return number32(v, 1<<32-1)
	case "expires":
		// One that is no number is as good as none (RFC 3261 section 20.19).
		if digits(v) {
			return number32(v, 1<<32-1)
		}
	}
	return v, true
}

// rewriteCSeq reads "number method" (RFC 3261 section 20.16).
func (m *text) rewriteCSeq(v string) (string, bool) {
	count, method, _ := strings.Cut(strings.ReplaceAll(v, "\t", " "), " ")
	method = trimLWS(method)
	count, ok := number32(count, 1<<31-1)
	return count + " " + method, ok && method != "" && tokenLen(method) == len(method)
}

func digits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}

// number32 rewrites a number of decimal digits, without leading zeros.
func number32(s string, most uint64) (string, bool) {
	if !digits(s) {
		return "", false
	}
	n, err := strconv.ParseUint(s, 10, 64)
	return strconv.FormatUint(n, 10), err == nil && n <= most
}

// checkBody cuts what follows the header to the length that the header says
// (RFC 3261 section 18.3). What a datagram has beyond it is ignored.
func (m *text) checkBody(stream bool) *fault {
	v, ok := m.get("content-length")
	if !ok {
		if stream {
			return bad("Missing content-length")
		}
		return nil
	}
	n, err := strconv.Atoi(v)
	if err != nil || n > len(m.rest) {
		return bad("Body Shorter Than Its Length")
	}
	m.rest = m.rest[:n]
	return nil
}
