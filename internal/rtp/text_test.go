package rtp

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	pionrtp "github.com/pion/rtp"
)

const (
	t140PT = 98
	redPT  = 100
)

func TestApplyT140(t *testing.T) {
	tests := []struct{ current, block, want string }{
		{"", "hello", "hello"},
		{"helo", "\blo", "hello"},
		{"ab", "\b\b\b\bx", "x"},
		{"Grüße 👍", "\b\b", "Grüße"},
		{"line\u2028", "\b!", "line!"},
		{"", "\ufeffhi", "hi"},
		{"a", "b\u2028", "ab\u2028"},
	}
	for _, tt := range tests {
		if got := ApplyT140(tt.current, tt.block); got != tt.want {
			t.Errorf("ApplyT140(%q, %q) = %q, want %q", tt.current, tt.block, got, tt.want)
		}
	}
}

// textLine is a simulated network for text: a packet every 20 ms at most.
type textLine struct {
	sender   *TextSender
	receiver *TextReceiver
	now      time.Time
	seq      uint16
	sent     []pionrtp.Packet
	got      strings.Builder
	lose     func(n int) bool
}

func newTextLine(red uint8) *textLine {
	return &textLine{
		sender: NewTextSender(t140PT, red), receiver: NewTextReceiver(t140PT, red),
		now: time.Now(), seq: 65533, lose: func(int) bool { return false },
	}
}

func (l *textLine) run(d time.Duration) {
	buf := make([]byte, maxPacket)
	for end := l.now.Add(d); l.now.Before(end); l.now = l.now.Add(20 * time.Millisecond) {
		if p := l.sender.next(l.now, buf); p.size > 0 {
			packet := pionrtp.Packet{
				Header:  pionrtp.Header{SequenceNumber: l.seq, Timestamp: p.timestamp, PayloadType: p.pt, Marker: p.marker},
				Payload: append([]byte(nil), buf[:p.size]...),
			}
			l.seq++
			l.sent = append(l.sent, packet)
			if !l.lose(len(l.sent) - 1) {
				l.receiver.Push(&packet.Header, packet.Payload)
			}
		}
		l.got.WriteString(l.receiver.Take(l.now))
	}
}

func TestTextSenderFollowsRFC4103(t *testing.T) {
	l := newTextLine(redPT)
	l.run(time.Second)
	if len(l.sent) != 0 {
		t.Fatalf("%d packets of nothing", len(l.sent))
	}
	l.sender.Write("Hi")
	l.run(2 * time.Second)
	l.sender.Write("ü")
	l.run(100 * time.Millisecond)
	l.sender.Write("!") // within 300 ms: goes with the next packet
	l.run(2 * time.Second)
	var got []string
	for _, p := range l.sent {
		r, err := parseRedundant(p.Payload, t140PT)
		if err != nil || r.n != 2 || p.PayloadType != redPT {
			t.Fatalf("packet %+v: %v", p, err)
		}
		got = append(got, fmt.Sprintf("%q %q %q %v", r.older[0], r.older[1], r.primary, p.Marker))
	}
	want := []string{
		`"" "" "Hi" true`, `"" "Hi" "" false`, `"Hi" "" "" false`,
		`"" "" "ü" true`, `"" "ü" "!" false`, `"ü" "!" "" false`, `"!" "" "" false`,
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("sent\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	for i := 1; i < 3; i++ {
		if gap := l.sent[i].Timestamp - l.sent[i-1].Timestamp; gap < 290 || gap > 310 {
			t.Errorf("packets are %d ms apart", gap)
		}
	}
	if l.got.String() != "Hiü!" {
		t.Errorf("received %q", l.got.String())
	}
}

func TestTextWithoutRedundancy(t *testing.T) {
	l := newTextLine(0)
	l.sender.Write("plain")
	l.run(2 * time.Second)
	if len(l.sent) != 1 || l.sent[0].PayloadType != t140PT || l.got.String() != "plain" {
		t.Errorf("%d packets, %q", len(l.sent), l.got.String())
	}
}

func TestTextArrivesWholeUnderLoss(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 6))
	l := newTextLine(redPT)
	row, lost := 0, 0
	l.lose = func(int) bool { // 30 %, but never the three packets that carry one text
		if row < 2 && random.Float64() < 0.36 {
			row++
			lost++
			return true
		}
		row = 0
		return false
	}
	var want strings.Builder
	for i := range 60 {
		text := fmt.Sprintf("Wort %d ünd 👍 ", i)
		want.WriteString(text)
		l.sender.Write(text)
		l.run(time.Duration(200+random.IntN(1200)) * time.Millisecond)
	}
	l.run(3 * time.Second)
	if l.got.String() != want.String() {
		t.Errorf("received %q, want %q", l.got.String(), want.String())
	}
	if share := float64(lost) / float64(len(l.sent)); share < 0.25 {
		t.Errorf("only %.2f of the packets were lost", share)
	}
}

func TestTextLossBeyondRedundancyIsMarked(t *testing.T) {
	l := newTextLine(redPT)
	l.lose = func(n int) bool { return n >= 1 && n <= 4 }
	for _, text := range []string{"one ", "two ", "three ", "four ", "five ", "six "} {
		l.sender.Write(text)
		l.run(300 * time.Millisecond)
	}
	if got := l.got.String(); got != "one " {
		t.Errorf("before the wait: %q", got)
	}
	l.run(1500 * time.Millisecond)
	if got := l.got.String(); got != "one \ufffdfour five six " {
		t.Errorf("after the wait: %q", got)
	}
}

func TestTextReceiverPutsPacketsInOrder(t *testing.T) {
	now := time.Now()
	push := func(r *TextReceiver, seq uint16, ssrc uint32, text string) {
		r.Push(&pionrtp.Header{SequenceNumber: seq, PayloadType: t140PT, SSRC: ssrc}, []byte(text))
	}
	r := NewTextReceiver(t140PT, redPT)
	push(r, 65535, 1, "a")
	push(r, 1, 1, "c")
	push(r, 0, 1, "b")
	push(r, 0, 1, "b")
	push(r, 65535, 1, "a")
	if got := r.Take(now); got != "abc" {
		t.Errorf("reordered: %q", got)
	}
	push(r, 9, 2, "\ufeffnew")
	if got := r.Take(now); got != "new" {
		t.Errorf("another source: %q", got)
	}
	push(r, 11, 2, "gap")
	push(r, 5000, 2, "far")
	if got := r.Take(now); got != "\ufffdgapfar" {
		t.Errorf("a leap gives up what is missing: %q", got)
	}
	push(r, 5001, 2, "\xe2\x82")
	if got := r.Take(now); got != "" {
		t.Errorf("half a character: %q", got)
	}
	push(r, 5002, 2, "\xac\xff")
	if got := r.Take(now); got != "€\ufffd" {
		t.Errorf("the other half and nonsense: %q", got)
	}
	if r.Push(&pionrtp.Header{PayloadType: 0}, nil) || r.Push(&pionrtp.Header{PayloadType: redPT}, []byte{0xff}) {
		t.Error("what is no text was taken")
	}
}

func TestTextSenderKeepsTheRateAndCharactersWhole(t *testing.T) {
	l := newTextLine(redPT)
	text := strings.Repeat("€", 1000)
	l.sender.Write(text)
	l.sender.Write("\xff")
	l.run(900 * time.Millisecond)
	if n := utf8.RuneCountInString(l.got.String()); n < 250 || n > charsAtOnce+40 {
		t.Errorf("%d characters in the first second", n)
	}
	for _, p := range l.sent {
		r, err := parseRedundant(p.Payload, t140PT)
		if err != nil || !utf8.Valid(r.primary) {
			t.Fatalf("a cut character: %q %v", r.primary, err)
		}
	}
	l.run(30 * time.Second)
	if l.got.String() != text+"\ufffd" {
		t.Errorf("%d bytes of %d arrived", l.got.Len(), len(text))
	}
	l.sender.Write(strings.Repeat("x", maxTextPending+1))
	if len(l.sender.pending) != 0 {
		t.Error("an endless text was queued")
	}
}

func TestIdleTextDoesNotAllocate(t *testing.T) {
	s, r, buf, now := NewTextSender(t140PT, redPT), NewTextReceiver(t140PT, redPT), make([]byte, maxPacket), time.Now()
	if a := testing.AllocsPerRun(100, func() { s.next(now, buf); r.Take(now) }); a != 0 {
		t.Errorf("%v allocations", a)
	}
}

func FuzzParseRedundant(f *testing.F) {
	f.Add([]byte{0x80 | t140PT, 0, 0, 1, t140PT, 'a', 'b'})
	f.Add([]byte{t140PT})
	f.Add([]byte{0x80 | t140PT, 0xff, 0xff, 0xff})
	f.Fuzz(func(t *testing.T, payload []byte) {
		r, err := parseRedundant(payload, t140PT)
		if err != nil {
			return
		}
		n := len(r.primary) + 1 + redHeaderSize*r.n
		for _, b := range r.older[:r.n] {
			n += len(b)
		}
		if n != len(payload) {
			t.Errorf("%d bytes accounted for, of %d", n, len(payload))
		}
	})
}

func FuzzTextReceiver(f *testing.F) {
	f.Add([]byte("\x00\x01\x62a\x00\x02\x64b\x00\x09\x62c"))
	f.Fuzz(func(t *testing.T, script []byte) {
		r, now := NewTextReceiver(t140PT, redPT), time.Now()
		for len(script) >= 4 {
			n := min(4+int(script[3]%16), len(script))
			h := pionrtp.Header{SequenceNumber: uint16(script[0])<<8 | uint16(script[1]), PayloadType: script[2] & 0x7f, SSRC: uint32(script[2] >> 7)}
			r.Push(&h, script[4:n])
			script = script[n:]
			now = now.Add(400 * time.Millisecond)
			if text := r.Take(now); !utf8.ValidString(text) || strings.Contains(text, byteOrderMark) {
				t.Fatalf("took %q", text)
			}
		}
		if r.waiting < 0 || r.waiting > textWindow {
			t.Fatalf("%d waiting", r.waiting)
		}
	})
}
