package app_test

import (
	"bytes"
	"encoding/binary"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/pion/rtp"

	"github.com/callwright/callwright/internal/audio"
	"github.com/callwright/callwright/internal/sip/siptest"
	"github.com/callwright/callwright/internal/speech/speechtest"
)

// rtpPeer is the sound of a peer whose calls are signalled by sipp.
type rtpPeer struct {
	addr netip.AddrPort
	conn *net.UDPConn

	mu      sync.Mutex
	packets []packet       // as they came
	from    netip.AddrPort // of the latest
	done    chan struct{}
	came    chan struct{} // closed with the first packet
}

type packet struct {
	rtp.Packet
	at time.Time
}

// newRTPPeer opens a socket; each packet that comes is also given to take.
func newRTPPeer(t *testing.T, take func(p *rtpPeer, raw []byte)) *rtpPeer {
	t.Helper()
	conn, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	p := &rtpPeer{addr: conn.LocalAddr().(*net.UDPAddr).AddrPort(), conn: conn, done: make(chan struct{}), came: make(chan struct{})}
	go p.listen(take)
	t.Cleanup(func() {
		_ = conn.Close()
		<-p.done
	})
	return p
}

func (p *rtpPeer) listen(take func(*rtpPeer, []byte)) {
	defer close(p.done)
	buf := make([]byte, 1500)
	for {
		n, from, err := p.conn.ReadFromUDPAddrPort(buf)
		if err != nil {
			return // closed
		}
		raw := bytes.Clone(buf[:n])
		one := packet{at: time.Now()}
		if one.Unmarshal(raw) != nil {
			continue // RTCP, or not for us
		}
		p.mu.Lock()
		if p.packets = append(p.packets, one); len(p.packets) == 1 {
			close(p.came)
		}
		p.from = from
		p.mu.Unlock()
		if take != nil {
			take(p, raw)
		}
	}
}

// got returns what came so far.
func (p *rtpPeer) got() []packet {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.packets[:len(p.packets):len(p.packets)]
}

func (p *rtpPeer) send(raw []byte) {
	p.mu.Lock()
	to := p.from
	p.mu.Unlock()
	_, _ = p.conn.WriteToUDPAddrPort(raw, to) // what is lost will be missed
}

// press sends a telephone key (RFC 4733): 100 ms, its end three times.
func (p *rtpPeer) press(key byte, sequence uint16, timestamp uint32) {
	for i := range 8 {
		duration, end := uint16(min(i+1, 6)*160), byte(0)
		if i >= 5 {
			end = 0x80
		}
		out := rtp.Packet{
			Header:  rtp.Header{Version: 2, PayloadType: 101, SSRC: 7, Marker: i == 0, SequenceNumber: sequence + uint16(i), Timestamp: timestamp},
			Payload: binary.BigEndian.AppendUint16([]byte{key, end | 10}, duration),
		}
		if raw, err := out.Marshal(); err == nil {
			p.send(raw)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// recording fetches what was recorded of a call over its link: the caller left,
// the agent right.
func (h *house) recording(c call) (left, right []int16) {
	h.Helper()
	left, right, rate := h.recorded(c)
	if rate != 8000 {
		h.Fatalf("the recording of call %s is of %d Hz, want 8000", c.ID, rate)
	}
	return left, right
}

// recorded returns both sides of a call's recording and its rate.
func (h *house) recorded(c call) (left, right []int16, rate int) {
	h.Helper()
	req, err := http.NewRequestWithContext(h.Context(), http.MethodGet, c.RecordingURL, nil)
	if err != nil {
		h.Fatal(err)
	}
	res, err := h.http.Do(req)
	if err != nil {
		h.Fatalf("the recording of call %s at %q: %v", c.ID, c.RecordingURL, err)
	}
	defer func() { _ = res.Body.Close() }()
	raw, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK {
		h.Fatalf("the recording of call %s answered %s, %v", c.ID, res.Status, err)
	}
	sound := bytes.NewReader(raw)
	format, err := audio.ReadWAVHeader(sound)
	if err != nil {
		h.Fatalf("the recording of call %s is no WAV: %v", c.ID, err)
	}
	if format.Channels != 2 || int(format.DataBytes) != sound.Len() {
		h.Fatalf("the recording of call %s is %+v with %d bytes of sound; want stereo, whole", c.ID, format, sound.Len())
	}
	samples := raw[len(raw)-sound.Len():]
	for i := 0; i+3 < len(samples); i += 4 {
		left = append(left, int16(binary.LittleEndian.Uint16(samples[i:])))
		right = append(right, int16(binary.LittleEndian.Uint16(samples[i+2:])))
	}
	return left, right, format.Rate
}

// recordedWhole asserts that the recording of a call lasts as long as the call.
func (h *house) recordedWhole(c call) {
	h.Helper()
	left, _ := h.recording(c)
	exact := h.exact(c.ID)
	if recorded := audio.Duration(len(left), 8000); (recorded - exact.Duration()).Abs() > 600*time.Millisecond { // a busy machine begins late
		h.Errorf("the recording of call %s, which lasted %v, lasts %v", c.ID, exact.Duration(), recorded)
	}
}

// onsets returns where sound begins after at least gap of silence.
func onsets(pcm []int16, gap time.Duration) []time.Duration {
	const loud = 500
	var found []time.Duration
	quiet := audio.Samples(gap, 8000) // the time before is silent
	for i, s := range pcm {
		if s < loud && s > -loud {
			quiet++
			continue
		}
		if quiet >= audio.Samples(gap, 8000) {
			found = append(found, audio.Duration(i, 8000))
		}
		quiet = 0
	}
	return found
}

// TestPeerMoves has a peer take its sound elsewhere, and change the codec, in
// mid-call: once by answering an offer that it asked for, once by an offer.
func TestPeerMoves(t *testing.T) {
	t.Parallel()
	h := open(t, setup{})
	first, second := newRTPPeer(t, nil), newRTPPeer(t, nil)
	p := siptest.UAS(t, siptest.Scenario{
		Name: siptest.Move, Media: first.addr, Pause: 2 * time.Second, Keys: map[string]string{"other_port": strconv.Itoa(int(second.addr.Port()))},
	})
	h.wants(h.ended(h.dial(p, map[string]any{"codecs": []string{"PCMU", "PCMA", "G722"}}, h.agent(nil, sings()...))), "completed", "flow-ended")
	heard := map[string]int{} // packets by peer and type
	sound := map[string][]int16{}
	decoders := map[string]audio.Decoder{}
	for name, peer := range map[string]*rtpPeer{"first": first, "second": second} {
		for _, packet := range peer.got() {
			codec, _ := audio.CodecByPayloadType(packet.PayloadType)
			what := name + " " + codec.Name
			if heard[what]++; heard[what] == 1 {
				decoders[what] = codec.NewDecoder()
			}
			frame := make([]int16, 320)
			sound[what] = append(sound[what], frame[:decoders[what].Decode(frame, packet.Payload)]...)
		}
	}
	// On a busy machine it moves late, and frames are left out: a fifth will do.
	if heard["second PCMA"] < 20 || heard["first G722"] < 20 || heard["second PCMU"]+heard["second G722"]+heard["first PCMA"] > 0 {
		t.Errorf("packets %v", heard)
	}
	tone := speechtest.Pitch("", sung)
	for what, rate := range map[string]int{"second PCMA": 8000, "first G722": 16000} {
		if n := parts(sound[what], rate, tone); n < 2 {
			t.Errorf("%s: the agent's tone is in %d00 ms", what, n)
		}
	}
}
