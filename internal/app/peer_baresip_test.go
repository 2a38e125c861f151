package app_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/callwright/callwright/internal/audio/audiotest"
	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/sip/siptest"
	"github.com/callwright/callwright/internal/speech/speechtest"
)

// sings are nodes that sing one tone for some seconds and hang up.
func sings() (nodes []map[string]any) {
	for i := range 10 {
		nodes = append(nodes, say(fmt.Sprint("n", i), sung, fmt.Sprint("n", i+1)))
	}
	return append(nodes, map[string]any{"id": "n10", "type": "end", "text": ""})
}

// mobile is the number of the phones.
const mobile = "+12025550123"

// phone calls a baresip over a trunk with further fields.
func (h *house) phone(b *siptest.Baresip, trunk map[string]any, agent domain.ID) domain.ID {
	h.Helper()
	from := h.number(h.trunkTo(b.Addr, trunk), agent, int(b.Addr.Port()%10000))
	return h.place(agent, from, mobile)
}

// parts is how many tenths of a second of pcm are a tone of hz.
func parts(pcm []int16, rate int, hz float64) (n int) {
	for size := rate / 10; len(pcm) >= size; pcm = pcm[size:] {
		if audiotest.Strength(pcm[:size], rate, hz) > 0.9 {
			n++
		}
	}
	return n
}

// invites returns the INVITEs that the phone got, oldest first.
func invites(b *siptest.Baresip) (got []siptest.Message) {
	for _, m := range b.Messages() {
		if m.Received && m.Is("INVITE") {
			got = append(got, m)
		}
	}
	return got
}

// TestBaresipSecured has a phone that insists on SRTP hold the call and go on:
// both sides hear each other before and after, and nothing was in the clear.
func TestBaresipSecured(t *testing.T) {
	t.Parallel()
	h := open(t, setup{})
	agent := h.agent(nil, sings()...)
	for _, srtp := range []string{"required", "optional"} {
		b := siptest.StartBaresip(t, siptest.BaresipOptions{User: mobile, SRTP: "srtp-mand", Hertz: 700})
		id := h.phone(b, map[string]any{"srtp": srtp}, agent)
		voice := speechtest.Pitch("", sung)
		b.HearTone(voice, 10*time.Second)
		time.Sleep(900 * time.Millisecond) // that the phone is heard
		b.Hold(true)
		time.Sleep(time.Second)
		b.Hold(false)
		b.HearTone(voice, 10*time.Second)
		time.Sleep(900 * time.Millisecond) // that the phone is heard
		b.Hangup()
		got := h.ended(id)
		h.wants(got, "completed", "caller-hangup")
		left, right := h.recording(got)
		if n := parts(left, 8000, 700); n < 10 {
			t.Errorf("%s: the phone's tone is in %d00 ms of the recording", srtp, n)
		}
		if n := parts(right, 8000, voice); n < 4 {
			t.Errorf("%s: the agent's tone is in %d00 ms of the recording", srtp, n)
		}
		if out := b.Output(); strings.Contains(out, "decrypt RTP") || !strings.Contains(out, "SRTP is Enabled") {
			t.Errorf("%s: something came in the clear, or with a wrong key", srtp)
		}
		if in := invites(b); len(in) != 1 || !strings.Contains(in[0].Text, "RTP/SAVP") {
			t.Errorf("%s: %d INVITEs, the first\n%s", srtp, len(in), in[0].Text)
		}
	}
}

// TestBaresipCallsSecured is called by a phone with SRTP, which is put on hold and
// taken back, and by one without where the trunk requires it.
func TestBaresipCallsSecured(t *testing.T) {
	t.Parallel()
	h := open(t, setup{})
	agent := h.agent(nil, sings()...)
	h.number(h.loopback(map[string]any{"srtp": "required"}), agent, 1)
	b := siptest.StartBaresip(t, siptest.BaresipOptions{User: "caller", SRTP: "srtp-mand", Hertz: 700})
	h.dials(b, "+12025550001")
	voice := speechtest.Pitch("", sung)
	b.HearTone(voice, callLimit)
	id := h.inbound(1)[0].ID
	for _, verb := range []string{"hold", "resume"} {
		if status, answer := h.request("POST", "/calls/"+string(id)+"/"+verb, nil); status != 200 {
			t.Fatalf("%s answered %d: %s", verb, status, answer)
		}
		offered(t, b, map[string]string{"hold": "a=sendonly", "resume": "a=sendrecv"}[verb])
	}
	b.HearTone(voice, callLimit)
	time.Sleep(900 * time.Millisecond)
	b.Hangup()
	left, _ := h.recording(h.ended(id))
	if n := parts(left, 8000, 700); n < 5 {
		t.Errorf("the phone's tone is in %d00 ms of the recording", n)
	}
	if out := b.Output(); strings.Contains(out, "decrypt RTP packet") {
		t.Error("something came in the clear, or with a wrong key")
	}
	plain := siptest.StartBaresip(t, siptest.BaresipOptions{User: "caller"})
	h.dials(plain, "+12025550001")
	if e := plain.Expect(siptest.BaresipClosed, 1, callLimit); !strings.Contains(e.Param, "488") {
		t.Errorf("the call without SRTP ended with %q, want 488", e.Param)
	}
}

// TestBaresipInTheClear calls phones that know nothing of SRTP: a trunk that can
// do without offers again, one that cannot gives up.
func TestBaresipInTheClear(t *testing.T) {
	t.Parallel()
	h := open(t, setup{})
	agent := h.agent(nil, say("hello", sung, "bye"), bye(""))
	plain := siptest.StartBaresip(t, siptest.BaresipOptions{User: mobile, Hertz: 700})
	got := h.ended(h.phone(plain, map[string]any{"srtp": "optional"}, agent))
	h.wants(got, "completed", "flow-ended")
	if left, _ := h.recording(got); parts(left, 8000, 700) < 4 {
		t.Error("the phone is not heard")
	}
	in := invites(plain)
	if len(in) != 2 || !strings.Contains(in[0].Text, "RTP/SAVP") || strings.Contains(in[1].Text, "SAVP") || strings.Contains(in[1].Text, "crypto") ||
		in[0].Header("Call-ID") != in[1].Header("Call-ID") {
		t.Errorf("%d INVITEs, want one with SRTP and one without, of one call", len(in))
	}
	strict := siptest.StartBaresip(t, siptest.BaresipOptions{User: mobile})
	h.wants(h.ended(h.phone(strict, map[string]any{"srtp": "required"}, agent)), "failed", "media-not-agreed")
	if in := invites(strict); len(in) != 1 {
		t.Errorf("%d INVITEs to a phone without SRTP, want 1", len(in))
	}
}

// TestBaresipWideband speaks G.722, in which tones above 4 kHz are heard too.
func TestBaresipWideband(t *testing.T) {
	t.Parallel()
	h := open(t, setup{})
	agent := h.agent(nil, sings()...)
	b := siptest.StartBaresip(t, siptest.BaresipOptions{User: mobile, Codecs: []string{"g722"}, Hertz: 5200})
	id := h.phone(b, map[string]any{"codecs": []string{"G722", "PCMU"}}, agent)
	voice := speechtest.Pitch("", sung)
	b.HearTone(voice, 10*time.Second)
	if _, rate := b.Heard(); rate != 16000 {
		t.Errorf("the phone hears at %d Hz", rate)
	}
	time.Sleep(500 * time.Millisecond)
	b.Hangup()
	left, right, rate := h.recorded(h.ended(id))
	if rate != 16000 || parts(left, rate, 5200) < 4 || parts(right, rate, voice) < 4 {
		t.Errorf("recorded at %d Hz: the phone's tone in %d00 ms, the agent's in %d00 ms", rate, parts(left, rate, 5200), parts(right, rate, voice))
	}
}

// TestBaresipNarrowOnAWideTrunk has a phone choose PCMU where G.722 was offered.
func TestBaresipNarrowOnAWideTrunk(t *testing.T) {
	t.Parallel()
	h := open(t, setup{})
	agent := h.agent(nil, sings()...)
	b := siptest.StartBaresip(t, siptest.BaresipOptions{User: mobile, Codecs: []string{"pcma"}, Hertz: 700})
	id := h.phone(b, map[string]any{"codecs": []string{"G722", "PCMA"}}, agent)
	voice := speechtest.Pitch("", sung)
	b.HearTone(voice, 10*time.Second)
	time.Sleep(500 * time.Millisecond)
	b.Hangup()
	left, right, rate := h.recorded(h.ended(id))
	if rate != 16000 || parts(left, rate, 700) < 4 || parts(right, rate, voice) < 4 {
		t.Errorf("recorded at %d Hz: the phone's tone in %d00 ms, the agent's in %d00 ms", rate, parts(left, rate, 700), parts(right, rate, voice))
	}
}
