//go:build linux

package rig

import (
	"bufio"
	"bytes"
	"fmt"
	"net/netip"
	"net/textproto"
	"strings"
)

// Request is a SIP request, read without any code of the server's.
type Request struct {
	Method, User string // User is that of the request's URI
	Head         textproto.MIMEHeader
	Body         []byte
}

// ParseRequest reads a datagram; false tells that it is no request.
func ParseRequest(raw []byte) (Request, bool) {
	head, body, found := bytes.Cut(raw, []byte("\r\n\r\n"))
	line, rest, _ := bytes.Cut(head, []byte("\r\n"))
	words := strings.Fields(string(line))
	if !found || len(words) != 3 || words[2] != "SIP/2.0" {
		return Request{}, false
	}
	r := textproto.NewReader(bufio.NewReader(bytes.NewReader(append(bytes.Clone(rest), "\r\n\r\n"...))))
	headers, err := r.ReadMIMEHeader()
	if err != nil {
		return Request{}, false
	}
	user, _, _ := strings.Cut(strings.TrimPrefix(words[1], "sip:"), "@")
	return Request{Method: words[0], User: user, Head: headers, Body: body}, true
}

// Answer makes a response with a body or none (RFC 3261 §8.2.6). tag is that of
// the dialog; contact is where its requests go.
func (r Request) Answer(status, tag string, contact netip.AddrPort, body []byte) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "SIP/2.0 %s\r\n", status)
	for _, name := range []string{"Via", "Record-Route", "From", "To", "Call-Id", "Cseq"} {
		for _, value := range r.Head[name] {
			if name == "To" && !strings.Contains(value, ";tag=") {
				value += ";tag=" + tag
			}
			fmt.Fprintf(&b, "%s: %s\r\n", name, value)
		}
	}
	fmt.Fprintf(&b, "Contact: <sip:bench@%s>\r\n", contact)
	if len(body) > 0 {
		b.WriteString("Content-Type: application/sdp\r\n")
	}
	fmt.Fprintf(&b, "Content-Length: %d\r\n\r\n", len(body))
	b.Write(body)
	return b.Bytes()
}
