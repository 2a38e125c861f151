//go:build linux

package rig

import (
	"encoding/binary"
	"math"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestSpread(t *testing.T) {
	var s Spread
	if s.At(0.5) != 0 || s.Ms(0.99) != 0 {
		t.Error("nothing has a spread")
	}
	for i := range 100 {
		s.Add(time.Duration(100-i) * time.Millisecond)
	}
	var more Spread
	more.Add(time.Second)
	s.Join(&more)
	for p, want := range map[float64]float64{0: 1, 0.5: 51, 0.95: 96, 0.99: 100, 1: 1000} {
		if got := s.Ms(p); got != want {
			t.Errorf("%v of them are up to %v ms, want %v", p, got, want)
		}
	}
}

func TestJitterIsTheDeviationOfGaps(t *testing.T) {
	var o observations
	for i := range 1000 {
		o.gap(20*time.Millisecond + time.Duration(i%2*2-1)*time.Millisecond)
	}
	for range 20 {
		o.gap(26 * time.Millisecond)
	}
	o.gap(5 * time.Second)
	seen := Seen{gaps: o.gaps}
	for p, want := range map[float64]time.Duration{0.5: time.Millisecond, 0.99: 6 * time.Millisecond, 1: 100 * time.Millisecond} {
		if got := seen.Jitter(p); got != want {
			t.Errorf("at %v: %v, want %v", p, got, want)
		}
	}
	if got := (&Seen{}).Jitter(0.99); got != 0 {
		t.Errorf("of nothing: %v", got)
	}
}

func testLine(t *testing.T) (*Line, *Voice) {
	t.Helper()
	voice, err := NewVoice(PCMU)
	if err != nil {
		t.Fatal(err)
	}
	return NewLine(7, netip.MustParseAddrPort("127.0.0.1:20000"), voice, Turns{After: 0, Every: 2 * time.Second}), voice
}

// TestLineTalksInTurns: an utterance each two seconds, and none into the agent's.
func TestLineTalksInTurns(t *testing.T) {
	l, voice := testLine(t)
	now := time.Unix(1000, 0)
	spoken, begun := 0, 0
	for i := range 1000 { // twenty seconds
		was := l.talking
		packet := l.next(now)
		if len(packet) != headerSize+160 || binary.BigEndian.Uint16(packet[2:]) != uint16(i) || binary.BigEndian.Uint32(packet[4:]) != uint32(i*160) {
			t.Fatalf("packet %d: %x", i, packet[:headerSize])
		}
		if voice.Loud(packet[headerSize:]) {
			spoken++
		}
		if !was && l.talking {
			begun++
		}
		now = now.Add(frame)
	}
	if begun < 9 || begun > 11 || spoken < 30*begun {
		t.Errorf("%d utterances, %d loud frames", begun, spoken)
	}
	l.loudAt = now.Add(time.Hour) // the agent does not stop
	l.talking = false
	for range 500 {
		l.next(now)
	}
	if l.talking {
		t.Error("it talks into the agent's words")
	}
}

// TestLineHears gaps, losses, the greeting and the answer.
func TestLineHears(t *testing.T) {
	l, voice := testLine(t)
	var o observations
	at := time.Unix(1000, 0)
	l.Picked = at
	say := func(seq uint16, payload []byte) {
		at = at.Add(frame)
		packet := append(make([]byte, headerSize), payload...)
		binary.BigEndian.PutUint16(packet[2:], seq)
		l.heard(packet, at, &o)
	}
	say(65534, voice.Room[0])
	say(65535, voice.Room[0])
	say(0, voice.Speech[20]) // the greeting, over the wrap
	say(3, voice.Room[0])    // two are lost
	if o.lost != 2 || l.Lost != 2 || o.gaps[0] != 2 || o.greeting.Ms(1) != 60 {
		t.Errorf("%d lost, %d gaps of 20 ms, greeting after %v ms", o.lost, o.gaps[0], o.greeting.Ms(1))
	}
	l.waiting, l.quietAt = true, at
	say(4, voice.Room[0])
	say(5, voice.Speech[20])
	say(6, voice.Speech[21])
	if o.response.Len() != 1 || o.response.Ms(1) != 40 {
		t.Errorf("%d answers, after %v ms", o.response.Len(), o.response.Ms(1))
	}
}

func TestTurnsAreSpreadOverLines(t *testing.T) {
	turns := Turns{Every: 10 * time.Second}
	var in [10]int
	for i := range 1000 {
		in[turns.offset(i)/time.Second]++
	}
	for second, n := range in {
		if n < 90 || n > 110 {
			t.Errorf("%d of 1000 lines begin in second %d", n, second)
		}
	}
}

func TestParseRequest(t *testing.T) {
	raw := "INVITE sip:+14152000017@127.0.0.1:5060 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:1;branch=z9hG4bK1\r\nCall-ID: abc\r\n" +
		"CSeq: 1 INVITE\r\nContent-Length: 4\r\n\r\nv=0\n"
	r, ok := ParseRequest([]byte(raw))
	if !ok || r.Method != "INVITE" || r.User != "+14152000017" || r.Head.Get("Call-Id") != "abc" || string(r.Body) != "v=0\n" {
		t.Errorf("%+v, %v", r, ok)
	}
	for _, bad := range []string{"", "\r\n\r\n", "SIP/2.0 200 OK\r\nVia: x\r\n\r\n", "INVITE sip:x SIP/2.0\r\nno header\r\n\r\n", strings.TrimSuffix(raw, "\r\nv=0\n")} {
		if r, ok := ParseRequest([]byte(bad)); ok {
			t.Errorf("%q is a request: %+v", bad, r)
		}
	}
}

func TestMediaOf(t *testing.T) {
	at, err := mediaOf([]byte("v=0\r\nc=IN IP4 127.0.0.1\r\nm=audio 20002 RTP/AVP 0\r\n"))
	if err != nil || at.String() != "127.0.0.1:20002" {
		t.Errorf("%v, %v", at, err)
	}
	for _, bad := range []string{"", "c=IN IP4 127.0.0.1\r\n", "c=IN IP6 ::1\r\nm=audio 20002 RTP/AVP 0\r\n", "c=IN IP4 127.0.0.1\r\nm=audio 0 RTP/AVP 0\r\n"} {
		if at, err := mediaOf([]byte(bad)); err == nil {
			t.Errorf("%q is at %v", bad, at)
		}
	}
}

func TestLineIn(t *testing.T) {
	for text, want := range map[string]int{"You are on line 17. Be brief.": 17, "line 3": 3, "Line 42 with": 42, "no number": -1, "line x": -1} {
		if got := lineIn(text); got != want {
			t.Errorf("%q: %d, want %d", text, got, want)
		}
	}
}

// TestEarEndsUtterances after 200 ms of silence, whatever the pieces are.
func TestEarEndsUtterances(t *testing.T) {
	loud, quiet := make([]byte, 320), make([]byte, 320)
	for i := 0; i < len(loud); i += 2 {
		binary.LittleEndian.PutUint16(loud[i:], uint16(int16(3000*math.Sin(float64(i)))))
	}
	e := ear{perSecond: 16000}
	ends := 0
	for i := range 100 { // two seconds: every second half of a second is loud
		sound := quiet
		if i/25%2 == 0 {
			sound = loud
		}
		if e.push(sound) {
			ends++
			if i%25 != 9 {
				t.Errorf("an utterance ended with frame %d", i)
			}
		}
	}
	if ends != 2 || e.count != 2 {
		t.Errorf("%d utterances", ends)
	}
}

func TestReadUsage(t *testing.T) {
	before, err := ReadUsage(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	if before.RSS < 1<<20 || before.Anonymous > before.RSS || before.Files < 3 || before.Threads < 1 {
		t.Errorf("%+v", before)
	}
	after, x := before, 1.0
	for begun := time.Now(); after.CPU <= before.CPU && time.Since(begun) < 10*time.Second; {
		for range 1_000_000 {
			x = math.Sqrt(x + 1)
		}
		if after, err = ReadUsage(os.Getpid()); err != nil {
			t.Fatal(err)
		}
	}
	if after.CPU <= before.CPU {
		t.Errorf("%+v after %+v and much work (%v)", after, before, x)
	}
	if _, err := ReadUsage(-1); err == nil {
		t.Error("nobody uses something")
	}
	if busy, err := MachineCPU(); err != nil || busy < after.CPU {
		t.Errorf("the machine used %v, %v", busy, err)
	}
}
