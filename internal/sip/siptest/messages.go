package siptest

import (
	"os"
	"strings"
	"time"
)

// Message is one SIP message that a peer sent or received.
type Message struct {
	At        time.Time // by the peer's clock
	Received  bool
	StartLine string
	Text      string // with its headers and body
}

// Is reports whether the message is a request of that method ("BYE") or a
// response of that status ("200").
func (m Message) Is(what string) bool {
	return strings.HasPrefix(m.StartLine, what+" ") || strings.HasPrefix(m.StartLine, "SIP/2.0 "+what+" ")
}

// Header returns the value of the first header of that name, or "".
func (m Message) Header(name string) string {
	for _, line := range strings.Split(m.Text, "\n") {
		head, value, ok := strings.Cut(line, ":")
		if ok && strings.EqualFold(strings.TrimSpace(head), name) {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// Messages returns what the peer sent and received so far, in order.
func (p *Peer) Messages() []Message {
	data, err := os.ReadFile(p.log)
	if err != nil {
		return nil // nothing was exchanged yet
	}
	var out []Message
	for _, part := range strings.Split(string(data), "----------------------------------------------- ")[1:] {
		stamp, rest, ok := strings.Cut(part, "\n")
		if !ok {
			continue
		}
		at, err := time.ParseInLocation("2006-01-02 15:04:05.999999", strings.TrimSpace(stamp), time.Local)
		if err != nil {
			continue // the line is being written
		}
		kind, text, ok := strings.Cut(rest, "\n")
		if !ok {
			continue
		}
		text = strings.TrimLeft(text, "\r\n")
		line, _, _ := strings.Cut(text, "\n")
		out = append(out, Message{
			At: at, Received: strings.Contains(kind, "received"),
			StartLine: strings.TrimSpace(line), Text: text,
		})
	}
	return out
}

// Received counts the messages that came in: of a method ("INVITE") or with a
// status ("487"). Retransmissions count.
func (p *Peer) Received(what string) int {
	n := 0
	for _, m := range p.Messages() {
		if m.Received && m.Is(what) {
			n++
		}
	}
	return n
}

// Expect waits until the peer has received want messages of that method or
// status, and fails the test when it does not.
func (p *Peer) Expect(what string, want int, timeout time.Duration) {
	p.t.Helper()
	deadline := time.Now().Add(timeout)
	for p.Received(what) < want {
		if time.Now().After(deadline) {
			p.t.Fatalf("sipp %s received %d × %s, want %d", p.Addr, p.Received(what), what, want)
		}
		time.Sleep(5 * time.Millisecond)
	}
}
