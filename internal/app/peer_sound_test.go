package app_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/callwright/callwright/internal/audio"
	"github.com/callwright/callwright/internal/audio/audiotest"
	"github.com/callwright/callwright/internal/sip/siptest"
	"github.com/callwright/callwright/internal/speech/speechtest"
)

// sung is long enough for its tone to be found: 800 ms.
const sung = "one two three four five six seven eight"

var codecs = []struct {
	name string
	pt   uint8
}{{"PCMU", 0}, {"PCMA", 8}}

// TestPeerTone has sipp play a tone and the agent sing another: each is on its
// own side of the recording.
func TestPeerTone(t *testing.T) {
	t.Parallel()
	h := open(t, setup{})
	agent := h.agent(nil, say("hello", sung, "rest"), pause("rest", 0.5, "bye"), bye(""))
	for _, codec := range codecs {
		p := siptest.UAS(t, siptest.Scenario{Name: siptest.Tone, Hertz: 440, PCMA: codec.name == "PCMA"})
		got := h.ended(h.dial(p, map[string]any{"codecs": []string{codec.name}}, agent))
		h.wants(got, "completed", "flow-ended")
		left, right := h.recording(got)
		hears(t, codec.name+" left", left, 440, speechtest.Pitch("", sung))
		hears(t, codec.name+" right", right, speechtest.Pitch("", sung), 440)
	}
}

// hears asserts that one tone fills at least half a second of pcm, and that the
// other is not there.
func hears(t *testing.T, what string, pcm []int16, want, not float64) {
	t.Helper()
	const window = 800 // 100 ms
	tone, other := 0, 0
	for i := 0; i+window <= len(pcm); i += window {
		part := pcm[i : i+window]
		if audio.Level(part) < 0.001 {
			continue
		}
		if audiotest.Strength(part, 8000, want) > 0.9 {
			tone++
		}
		if audiotest.Strength(part, 8000, not) > 0.05 {
			other++
		}
	}
	if tone < 5 || other > 0 {
		t.Errorf("%s: %.0f Hz in %d00 ms and %.0f Hz in %d00 ms of %v; want at least 500 and 0",
			what, want, tone, not, other, audio.Duration(len(pcm), 8000))
	}
}

// TestPeerMedia looks at what a peer gets: steady packets of the agreed type
// that carry the agent's tone.
func TestPeerMedia(t *testing.T) {
	t.Parallel()
	h := open(t, setup{})
	agent := h.agent(nil, say("hello", sung, "rest"), pause("rest", 1, "bye"), bye(""))
	for _, c := range codecs {
		media := newRTPPeer(t, nil)
		p := siptest.UAS(t, siptest.Scenario{Name: siptest.Answer, PCMA: c.name == "PCMA", Media: media.addr})
		got := h.ended(h.dial(p, nil, agent))
		h.wants(got, "completed", "flow-ended")
		codec, _ := audio.CodecByPayloadType(c.pt)
		packets := media.got()
		var pcm []int16
		for i, p := range packets {
			if p.PayloadType != c.pt || len(p.Payload) != 160 {
				t.Fatalf("%s: packet %d is of type %d with %d bytes, want %d with 160", c.name, i, p.PayloadType, len(p.Payload), c.pt)
			}
			if first := packets[0]; p.SSRC != first.SSRC || p.SequenceNumber != first.SequenceNumber+uint16(i) || p.Timestamp != first.Timestamp+uint32(160*i) {
				t.Fatalf("%s: packet %d does not follow: %v after %v", c.name, i, p.Header, first.Header)
			}
			frame := make([]int16, 160)
			codec.NewDecoder().Decode(frame, p.Payload)
			pcm = append(pcm, frame...)
		}
		hears(t, c.name+" at the peer", pcm, speechtest.Pitch("", sung), 440)
		if rate := perSecond(packets); rate < 49 || rate > 51 {
			t.Errorf("%s: %.1f packets a second, want 50", c.name, rate)
		}
		answered := time.Time{}
		for _, m := range p.Messages() {
			if !m.Received && m.Is("200") && answered.IsZero() {
				answered = m.At
			}
		}
		if wait := packets[0].at.Sub(answered); wait > 200*time.Millisecond {
			t.Errorf("%s: the first packet came %v after the answer", c.name, wait)
		}
	}
}

func perSecond(packets []packet) float64 {
	if len(packets) < 2 {
		return 0
	}
	lasted := packets[len(packets)-1].at.Sub(packets[0].at)
	return float64(len(packets)-1) / lasted.Seconds()
}

// TestPeerEcho has the peer send back what it gets, after a known delay: both
// sides of the recording have to be in step for the whole call. A busy machine
// makes our jitter buffer move, rightly, so it has three tries: what is out of
// step by construction is so each time.
func TestPeerEcho(t *testing.T) {
	t.Parallel()
	h := open(t, setup{})
	var faults []string
	for range 3 {
		if faults = echoFaults(t, h); len(faults) == 0 {
			return
		}
	}
	t.Error(strings.Join(faults, "\n"))
}

// echoFaults places one call to a peer that echoes, and returns what is out of
// step in its recording.
func echoFaults(t *testing.T, h *house) (faults []string) {
	t.Helper()
	const delay = 200 * time.Millisecond
	var nodes []map[string]any
	const words = 8
	for i := range words {
		nodes = append(nodes, say(fmt.Sprint("say", i), fmt.Sprint("w", i), fmt.Sprint("wait", i)))
		next := fmt.Sprint("say", i+1)
		if i == words-1 {
			next = "bye"
		}
		nodes = append(nodes, pause(fmt.Sprint("wait", i), 0.5, next))
	}
	agent := h.agent(nil, append(nodes, bye(""))...)
	media := newRTPPeer(t, func(p *rtpPeer, raw []byte) { time.AfterFunc(delay, func() { p.send(raw) }) })
	p := siptest.UAS(t, siptest.Scenario{Name: siptest.Answer, Media: media.addr})
	got := h.ended(h.dial(p, nil, agent))
	h.wants(got, "completed", "flow-ended")
	left, right := h.recording(got)
	said, echoed := onsets(right, 300*time.Millisecond), onsets(left, 300*time.Millisecond)
	if len(said) != words || len(echoed) != words {
		t.Fatalf("said at %v, echoed at %v; want %d of each", said, echoed, words)
	}
	// What the echo is late over the peer's delay is our jitter buffer, which
	// learns in the first seconds and then stays; it moves by whole frames.
	const settled = words / 2
	least, most := time.Hour, -time.Hour
	for i := range said {
		late := echoed[i] - said[i] - delay
		if late < 0 || late > 150*time.Millisecond {
			faults = append(faults, fmt.Sprintf("echo %d is recorded %v after the peer sent it, want 0 to 150ms", i, late))
		}
		if i >= settled {
			least, most = min(least, late), max(most, late)
		}
	}
	if most-least > 20*time.Millisecond {
		faults = append(faults, fmt.Sprintf("said at %v, echoed at %v: out of step by %v, want at most 20ms", said, echoed, most-least))
	}
	return faults
}
