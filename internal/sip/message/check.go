// Package message reads the text of SIP messages strictly (RFC 3261 section 7):
// it cuts them off a stream, apart into header fields, and refuses what could be
// read in two ways.
package message

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

// Check finds out whether a message is well-formed, and rewrites it so that
// there is one way left to read it: fields of the length that they say, lists
// taken apart, addresses in brackets, numbers without leading zeros. A stream's
// message must say how long it is.
func (m *Text) Check(stream bool) *Fault {
	f := m.checkStart()
	if f != nil {
		return f
	}
	seen := map[string]bool{}
	out := make([]Field, 0, len(m.Fields))
	for _, h := range m.Fields {
		if one[h.Name] && seen[h.Name] {
			return bad("More Than One " + h.Name)
		}
		seen[h.Name] = true
		values := []string{h.Value}
		if lists[h.Name] {
			var ok bool
			if values, ok = split(h.Value, ','); !ok {
				return bad("Malformed " + h.Name)
			}
		}
		for _, v := range values {
			v, ok := m.rewrite(h.Name, v)
			if !ok {
				return bad("Malformed " + h.Name)
			}
			out = append(out, Field{h.Name, v})
		}
	}
	m.Fields = out
	for _, name := range []string{"via", "from", "to", "call-id", "cseq"} {
		if !seen[name] {
			return bad("Missing " + name)
		}
	}
	return m.checkBody(stream)
}

// checkStart checks the request line or status line (RFC 3261 sections 7.1 and
// 7.2). Exactly one blank separates their parts.
func (m *Text) checkStart() *Fault {
	parts := strings.SplitN(m.Start, " ", 3)
	if m.IsResponse() {
		if len(parts) == 2 {
			parts = append(parts, "") // a lenient reading of "SIP/2.0 100"
		}
		if len(parts) != 3 || !strings.EqualFold(parts[0], "SIP/2.0") || len(parts[1]) != 3 || !digits(parts[1]) || parts[1][0] < '1' || parts[1][0] > '6' {
			return bad("Malformed Status Line")
		}
		m.Start = "SIP/2.0 " + parts[1] + " " + parts[2]
		return nil
	}
	if len(parts) != 3 || TokenLen(parts[0]) != len(parts[0]) || parts[0] == "" {
		return bad("Malformed Request Line")
	}
	version := strings.ToUpper(parts[2])
	number, isSIP := strings.CutPrefix(version, "SIP/")
	major, minor, dotted := strings.Cut(number, ".")
	if !isSIP || !dotted || !digits(major) || !digits(minor) {
		return bad("Malformed Request Line")
	}
	if version != "SIP/2.0" {
		return &Fault{505, "Version Not Supported"}
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
		return &Fault{416, "Unsupported URI Scheme"}
	}
	m.Start = parts[0] + " " + uri + " SIP/2.0"
	return nil
}

// rewrite returns the canonical form of one value of a header field.
func (m *Text) rewrite(name, v string) (string, bool) {
	switch name {
	case "via":
		return Via(v)
	case "contact":
		if v == "*" {
			return v, true
		}
		return NameAddr(v)
	case "from", "to", "route", "record-route", "refer-to", "referred-by":
		return NameAddr(v)
	case "cseq":
		return m.rewriteCSeq(v)
	case "call-id":
		return v, v != "" && !strings.Contains(v, "\x00")
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
func (m *Text) rewriteCSeq(v string) (string, bool) {
	count, method, _ := strings.Cut(strings.ReplaceAll(v, "\t", " "), " ")
	method = trimLWS(method)
	count, ok := number32(count, 1<<31-1)
	return count + " " + method, ok && method != "" && TokenLen(method) == len(method)
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
func (m *Text) checkBody(stream bool) *Fault {
	v, ok := m.Get("content-length")
	if !ok {
		if stream {
			return bad("Missing content-length")
		}
		return nil
	}
	n, err := strconv.Atoi(v)
	if err != nil || n > len(m.Rest) {
		return bad("Body Shorter Than Its Length")
	}
	m.Rest = m.Rest[:n]
	return nil
}

// Vias returns the Via values of a message, those that can be read rewritten
// and of the others only the first.
func (m *Text) Vias() []string {
	var out []string
	for _, h := range m.Fields {
		if h.Name != "via" {
			continue
		}
		values, _ := split(h.Value, ',')
		for _, v := range values {
			if canonical, ok := Via(v); ok {
				out = append(out, canonical)
			} else if len(out) == 0 {
				out = append(out, v)
			}
		}
	}
	return out
}
