package app_test

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"testing"
	"time"

	"github.com/callwright/callwright/internal/sdp"
	"github.com/callwright/callwright/internal/service"
	"github.com/callwright/callwright/internal/sip"
)

// newCaller is a SIP user agent of the test's own.
func newCaller(t *testing.T) *sip.UA {
	t.Helper()
	ua, err := sip.New(sip.Options{Listen: netip.MustParseAddrPort("127.0.0.1:0")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ua.Close() })
	return ua
}

// offerAt describes sound that is taken at an address.
func offerAt(t *testing.T, at netip.AddrPort) *sdp.Session {
	t.Helper()
	offer, err := sdp.NewOffer(sdp.Options{Addr: at.Addr(), AudioPort: int(at.Port()), Codecs: []string{"PCMU"}, Events: true})
	if err != nil {
		t.Fatal(err)
	}
	return offer
}

// TestInboundCancelRace gives up at ever later moments, so that some CANCELs
// cross the 200: every call ends, and is written down as what it was.
func TestInboundCancelRace(t *testing.T) {
	t.Parallel()
	const calls = 24
	h := open(t, setup{})
	agent := h.agent(nil, lasting(60)...)
	h.number(h.loopback(nil), agent, 1)
	ua, media := newCaller(t), newRTPPeer(t, nil)
	uri := fmt.Sprintf("sip:+12025550001@%s", h.app.SIPAddr())
	offer := offerAt(t, media.addr).Bytes()
	answered := 0
	for i := 1; i <= calls; i++ {
		ctx, cancel := context.WithCancel(t.Context())
		d, err := ua.Invite(ctx, sip.Invite{URI: uri, From: "+4722000001", Body: offer, OnSent: func() {
			time.AfterFunc(time.Duration(i)*500*time.Microsecond, cancel)
		}})
		switch {
		case err == nil:
			answered++
			if err := d.Bye(t.Context()); err != nil {
				t.Errorf("BYE: %v", err)
			}
		case !errors.Is(err, sip.ErrCanceled):
			t.Errorf("call %d: %v, want it canceled or answered", i, err)
		}
		cancel()
	}
	completed, canceled := 0, 0
	for _, c := range h.inbound(calls) {
		switch got := h.ended(c.ID); got.Status + "/" + got.EndReason {
		case "completed/caller-hangup":
			completed++
		case "failed/canceled":
			canceled++
		default:
			t.Errorf("a call is %s/%s", got.Status, got.EndReason)
		}
	}
	if completed < answered || completed+canceled != calls || canceled == 0 {
		t.Errorf("of %d calls, %d were answered; %d are completed and %d canceled", calls, answered, completed, canceled)
	}
}

// TestInboundCallers calls with names and numbers as switches write them.
func TestInboundCallers(t *testing.T) {
	t.Parallel()
	h := open(t, setup{})
	agent := h.agent(nil, bye("one two three"))
	h.number(h.loopback(nil), agent, 1)
	ua := newCaller(t)
	for i, c := range []struct {
		from    string
		headers map[string]string
		want    string
	}{
		{"+4722000001", nil, "+4722000001"},
		{"442079460958", nil, "+442079460958"},
		{"0047 22225555", nil, "+4722225555"},
		{"4722225555", nil, "4722225555"}, // Norway's, or of a place in North Carolina
		{"reception", nil, "reception"},
		{"anonymous", nil, service.Anonymous},
		{"+4722000001", map[string]string{"Privacy": "id"}, service.Anonymous},
		{"unavailable", map[string]string{"P-Asserted-Identity": `"Desk" <sip:+4722000009@pbx.example>`}, "+4722000009"},
	} {
		media := newRTPPeer(t, nil)
		d, err := ua.Invite(t.Context(), sip.Invite{
			URI: fmt.Sprintf("sip:12025550001@%s", h.app.SIPAddr()), From: "sip:" + escaped(c.from) + "@caller.example",
			Body: offerAt(t, media.addr).Bytes(), Headers: c.headers,
		})
		if err != nil {
			t.Errorf("from %q: %v", c.from, err)
			continue
		}
		<-d.Done()
		got := h.ended(h.inbound(i + 1)[0].ID)
		if exact := h.exact(got.ID); exact.From != c.want {
			t.Errorf("from %q with %v: kept as %q, want %q", c.from, c.headers, exact.From, c.want)
		}
	}
}

func escaped(user string) string {
	out := ""
	for _, r := range user {
		if r == ' ' {
			out += "%20"
			continue
		}
		out += string(r)
	}
	return out
}

// TestInboundSilent calls and sends no sound: the agent hangs up when none has
// come for too long, but not while the call is on hold.
func TestInboundSilent(t *testing.T) {
	t.Parallel()
	const gap = 1500 * time.Millisecond
	h := open(t, setup{gap: gap})
	agent := h.agent(nil, lasting(60)...)
	h.number(h.loopback(nil), agent, 1)
	ua, media := newCaller(t), newRTPPeer(t, nil)
	offer := offerAt(t, media.addr)
	for i, held := range []bool{false, true} {
		d, err := ua.Invite(t.Context(), sip.Invite{
			URI: fmt.Sprintf("sip:+12025550001@%s", h.app.SIPAddr()), From: "+4722000001", Body: offer.Bytes(),
		})
		if err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		if held {
			offer.Audio.Direction = sdp.SendOnly
			offer.Version++
			if _, err := d.Reinvite(t.Context(), offer.Bytes()); err != nil {
				t.Fatal(err)
			}
			select {
			case <-d.Done():
				t.Fatalf("hung up after %v although it was on hold", time.Since(began))
			case <-time.After(2 * gap):
			}
			if err := d.Bye(t.Context()); err != nil {
				t.Errorf("BYE: %v", err)
			}
			h.wants(h.ended(h.inbound(i + 1)[0].ID), "completed", "caller-hangup")
			continue
		}
		<-d.Done()
		if took := time.Since(began); took < gap-100*time.Millisecond || took > gap+1500*time.Millisecond {
			t.Errorf("hung up after %v without sound, want %v and a second at most", took, gap)
		}
		h.wants(h.ended(h.inbound(i + 1)[0].ID), "completed", "media-timeout")
	}
}
