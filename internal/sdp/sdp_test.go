package sdp

import (
	"errors"
	"net/netip"
	"strings"
	"testing"
)

var local = netip.MustParseAddr("192.0.2.10")

func body(lines ...string) []byte { return []byte(strings.Join(lines, "\r\n") + "\r\n") }

// head is what every description in these tests begins with.
var head = []string{"v=0", "o=- 7 3 IN IP4 198.51.100.1", "s=-", "c=IN IP4 198.51.100.1", "t=0 0"}

func parse(t *testing.T, media ...string) *Session {
	t.Helper()
	s, err := Parse(body(append(append([]string(nil), head...), media...)...))
	if err != nil {
		t.Fatalf("Parse: %v", err)
	}
	return s
}

func options() Options {
	return Options{Addr: local, AudioPort: 20000, Codecs: []string{"PCMU", "PCMA"}, Events: true, TextPort: 20002}
}

func TestOfferLines(t *testing.T) {
	o, err := NewOffer(options())
	if err != nil {
		t.Fatal(err)
	}
	text := string(o.Bytes())
	for _, line := range []string{
		"c=IN IP4 192.0.2.10", "m=audio 20000 RTP/AVP 0 8 101", "a=rtpmap:0 PCMU/8000", "a=rtpmap:8 PCMA/8000",
		"a=rtpmap:101 telephone-event/8000", "a=fmtp:101 0-16", "a=ptime:20", "a=sendrecv",
		"m=text 20002 RTP/AVP 100 98", "a=rtpmap:98 t140/1000", "a=rtpmap:100 red/1000", "a=fmtp:100 98/98/98", "a=fmtp:98 cps=30",
	} {
		if !strings.Contains(text, "\r\n"+line+"\r\n") {
			t.Errorf("the offer lacks %q:\n%s", line, text)
		}
	}
	again, err := Parse(o.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	if string(again.Bytes()) != text {
		t.Errorf("not a fixed point:\n%s\n%s", text, again.Bytes())
	}
}

func TestOfferErrors(t *testing.T) {
	if _, err := NewOffer(Options{Addr: local, AudioPort: 1, Codecs: []string{"AMR"}}); err == nil || !strings.Contains(err.Error(), "AMR") {
		t.Errorf("unknown codec: %v", err)
	}
	if _, err := NewOffer(Options{Addr: local, AudioPort: 1}); !errors.Is(err, ErrNoCodec) {
		t.Errorf("no codec: %v", err)
	}
}

func TestAnswer(t *testing.T) {
	tests := []struct {
		name  string
		media []string
		codec string
		event int
		way   Direction
		hold  bool
		lines []string // m= lines of the answer
	}{
		{"static types need no rtpmap", []string{"m=audio 30000 RTP/AVP 8 0"}, "PCMA", 0, SendRecv, false,
			[]string{"m=audio 20000 RTP/AVP 8"}},
		{"dynamic type for events", []string{"m=audio 30000 RTP/AVP 18 0 96", "a=rtpmap:96 telephone-event/8000"}, "PCMU", 96, SendRecv, false,
			[]string{"m=audio 20000 RTP/AVP 0 96"}},
		{"names are compared without case", []string{"m=audio 30000 RTP/AVP 97", "a=rtpmap:97 pcmu/8000"}, "pcmu", 0, SendRecv, false,
			[]string{"m=audio 20000 RTP/AVP 97"}},
		{"hold", []string{"m=audio 30000 RTP/AVP 0", "a=sendonly"}, "PCMU", 0, RecvOnly, true,
			[]string{"m=audio 20000 RTP/AVP 0"}},
		{"hold of the whole session", []string{"a=inactive", "m=audio 30000 RTP/AVP 0"}, "PCMU", 0, Inactive, true,
			[]string{"m=audio 20000 RTP/AVP 0"}},
		{"hold by address", []string{"m=audio 30000 RTP/AVP 0", "c=IN IP4 0.0.0.0"}, "PCMU", 0, RecvOnly, true,
			[]string{"m=audio 20000 RTP/AVP 0"}},
		{"announcement", []string{"m=audio 30000 RTP/AVP 0", "a=recvonly"}, "PCMU", 0, SendOnly, false,
			[]string{"m=audio 20000 RTP/AVP 0"}},
		{"other lines are rejected in place",
			[]string{"m=video 30002 RTP/AVP 31", "m=audio 30000 RTP/AVP 0", "m=audio 30004 RTP/AVP 8", "m=image 30006 udptl t38"}, "PCMU", 0, SendRecv, false,
			[]string{"m=video 0 RTP/AVP 31", "m=audio 20000 RTP/AVP 0", "m=audio 0 RTP/AVP 8", "m=image 0 udptl t38"}},
		{"a secure line beside a plain one", []string{"m=audio 30000 RTP/SAVP 0", "m=audio 30004 RTP/AVP 8"}, "PCMA", 0, SendRecv, false,
			[]string{"m=audio 0 RTP/SAVP 0", "m=audio 20000 RTP/AVP 8"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s, agreed, err := Answer(parse(t, tt.media...), options())
			if err != nil {
				t.Fatal(err)
			}
			if agreed.Codec.Name != tt.codec || agreed.EventPT != tt.event || agreed.Direction != tt.way || agreed.Hold != tt.hold {
				t.Errorf("agreed %+v", agreed)
			}
			var lines []string
			for _, l := range strings.Split(string(s.Bytes()), "\r\n") {
				if strings.HasPrefix(l, "m=") {
					lines = append(lines, l)
				}
			}
			if strings.Join(lines, "|") != strings.Join(tt.lines, "|") {
				t.Errorf("answered %q, want %q", lines, tt.lines)
			}
			if _, err := Parse(s.Bytes()); err != nil {
				t.Errorf("the answer does not parse: %v", err)
			}
		})
	}
}

func TestAnswerAddress(t *testing.T) {
	_, agreed, err := Answer(parse(t, "m=audio 30000 RTP/AVP 0", "c=IN IP6 2001:db8::1"), options())
	if err != nil {
		t.Fatal(err)
	}
	if want := netip.MustParseAddrPort("[2001:db8::1]:30000"); agreed.AudioRemote != want {
		t.Errorf("sound goes to %v, want %v", agreed.AudioRemote, want)
	}
}

func TestNoCodec(t *testing.T) {
	for _, media := range [][]string{
		{"m=audio 30000 RTP/AVP 18"}, {"m=video 30000 RTP/AVP 31"}, {"m=audio 0 RTP/AVP 0"},
		{"m=audio 30000 RTP/AVP 97", "a=rtpmap:97 PCMU/16000"}, nil,
	} {
		if _, _, err := Answer(parse(t, media...), options()); !errors.Is(err, ErrNoCodec) {
			t.Errorf("%q: %v, want ErrNoCodec", media, err)
		}
	}
}

func TestText(t *testing.T) {
	audio := "m=audio 30000 RTP/AVP 0"
	full := []string{audio, "m=text 30002 RTP/AVP 112 111", "a=rtpmap:111 t140/1000", "a=rtpmap:112 red/1000", "a=fmtp:112 111/111/111"}
	tests := []struct {
		name      string
		media     []string
		port      int
		t140, red int
		line      string
	}{
		{"with redundancy", full, 20002, 111, 112, "m=text 20002 RTP/AVP 112 111"},
		{"plain", []string{audio, "m=text 30002 RTP/AVP 98", "a=rtpmap:98 t140/1000"}, 20002, 98, 0, "m=text 20002 RTP/AVP 98"},
		{"redundancy of something else", []string{audio, "m=text 30002 RTP/AVP 100 98", "a=rtpmap:98 t140/1000", "a=rtpmap:100 red/1000", "a=fmtp:100 99/99"},
			20002, 98, 0, "m=text 20002 RTP/AVP 98"},
		{"not wanted", full, 0, 0, 0, "m=text 0 RTP/AVP 112 111"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			o := options()
			o.TextPort = tt.port
			s, agreed, err := Answer(parse(t, tt.media...), o)
			if err != nil {
				t.Fatal(err)
			}
			if agreed.TextPT != tt.t140 || agreed.RedPT != tt.red || agreed.TextRemote.IsValid() != (tt.t140 != 0) {
				t.Errorf("agreed %+v", agreed)
			}
			if !strings.Contains(string(s.Bytes()), tt.line+"\r\n") {
				t.Errorf("the answer lacks %q:\n%s", tt.line, s.Bytes())
			}
		})
	}
}

func TestAccept(t *testing.T) {
	offer, err := NewOffer(options())
	if err != nil {
		t.Fatal(err)
	}
	got, err := Accept(offer, parse(t, "m=audio 30000 RTP/AVP 8 101", "a=rtpmap:101 telephone-event/8000", "a=recvonly",
		"m=text 30002 RTP/AVP 100 98", "a=rtpmap:98 t140/1000", "a=rtpmap:100 red/1000", "a=fmtp:100 98/98/98"))
	if err != nil {
		t.Fatal(err)
	}
	if got.Codec.PT != 8 || got.EventPT != 101 || got.RedPT != 100 || got.TextPT != 98 || got.Direction != SendOnly || got.Hold ||
		got.AudioRemote != netip.MustParseAddrPort("198.51.100.1:30000") || got.TextRemote.Port() != 30002 {
		t.Errorf("agreed %+v", got)
	}
	for _, media := range [][]string{{"m=audio 0 RTP/AVP 0"}, {"m=audio 30000 RTP/AVP 9"}, nil} {
		if _, err := Accept(offer, parse(t, media...)); !errors.Is(err, ErrNoCodec) {
			t.Errorf("%q: %v, want ErrNoCodec", media, err)
		}
	}
}

func TestBothSidesAgree(t *testing.T) {
	offer, err := NewOffer(options())
	if err != nil {
		t.Fatal(err)
	}
	read, err := Parse(offer.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	answer, theirs, err := Answer(read, Options{Addr: netip.MustParseAddr("192.0.2.20"), AudioPort: 21000, Codecs: []string{"PCMA"}, Events: true, TextPort: 21002})
	if err != nil {
		t.Fatal(err)
	}
	back, err := Parse(answer.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	ours, err := Accept(offer, back)
	if err != nil {
		t.Fatal(err)
	}
	if ours.Codec.PT != theirs.Codec.PT || ours.EventPT != theirs.EventPT || ours.RedPT != theirs.RedPT || ours.TextPT != theirs.TextPT {
		t.Errorf("ours %+v, theirs %+v", ours, theirs)
	}
	if ours.AudioRemote.String() != "192.0.2.20:21000" || theirs.AudioRemote.String() != "192.0.2.10:20000" {
		t.Errorf("sound goes to %v and %v", ours.AudioRemote, theirs.AudioRemote)
	}
}

func TestMalformed(t *testing.T) {
	for name, in := range map[string][]byte{
		"empty":      nil,
		"no SDP":     []byte("hello"),
		"host name":  body("v=0", "o=- 1 1 IN IP4 h", "s=-", "c=IN IP4 example.com", "t=0 0", "m=audio 1 RTP/AVP 0"),
		"multicast":  body("v=0", "o=- 1 1 IN IP4 h", "s=-", "c=IN IP4 224.2.1.1/127", "t=0 0", "m=audio 1 RTP/AVP 0"),
		"no address": body("v=0", "o=- 1 1 IN IP4 h", "s=-", "t=0 0", "m=audio 1 RTP/AVP 0"),
		"bad port":   body("v=0", "o=- 1 1 IN IP4 h", "s=-", "c=IN IP4 192.0.2.1", "t=0 0", "m=audio 70000 RTP/AVP 0"),
		"too long":   append(body(head...), make([]byte, maxBytes)...),
		"many lines": body(append(append([]string(nil), head...), strings.Split(strings.Repeat("m=audio 1 RTP/AVP 0\n", 40), "\n")[:40]...)...),
	} {
		if _, err := Parse(in); !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: %v, want ErrMalformed", name, err)
		}
	}
}

// FuzzParse: no input panics, and what is understood can be answered, written
// and read again.
func FuzzParse(f *testing.F) {
	o, err := NewOffer(options())
	if err != nil {
		f.Fatal(err)
	}
	keyed, err := NewOffer(secure(false))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(o.Bytes())
	f.Add(keyed.Bytes())
	f.Add(body(append(append([]string(nil), head...), "m=audio 30000 RTP/AVP 0 97", "a=rtpmap:97 opus/48000/2", "a=fmtp:97 useinbandfec=1", "c=IN IP6 ::1")...))
	f.Add([]byte("v=0\no=- 0 0 IN IP4 x\ns=\nt=0 0\nm=audio 0/2 a/b/c ?\n"))
	f.Add(body("v=0", "o=bob 280744730 28977631 IN IP4 host.example.com", "s=", "t=0 0", "m=audio 22334 RTP/AVP 0", "c=IN IP4 192.0.2.1", "m=video 6024 RTP/AVP 107", "c=IN IP6 2001:db8::1"))
	f.Add([]byte("v=0\r\no=mhandley 1 1 IN IP4 192.0.2.15\r\ns=-\r\nc=IN IP4 192.0.2.15\r\nt=0 0\r\nm =video 3227 RTP/AVP 31\r\n"))
	f.Fuzz(func(t *testing.T, in []byte) {
		s, err := Parse(in)
		if err != nil {
			return
		}
		if _, err := Accept(o, s); err != nil && !errors.Is(err, ErrNoCodec) {
			t.Fatalf("Accept: %v", err)
		}
		if _, err := Accept(keyed, s); err != nil && !errors.Is(err, ErrNoCodec) && !errors.Is(err, ErrNoKeys) {
			t.Fatalf("Accept with keys: %v", err)
		}
		a, _, err := Answer(s, secure(len(in)%2 == 0))
		if err != nil {
			return
		}
		if len(a.Media) != len(s.Media) {
			t.Fatalf("%d lines answered with %d", len(s.Media), len(a.Media))
		}
		if _, err := Parse(a.Bytes()); err != nil {
			t.Fatalf("the answer does not parse: %v\n%s", err, a.Bytes())
		}
	})
}
