package rtp

import (
	"errors"
	"net"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/callwright/callwright/internal/audio"
	"github.com/callwright/callwright/internal/audio/audiotest"
)

// pair connects two legs; change may alter the options of either.
func pair(t testing.TB, change func(a, b *Options)) (a, b *Leg, tapeA, tapeB *tape) {
	t.Helper()
	pacer := newTestPacer(t)
	sa, sb, ta, tb := newTestSocket(t), newTestSocket(t), newTestSocket(t), newTestSocket(t)
	tapeA, tapeB = &tape{}, &tape{}
	text := func(own, other *Socket) *TextOptions {
		return &TextOptions{Socket: own, Remote: other.LocalAddr(), PT: t140PT, RedPT: redPT}
	}
	oa := Options{Pacer: pacer, Socket: sa, Remote: sb.LocalAddr(), Codec: audio.PCMU, EventPT: 101, Tap: tapeA.tap, Text: text(ta, tb)}
	ob := Options{Pacer: pacer, Socket: sb, Remote: sa.LocalAddr(), Codec: audio.PCMU, EventPT: 101, Tap: tapeB.tap, Text: text(tb, ta)}
	if change != nil {
		change(&oa, &ob)
	}
	return startLeg(t, oa), startLeg(t, ob), tapeA, tapeB
}

func TestLegsHearEachOther(t *testing.T) {
	for _, codec := range []audio.Codec{audio.PCMU, audio.PCMA} {
		t.Run(codec.Name, func(t *testing.T) {
			t.Parallel()
			a, b, tapeA, tapeB := pair(t, func(a, b *Options) { a.Codec, b.Codec = codec, codec })
			a.Playout().Enqueue(audio.Sine(8000, 440, 8000, 30*time.Second))
			b.Playout().Enqueue(audio.Sine(8000, 1000, 8000, 30*time.Second))
			hears := func(r *tape, hz float64) bool {
				pcm := r.heard(4000)
				return len(pcm) == 4000 && audiotest.Strength(pcm, 8000, hz) > 0.95
			}
			eventually(t, "a clear tone each way", func() bool { return hears(tapeA, 1000) && hears(tapeB, 440) })
			if hz := audiotest.Dominant(tapeB.heard(4000), 8000); hz < 437 || hz > 443 {
				t.Errorf("b hears %.1f Hz, want 440", hz)
			}
			tapeA.mu.Lock()
			begun := slices.IndexFunc(tapeA.out, func(s int16) bool { return s != 0 })
			if said := tapeA.out[begun:]; len(said) < 4000 || audiotest.Strength(said[:4000], 8000, 440) < 0.9 || len(tapeA.in) != len(tapeA.out) {
				t.Errorf("a's tap has not what a says: %d samples of it", len(said))
			}
			tapeA.mu.Unlock()
			if a.FirstSent().IsZero() || a.LastReceived().IsZero() {
				t.Error("the leg does not know when it sent and received")
			}
		})
	}
}

func TestLegSendsFiftyPacketsASecond(t *testing.T) {
	pacer, socket := newTestPacer(t), newTestSocket(t)
	peer := newRawPeer(t, socket.LocalAddr())
	leg := startLeg(t, Options{Pacer: pacer, Socket: socket, Remote: peer.addr(), Codec: audio.PCMA})
	first := peer.read()
	if first == nil || !first.Marker || first.PayloadType != 8 || len(first.Payload) != 160 {
		t.Fatalf("first packet %+v", first)
	}
	// What a busy machine delays is made up for; a clock that drifts always does.
	n, last, rate := 0, first, 0.0
	for try := 0; try < 5 && (rate < 49 || rate > 51); try++ {
		before, start := n, time.Now()
		for time.Since(start) < 2*time.Second {
			p := peer.read()
			if p == nil {
				t.Fatal("no packet for a second")
			}
			n++
			if p.SequenceNumber != last.SequenceNumber+1 || p.Timestamp != last.Timestamp+160 || p.SSRC != first.SSRC || p.Marker {
				t.Fatalf("%v after %v", p.Header, last.Header)
			}
			last = p
		}
		rate = float64(n-before) / time.Since(start).Seconds()
	}
	if rate < 49 || rate > 51 {
		t.Errorf("%.1f packets a second", rate)
	}
	if s := leg.Stats(); s.Sent < uint64(n) || s.Received != 0 {
		t.Errorf("stats %+v", s)
	}
}

func TestOutStreamKeepsInStepWithTime(t *testing.T) {
	var o outStream
	now := time.Now()
	for i := range 10 {
		if ts := o.advance(now); ts != uint32(160*i) {
			t.Fatalf("tick %d at %d", i, ts)
		}
		now = now.Add(audio.FrameDuration)
	}
	for i := 10; i < 20; i++ { // a stall that the pacer makes up for
		if ts := o.advance(now.Add(180 * time.Millisecond)); ts != uint32(160*i) || o.marker {
			t.Fatalf("tick %d at %d", i, ts)
		}
	}
	now = now.Add(180*time.Millisecond + time.Second) // one that it leaves out
	if ts := o.advance(now); ts != 160*(20+49) || !o.marker {
		t.Errorf("after a second's stall at tick %d", ts/160)
	}
}

func TestLegCutSilencesWithinOneFrame(t *testing.T) {
	pacer, socket := newTestPacer(t), newTestSocket(t)
	peer := newRawPeer(t, socket.LocalAddr())
	var cues []string
	var mu sync.Mutex
	leg := startLeg(t, Options{Pacer: pacer, Socket: socket, Remote: peer.addr(), Codec: audio.PCMU, OnCue: func(c string) {
		mu.Lock()
		defer mu.Unlock()
		cues = append(cues, c)
	}})
	leg.Playout().Cue("begin")
	leg.Playout().Enqueue(audio.Sine(8000, 440, 8000, time.Minute))
	leg.Playout().Cue("end")
	pcm := make([]int16, 160)
	loud := func(p []byte) bool { audio.DecodeULaw(pcm, p); return audio.Level(pcm[40:]) > 100 }
	for range 20 {
		if p := peer.read(); p == nil {
			t.Fatal("nothing was sent")
		}
	}
	sent := leg.Stats().Sent
	leg.Playout().Cut()
	late := leg.Stats().Sent - sent // ticks that came between
	loudAfter := -int(sent - 20)
	for range int(sent) - 20 + int(late) + 10 {
		if p := peer.read(); p != nil && loud(p.Payload) {
			loudAfter++
		}
	}
	if loudAfter > int(late)+1 {
		t.Errorf("%d loud frames after the cut", loudAfter)
	}
	mu.Lock()
	defer mu.Unlock()
	if len(cues) != 1 || cues[0] != "begin" {
		t.Errorf("cues %q", cues)
	}
}

func TestLegIgnoresInjectedSound(t *testing.T) {
	a, b, tapeA, _ := pair(t, nil)
	b.Playout().Enqueue(audio.Sine(8000, 1000, 8000, 10*time.Second))
	eventually(t, "a hears b", func() bool { return a.Stats().Received > 5 })
	thief := newRawPeer(t, a.o.Socket.LocalAddr())
	payload := payloadOf(audio.PCMU, audio.Sine(8000, 2000, 20000, audio.FrameDuration))
	for range 60 {
		thief.send(t, 0, payload)
		time.Sleep(5 * time.Millisecond)
	}
	time.Sleep(200 * time.Millisecond)
	if s := audiotest.Strength(tapeA.heard(3200), 8000, 2000); s > 0.01 {
		t.Errorf("the injected tone is heard: %.2f", s)
	}
	if got := a.Stats().Socket.Foreign; got != 60 {
		t.Errorf("%d of 60 foreign packets counted", got)
	}
	if a.o.Socket.Remote() != b.o.Socket.LocalAddr() {
		t.Error("packets go to the thief")
	}
}

func TestLegLearnsTheAddressBehindANAT(t *testing.T) {
	pacer, socket := newTestPacer(t), newTestSocket(t)
	dead, peer := newRawPeer(t, socket.LocalAddr()), newRawPeer(t, socket.LocalAddr())
	leg := startLeg(t, Options{Pacer: pacer, Socket: socket, Remote: dead.addr(), Codec: audio.PCMU})
	payload := payloadOf(audio.PCMU, make([]int16, 160))
	peer.send(t, 0, payload)
	peer.send(t, 0, payload)
	if peer.read() == nil {
		t.Error("nothing is sent to where the packets come from")
	}
	third := newRawPeer(t, socket.LocalAddr())
	leg.SetRemote(third.addr()) // a re-INVITE says another address
	if third.read() == nil {
		t.Error("nothing is sent to the new address")
	}
}

// TestLegTermsChangeTogether has a peer move and change its codec again and again
// while packets leave: each of its addresses gets one codec only.
func TestLegTermsChangeTogether(t *testing.T) {
	socket := newTestSocket(t)
	leg := startLeg(t, Options{Pacer: newTestPacer(t), Socket: socket, Remote: newRawPeer(t, socket.LocalAddr()).addr(), Codec: audio.G722})
	codecs := []audio.Codec{audio.PCMU, audio.PCMA}
	var peers []*rawPeer
	var readers sync.WaitGroup
	var right, wrong [2]atomic.Int64
	for i, codec := range codecs {
		p := newRawPeer(t, socket.LocalAddr())
		peers = append(peers, p)
		readers.Go(func() {
			for packet := p.read(); packet != nil; packet = p.read() {
				if packet.PayloadType == codec.PayloadType {
					right[i].Add(1)
				} else {
					wrong[i].Add(1)
				}
			}
		})
	}
	move := func(n int) error {
		err := leg.SetCodec(codecs[n%2], 0, 0)
		leg.SetRemote(peers[n%2].addr())
		return err
	}
	if err := leg.Together(func() error { return move(0) }); err != nil {
		t.Fatal(err)
	}
	moved := make(chan error, 1)
	go func() {
		began := time.Now()
		// Both peers have to be sent something: a busy machine may tick between few moves.
		for n := 0; n < 2000 || (right[0].Load() == 0 || right[1].Load() == 0) && time.Since(began) < 20*time.Second; n++ {
			if err := leg.Together(func() error { return move(n) }); err != nil {
				moved <- err
				return
			}
		}
		moved <- nil
	}()
	for done := false; !done; {
		select {
		case err := <-moved:
			if done = true; err != nil {
				t.Fatal(err)
			}
		default:
			leg.Tick(time.Now())
		}
	}
	if err := leg.Close(); err != nil {
		t.Fatal(err)
	}
	readers.Wait()
	for i := range codecs {
		if right[i].Load() == 0 || wrong[i].Load() > 0 {
			t.Errorf("%s: %d packets of the codec, %d of the other", codecs[i].Name, right[i].Load(), wrong[i].Load())
		}
	}
}

func TestLegKeys(t *testing.T) {
	var mu sync.Mutex
	var heard strings.Builder
	a, _, _, tapeB := pair(t, func(_, b *Options) {
		b.EventPT, b.EventInPT = 96, 101 // each side may ask for a type of its own
		b.OnDigit = func(key rune) {
			mu.Lock()
			defer mu.Unlock()
			heard.WriteRune(key)
		}
	})
	if err := a.SendDigits("nonsense"); err == nil {
		t.Error("nonsense was taken")
	}
	if err := a.SendDigits("11#"); err != nil {
		t.Fatal(err)
	}
	eventually(t, "three keys", func() bool {
		mu.Lock()
		defer mu.Unlock()
		return heard.String() == "11#"
	})
	if err := a.SetCodec(audio.PCMA, 0, 0); err != nil { // without events: as sound
		t.Fatal(err)
	}
	if err := a.SendDigits("1"); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the tones of 1", func() bool {
		pcm := tapeB.heard(800)
		return audiotest.Strength(pcm, 8000, 697) > 0.3 && audiotest.Strength(pcm, 8000, 1209) > 0.3
	})
	if a.SetCodec(audio.Codec{}, 0, 0) == nil {
		t.Error("no codec was taken for one")
	}
}

func TestLegText(t *testing.T) {
	var mu sync.Mutex
	var got string
	a, _, _, _ := pair(t, func(_, b *Options) {
		b.OnText = func(text string) {
			mu.Lock()
			defer mu.Unlock()
			got = ApplyT140(got, text)
		}
	})
	a.SendText("Helo\blo, Wörld")
	a.SendText("\u2028")
	eventually(t, "the text", func() bool {
		mu.Lock()
		defer mu.Unlock()
		return got == "Hello, Wörld\u2028"
	})
}

func TestLegHold(t *testing.T) {
	t.Parallel()
	var timeouts atomic.Int64
	a, b, _, _ := pair(t, func(_, b *Options) {
		b.Timeout = 300 * time.Millisecond
		b.OnTimeout = func() { timeouts.Add(1) }
	})
	eventually(t, "sound", func() bool { return b.Stats().Received > 3 })
	b.Hold(true)
	a.Hold(true)
	a.Playout().Enqueue(make([]int16, 1600))
	time.Sleep(50 * time.Millisecond)
	sent := a.Stats().Sent
	time.Sleep(500 * time.Millisecond)
	if now := a.Stats().Sent; now != sent {
		t.Errorf("%d packets were sent on hold", now-sent)
	}
	if a.Playout().Queued() != 200*time.Millisecond || timeouts.Load() != 0 {
		t.Errorf("on hold: queued %v, %d timeouts", a.Playout().Queued(), timeouts.Load())
	}
	a.Hold(false)
	eventually(t, "sound after hold", func() bool { return a.Stats().Sent > sent+3 })
	a.Hold(true)
	b.Hold(false) // now b waits for sound that does not come
	eventually(t, "a media timeout", func() bool { return timeouts.Load() > 0 })
	time.Sleep(100 * time.Millisecond)
	if timeouts.Load() != 1 {
		t.Errorf("%d timeouts", timeouts.Load())
	}
}

func TestLegSurvivesPanicsOfItsUser(t *testing.T) {
	var faults atomic.Int64
	a, b, _, tapeB := pair(t, func(a, _ *Options) {
		a.Tap = func(_, _ []int16) { panic("recorder") }
		a.OnFault = func(error) { faults.Add(1) }
	})
	a.Playout().Enqueue(audio.Sine(8000, 440, 8000, 30*time.Second))
	eventually(t, "sound in spite of it", func() bool {
		return audiotest.Strength(tapeB.heard(1600), 8000, 440) > 0.9
	})
	if faults.Load() != 1 || a.Stats().Faults < 5 || b.Stats().Faults != 0 {
		t.Errorf("%d reports, %d and %d faults", faults.Load(), a.Stats().Faults, b.Stats().Faults)
	}
}

// netem is a UDP relay that delays, loses and reorders.
func netem(t *testing.T, to *Socket, mangle func(n int) (drop bool, delay time.Duration)) *net.UDPConn {
	t.Helper()
	relay := newRawPeer(t, to.LocalAddr())
	var wg sync.WaitGroup
	wg.Go(func() {
		for n := 0; ; {
			buf := make([]byte, maxPacket)
			size, from, err := relay.conn.ReadFromUDPAddrPort(buf)
			if err != nil {
				return
			}
			if from == to.LocalAddr() {
				continue // the other direction
			}
			n++
			if drop, delay := mangle(n); !drop {
				wg.Go(func() {
					time.Sleep(delay)
					_, _ = relay.conn.WriteToUDPAddrPort(buf[:size], to.LocalAddr())
				})
			}
		}
	})
	t.Cleanup(func() { _ = relay.conn.Close(); wg.Wait() })
	return relay.conn
}

func TestLegOverABadLine(t *testing.T) {
	t.Parallel()
	var b *Leg
	var relay *net.UDPConn
	a, b, _, tapeB := pair(t, func(a, b *Options) {
		relay = netem(t, b.Socket, func(n int) (bool, time.Duration) {
			return n%20 == 19, time.Duration(n*7919%30) * time.Millisecond // 5 % lost, 30 ms of jitter
		})
		a.Remote, b.Remote = localAddr(relay), localAddr(relay)
	})
	a.Playout().Enqueue(audio.Sine(8000, 440, 8000, 5*time.Second))
	eventually(t, "a tone over a bad line", func() bool {
		return b.Stats().Received > 120 && audiotest.Strength(tapeB.heard(8000), 8000, 440) > 0.8
	})
	s := b.Stats()
	if s.Lost < 3 || s.Jitter < time.Millisecond || s.Buffer.Concealed < 1 {
		t.Errorf("stats %+v", s)
	}
}

func TestLegComfortNoiseIsSilence(t *testing.T) {
	pacer, socket, r := newTestPacer(t), newTestSocket(t), &tape{}
	peer := newRawPeer(t, socket.LocalAddr())
	leg := startLeg(t, Options{Pacer: pacer, Socket: socket, Remote: peer.addr(), Codec: audio.PCMU, Tap: r.tap})
	for range 10 {
		peer.send(t, payloadComfortNoise, []byte{50})
		peer.send(t, 77, []byte("unknown"))
	}
	eventually(t, "the packets", func() bool { return leg.Stats().Received == 20 })
	time.Sleep(100 * time.Millisecond)
	if audio.Level(r.heard(1600)) != 0 {
		t.Error("comfort noise was decoded as sound")
	}
}

func TestNewLegRefuses(t *testing.T) {
	pacer := newTestPacer(t)
	for name, o := range map[string]Options{
		"no pacer":    {Socket: newTestSocket(t), Codec: audio.PCMU},
		"no socket":   {Pacer: pacer, Codec: audio.PCMU},
		"no codec":    {Pacer: pacer, Socket: newTestSocket(t), Text: &TextOptions{Socket: newTestSocket(t)}},
		"text socket": {Pacer: pacer, Socket: newTestSocket(t), Codec: audio.PCMU, Text: &TextOptions{}},
	} {
		if _, err := NewLeg(o); err == nil {
			t.Errorf("%s: a leg was made", name)
		}
		if o.Socket != nil && !errors.Is(o.Socket.ReadPacket(&Packet{}), net.ErrClosed) {
			t.Errorf("%s: the socket was left open", name)
		}
	}
	pacer.Close()
	if _, err := NewLeg(Options{Pacer: pacer, Socket: newTestSocket(t), Codec: audio.PCMU}); !errors.Is(err, net.ErrClosed) {
		t.Errorf("closed pacer: %v", err)
	}
}

func TestLegCloseEndsAllCallbacks(t *testing.T) {
	var closed atomic.Bool
	var after atomic.Int64
	a, _, _, _ := pair(t, func(a, _ *Options) {
		a.Tap = func(_, _ []int16) {
			time.Sleep(time.Millisecond)
			if closed.Load() {
				after.Add(1)
			}
		}
	})
	time.Sleep(50 * time.Millisecond)
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	closed.Store(true)
	time.Sleep(50 * time.Millisecond)
	if after.Load() != 0 {
		t.Error("a function was called after Close")
	}
	if err := a.Close(); err != nil {
		t.Error(err)
	}
}

// benchLeg makes a leg whose ticks are driven by the caller, with a peer that
// has sent something.
func benchLeg(t testing.TB, tap func(in, out []int16)) *Leg {
	pacer := NewPacer()
	socket := newTestSocket(t)
	peer := newRawPeer(t, socket.LocalAddr())
	leg := startLeg(t, Options{Pacer: pacer, Socket: socket, Remote: peer.addr(), Codec: audio.PCMU, Tap: tap,
		Text: &TextOptions{Socket: newTestSocket(t), Remote: peer.addr(), PT: t140PT, RedPT: redPT}})
	pacer.Close()
	leg.Playout().Enqueue(audio.Sine(8000, 440, 8000, 10*time.Second))
	return leg
}

func TestLegTickDoesNotAllocate(t *testing.T) {
	leg := benchLeg(t, func(_, _ []int16) {})
	now := time.Now()
	p := &Packet{At: now}
	p.Payload = payloadOf(audio.PCMU, make([]int16, 160))
	leg.Playout().Mark(1)
	allocs := testing.AllocsPerRun(200, func() {
		p.SequenceNumber++
		p.Timestamp += 160
		p.At = now
		leg.arrive(p)
		leg.Tick(now)
		leg.Finish(now)
		now = now.Add(audio.FrameDuration)
	})
	if allocs != 0 {
		t.Errorf("%v allocations a tick", allocs)
	}
}

func BenchmarkLegTick(b *testing.B) {
	leg := benchLeg(b, func(_, _ []int16) {})
	now := time.Now()
	p := &Packet{At: now}
	p.Payload = payloadOf(audio.PCMU, audio.Sine(8000, 440, 8000, audio.FrameDuration))
	b.ReportAllocs()
	for b.Loop() {
		p.SequenceNumber++
		p.Timestamp += 160
		p.At = now
		leg.arrive(p)
		leg.Tick(now)
		leg.Finish(now)
		now = now.Add(audio.FrameDuration)
	}
}
