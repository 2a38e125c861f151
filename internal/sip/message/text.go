package message

import (
	"bytes"
	"strings"
)

// MaxLen bounds a message: a datagram can be no longer, and a connection's
// must not be.
const MaxLen = 64 << 10

// maxFields bounds the header fields of a message.
const maxFields = 256

// Field is one header field, unfolded. The name is the long one in lower case.
type Field struct{ Name, Value string }

// Text is a message cut into its parts. Nothing in it was checked yet.
type Text struct {
	Start  string
	Fields []Field
	Rest   []byte // all that follows the header
}

// Fault is why a request is refused.
type Fault struct {
	Status int
	Reason string
}

func bad(reason string) *Fault { return &Fault{400, reason} }

// compact are the short names of header fields (RFC 3261 section 7.3.3 and the
// IANA registry).
var compact = map[string]string{
	"a": "accept-contact", "b": "referred-by", "c": "content-type", "d": "request-disposition", "e": "content-encoding",
	"f": "from", "i": "call-id", "j": "reject-contact", "k": "supported", "l": "content-length", "m": "contact",
	"o": "event", "r": "refer-to", "s": "subject", "t": "to", "u": "allow-events", "v": "via", "x": "session-expires", "y": "identity",
}

// Read cuts a message into its parts (RFC 3261 section 7). On a fault, the
// fields are those that could be read.
func Read(data []byte) (Text, *Fault) {
	data = bytes.TrimLeft(data, "\r\n")
	head, rest, whole := bytes.Cut(data, []byte("\r\n\r\n"))
	lines := strings.Split(string(head), "\r\n")
	m := Text{Start: lines[0], Rest: rest}
	var wrong *Fault
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
		if isLWS(line[0]) && len(m.Fields) > 0 { // folded
			last := &m.Fields[len(m.Fields)-1]
			last.Value = trimLWS(last.Value + " " + trimLWS(line))
			continue
		}
		name, value, ok := strings.Cut(line, ":")
		name = strings.TrimRight(name, " \t")
		// Only blanks may stand between name and colon: whoever reads more into a
		// name sees another header than the proxies in front did.
		if !ok || name == "" || TokenLen(name) != len(name) {
			wrong = bad("Malformed Header Name")
			continue
		}
		if len(m.Fields) == maxFields {
			return m, bad("Too Many Headers")
		}
		name = strings.ToLower(name)
		if long := compact[name]; long != "" {
			name = long
		}
		m.Fields = append(m.Fields, Field{name, trimLWS(value)})
	}
	return m, wrong
}

func isLWS(c byte) bool { return c == ' ' || c == '\t' }

func trimLWS(s string) string { return strings.Trim(s, " \t") }

// Get returns the first field of that name.
func (m *Text) Get(name string) (string, bool) {
	for _, f := range m.Fields {
		if f.Name == name {
			return f.Value, true
		}
	}
	return "", false
}

// IsResponse reports whether the start line is that of a response.
func (m *Text) IsResponse() bool {
	return len(m.Start) > 4 && strings.EqualFold(m.Start[:4], "SIP/")
}

// Method returns the method of a request as it was written.
func (m *Text) Method() string {
	method, _, _ := strings.Cut(m.Start, " ")
	return method
}

// Bytes writes the message again.
func (m *Text) Bytes() []byte {
	var b bytes.Buffer
	b.WriteString(m.Start)
	b.WriteString("\r\n")
	for _, f := range m.Fields {
		b.WriteString(f.Name)
		b.WriteString(": ")
		b.WriteString(f.Value)
		b.WriteString("\r\n")
	}
	b.WriteString("\r\n")
	b.Write(m.Rest)
	return b.Bytes()
}
