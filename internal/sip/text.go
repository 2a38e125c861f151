package sip

import (
	"bytes"
	"strings"
)

// maxMessage bounds a message: a datagram can be no longer, and a connection's
// must not be.
const maxMessage = 64 << 10

// maxFields bounds the header fields of a message.
const maxFields = 256

// field is one header field, unfolded. The name is the long one in lower case.
type field struct{ name, value string }

// text is a message cut into its parts. Nothing in it was checked yet.
type text struct {
	start  string
	fields []field
	rest   []byte // all that follows the header
}

// fault is why a request is refused.
type fault struct {
	status int
	reason string
}

func bad(reason string) *fault { return &fault{400, reason} }

// compact are the short names of header fields (RFC 3261 section 7.3.3 and the
// IANA registry).
var compact = map[string]string{
	"a": "accept-contact", "b": "referred-by", "c": "content-type", "d": "request-disposition", "e": "content-encoding",
	"f": "from", "i": "call-id", "j": "reject-contact", "k": "supported", "l": "content-length", "m": "contact",
	"o": "event", "r": "refer-to", "s": "subject", "t": "to", "u": "allow-events", "v": "via", "x": "session-expires", "y": "identity",
}

// readText cuts a message into its parts (RFC 3261 section 7). On a fault, the
// fields are those that could be read.
func readText(data []byte) (text, *fault) {
	data = bytes.TrimLeft(data, "\r\n")
	head, rest, whole := bytes.Cut(data, []byte("\r\n\r\n"))
	lines := strings.Split(string(head), "\r\n")
	m := text{start: lines[0], rest: rest}
	var wrong *fault
	if !whole {
		wrong = bad("Header Does Not End")
	}
	for _, line := range lines[1:] {
		if line == "" { // the message broke off behind it
			continue
		}
		if strings.ContainsAny(line, "\r\n") {
			wrong = bad("Line Does Not End In CRLF")
			continue
		}
		if isLWS(line[0]) && len(m.fields) > 0 { // folded
			last := &m.fields[len(m.fields)-1]
			last.value = trimLWS(last.value + " " + trimLWS(line))
			continue
		}
		name, value, ok := strings.Cut(line, ":")
		name = strings.TrimRight(name, " \t")
		// Only blanks may stand between name and colon: whoever reads more into a
		// name sees another header than the proxies in front did.
		if !ok || name == "" || tokenLen(name) != len(name) {
			wrong = bad("Malformed Header Name")
			continue
		}
		if len(m.fields) == maxFields {
			return m, bad("Too Many Headers")
		}
		name = strings.ToLower(name)
		if long := compact[name]; long != "" {
			name = long
		}
		m.fields = append(m.fields, field{name, trimLWS(value)})
	}
	return m, wrong
}

func isLWS(c byte) bool { return c == ' ' || c == '\t' }

func trimLWS(s string) string { return strings.Trim(s, " \t") }

// get returns the first field of that name.
func (m *text) get(name string) (string, bool) {
	for _, f := range m.fields {
		if f.name == name {
			return f.value, true
		}
	}
	return "", false
}

// isResponse reports whether the start line is that of a response.
func (m *text) isResponse() bool {
	return len(m.start) > 4 && strings.EqualFold(m.start[:4], "SIP/")
}

// method returns the method of a request as it was written.
func (m *text) method() string {
	method, _, _ := strings.Cut(m.start, " ")
	return method
}

// bytes writes the message again.
func (m *text) bytes() []byte {
	var b bytes.Buffer
	b.WriteString(m.start)
	b.WriteString("\r\n")
	for _, f := range m.fields {
		b.WriteString(f.name)
		b.WriteString(": ")
		b.WriteString(f.value)
		b.WriteString("\r\n")
	}
	b.WriteString("\r\n")
	b.Write(m.rest)
	return b.Bytes()
}
