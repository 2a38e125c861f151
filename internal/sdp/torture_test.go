package sdp

import (
	"errors"
	"net/netip"
	"testing"
)

// TestIPv6 has the descriptions of RFC 5118 sections 4.6, 4.8 and 4.9.
func TestIPv6(t *testing.T) {
	for name, tt := range map[string]struct {
		in    []byte
		audio string
		video string
	}{
		"ipv6-in-sdp": {body("v=0", "o=assistant 971731711378798081 0 IN IP6 2001:db8::20", "s=Live video feed for today's meeting", "c=IN IP6 2001:db8::20",
			"t=3338481189 3370017201", "m=audio 6000 RTP/AVP 2", "a=rtpmap:2 G726-32/8000", "m=video 6024 RTP/AVP 107", "a=rtpmap:107 H263-1998/90000"),
			"[2001:db8::20]:6000", "[2001:db8::20]:6024"},
		"mult-ip-in-sdp": {body("v=0", "o=bob 280744730 28977631 IN IP4 host.example.com", "s=", "t=0 0", "m=audio 22334 RTP/AVP 0", "c=IN IP4 192.0.2.1",
			"m=video 6024 RTP/AVP 107", "c=IN IP6 2001:db8::1", "a=rtpmap:107 H263-1998/90000"),
			"192.0.2.1:22334", "[2001:db8::1]:6024"},
		"ipv4-mapped-ipv6": {body("v=0", "o=assistant 971731711378798081 0 IN IP6 ::ffff:192.0.2.2", "s=Call me soon, please!", "c=IN IP6 ::ffff:192.0.2.2",
			"t=3338481189 3370017201", "m=audio 6000 RTP/AVP 2", "a=rtpmap:2 G726-32/8000", "m=video 6024 RTP/AVP 107", "a=rtpmap:107 H263-1998/90000"),
			"192.0.2.2:6000", "192.0.2.2:6024"},
	} {
		s, err := Parse(tt.in)
		if err != nil || len(s.Media) != 2 {
			t.Errorf("%s: %+v, %v", name, s, err)
			continue
		}
		if s.Audio == nil || s.Audio.Addr != netip.MustParseAddrPort(tt.audio) || s.Media[1].Addr != netip.MustParseAddrPort(tt.video) {
			t.Errorf("%s: media at %v and %v, want %s and %s", name, s.Media[0].Addr, s.Media[1].Addr, tt.audio, tt.video)
		}
	}
}

// TestTortureDescriptions are the ones of RFC 4475 that differ from the usual.
func TestTortureDescriptions(t *testing.T) {
	good := []string{"v=0", "o=mhandley 29739 7272939 IN IP4 192.0.2.15", "s=-", "c=IN IP4 192.0.2.15", "t=0 0", "m=audio 49217 RTP/AVP 0 12", "m=video 3227 RTP/AVP 31", "a=rtpmap:31 LPC"}
	if s, err := Parse(body(good...)); err != nil || s.Audio.Port != 49217 || len(s.Media) != 2 {
		t.Errorf("%+v, %v", s, err) // the rtpmap lacks a rate, which is the video's own affair
	}
	dblreq := append([]string(nil), good...)
	dblreq[6] = "m =video 3227 RTP/AVP 31"
	if _, err := Parse(body(dblreq...)); !errors.Is(err, ErrMalformed) {
		t.Errorf("a blank before the sign: %v", err)
	}
	mismatch02 := []string{good[0], good[1], good[3], good[5]} // no s= and t=
	if s, err := Parse(body(mismatch02...)); err == nil && s.Audio == nil {
		t.Error("understood without its audio")
	}
}
