package rtp

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/callwright/callwright/internal/audio"
	"github.com/callwright/callwright/internal/audio/audiotest"
	pionrtp "github.com/pion/rtp"
)

// arrival is a packet on its simulated way: 20 ms of sound each.
type arrival struct {
	n      int // which packet of the stream
	after  time.Duration
	marker bool
	ts     uint32 // added to n frames
	ssrc   uint32
}

// line simulates a network between a tone at 440 Hz and a JitterBuffer.
type line struct {
	buffer  *JitterBuffer
	tone    []int16
	base    uint32
	samples int // in a packet
	out     []int16
	heard   []bool
}

func newLine(d time.Duration) *line {
	return &line{buffer: NewJitterBuffer(8000), tone: audio.Sine(clockRate, 440, 8000, d), base: 0xffffffff - 5000, samples: frameSamples}
}

// play delivers the arrivals at their times, popping every 20 ms till end.
func (l *line) play(arrivals []arrival, end time.Duration) {
	slices.SortStableFunc(arrivals, func(a, b arrival) int { return int(a.after - b.after) })
	start := time.Now()
	frame := make([]int16, frameSamples)
	for now := 7 * time.Millisecond; now < end; now += audio.FrameDuration {
		for len(arrivals) > 0 && arrivals[0].after <= now {
			a := arrivals[0]
			arrivals = arrivals[1:]
			at := a.n * l.samples
			h := pionrtp.Header{
				SequenceNumber: uint16(65000 + a.n), Timestamp: l.base + uint32(at) + a.ts, SSRC: a.ssrc, Marker: a.marker,
			}
			l.buffer.Push(&h, l.tone[at:at+l.samples], start.Add(a.after))
		}
		l.heard = append(l.heard, l.buffer.Pop(frame, start.Add(now)))
		l.out = append(l.out, frame...)
	}
}

func stream(n int, alter func(i int, a *arrival) bool) []arrival {
	var list []arrival
	for i := range n {
		a := arrival{n: i, after: time.Duration(i) * audio.FrameDuration}
		if alter == nil || alter(i, &a) {
			list = append(list, a)
		}
	}
	return list
}

func TestJitterBufferSteadyStreamIsExact(t *testing.T) {
	l := newLine(2 * time.Second)
	l.play(stream(100, nil), 1900*time.Millisecond)
	first := slices.Index(l.heard, true)
	if first < 2 || first > 4 {
		t.Errorf("the first sound came after %d frames, want about 60 ms", first)
	}
	// A tone never pauses, so the delay cannot change: all samples come through.
	got := l.out[first*frameSamples:]
	if !slices.Equal(got, l.tone[:len(got)]) {
		t.Error("the sound came out changed, across both wraps")
	}
	if s := l.buffer.Stats(); s.Late+s.Duplicates+s.Concealed != 0 {
		t.Errorf("stats %+v", s)
	}
}

func TestJitterBufferReordersAndDropsDuplicates(t *testing.T) {
	l := newLine(2 * time.Second)
	arrivals := stream(100, func(i int, a *arrival) bool {
		if i%5 == 3 {
			a.after += 25 * time.Millisecond // overtaken by the next
		}
		return true
	})
	arrivals = append(arrivals, stream(100, func(i int, a *arrival) bool {
		a.after += 5 * time.Millisecond
		return i%7 == 0
	})...)
	l.play(arrivals, 1900*time.Millisecond)
	first := slices.Index(l.heard, true)
	if got := l.out[first*frameSamples:]; !slices.Equal(got, l.tone[:len(got)]) {
		t.Error("the sound came out changed")
	}
	if s := l.buffer.Stats(); s.Duplicates < 10 || s.Concealed != 0 {
		t.Errorf("stats %+v", s)
	}
}

func TestJitterBufferTakesAnyPacketLength(t *testing.T) {
	for _, samples := range []int{80, 240, 320, 480, 100} {
		l := newLine(2 * time.Second)
		l.samples = samples
		n := len(l.tone) / samples
		arrivals := make([]arrival, n)
		for i := range arrivals {
			arrivals[i] = arrival{n: i, after: time.Duration(i*samples) * time.Second / clockRate}
		}
		l.play(arrivals, 1800*time.Millisecond)
		first := slices.Index(l.heard, true)
		if first < 0 {
			t.Fatalf("packets of %d samples were not heard", samples)
		}
		if s := l.buffer.Stats(); s.Concealed > 1 || s.Late > 0 {
			t.Errorf("packets of %d samples: stats %+v", samples, s)
		}
		if s := audiotest.Strength(l.out[first*frameSamples:], clockRate, 440); s < 0.99 {
			t.Errorf("packets of %d samples: strength %.3f", samples, s)
		}
	}
}

func TestJitterBufferConcealsLoss(t *testing.T) {
	l := newLine(4 * time.Second)
	random := rand.New(rand.NewPCG(1, 2))
	l.play(stream(200, func(i int, _ *arrival) bool { return i < 10 || random.Float64() > 0.1 }), 3900*time.Millisecond)
	out := l.out[10*frameSamples:]
	if s := audiotest.Strength(out, clockRate, 440); s < 0.9 {
		t.Errorf("with a tenth lost the tone's strength is %.3f", s)
	}
	if l.buffer.Stats().Concealed < 10 {
		t.Errorf("stats %+v", l.buffer.Stats())
	}
	for i := 1; i < len(out); i++ {
		if step := int(out[i]) - int(out[i-1]); step > 6000 || step < -6000 { // the tone's own are under 2800
			t.Fatalf("a click of %d at sample %d", step, i)
		}
	}
}

func TestJitterBufferFallsSilentAndComesBack(t *testing.T) {
	l := newLine(4 * time.Second)
	// Silence suppression: nothing is sent from 0.6 s to 1.6 s, then timestamps
	// go on in step with time.
	l.play(stream(150, func(i int, _ *arrival) bool { return i < 30 || i >= 80 }), 3*time.Second)
	if level := audio.Level(l.out[50*frameSamples : 80*frameSamples]); level != 0 {
		t.Errorf("the pause sounds at level %.1f", level)
	}
	if s := audiotest.Strength(l.out[90*frameSamples:], clockRate, 440); s < 0.99 {
		t.Errorf("after the pause the strength is %.3f", s)
	}
	if s := l.buffer.Stats(); s.Concealed > 4 || s.Late > 0 {
		t.Errorf("stats %+v", s)
	}
}

func TestJitterBufferFindsAStreamThatJumped(t *testing.T) {
	tests := []struct {
		name  string
		alter func(i int, a *arrival) bool
	}{
		{"another source", func(i int, a *arrival) bool {
			if i >= 50 {
				a.ssrc, a.ts = 99, 123456789
			}
			return true
		}},
		{"timestamps that leap ahead", func(i int, a *arrival) bool {
			if i >= 50 {
				a.ts = 1 << 30
			}
			return true
		}},
		{"timestamps that stood still in a pause, marked", func(i int, a *arrival) bool {
			if i >= 50 {
				a.after += 700 * time.Millisecond
				a.marker = i == 50
			}
			return true
		}},
		{"timestamps that stood still in a pause, not marked", func(i int, a *arrival) bool {
			if i >= 50 {
				a.after += 700 * time.Millisecond
			}
			return true
		}},
		{"timestamps that leap back", func(i int, a *arrival) bool {
			if i >= 50 {
				a.ts = ^uint32(1 << 20)
			}
			return true
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l := newLine(4 * time.Second)
			l.play(stream(150, tt.alter), 3*time.Second)
			if s := audiotest.Strength(l.out[100*frameSamples:], clockRate, 440); s < 0.99 {
				t.Errorf("strength %.3f; %+v", s, l.buffer.Stats())
			}
		})
	}
}

// speech pauses, so that the delay can change unheard.
func (l *line) makeSpeech() {
	for i := range l.tone {
		if i/frameSamples%25 >= 15 {
			l.tone[i] = 0
		}
	}
}

func TestJitterBufferDelayFollowsTheNetwork(t *testing.T) {
	calm := newLine(40 * time.Second)
	calm.makeSpeech()
	calm.play(stream(500, nil), 10*time.Second)
	if s := calm.buffer.Stats(); s.Delay > 50*time.Millisecond || s.Late > 0 {
		t.Errorf("on a steady line: %+v", s)
	}
	random := rand.New(rand.NewPCG(3, 4))
	arrivals := stream(1000, func(i int, a *arrival) bool {
		if i >= 500 {
			a.after += time.Duration(random.IntN(100)) * time.Millisecond
		}
		return true
	})
	rough := newLine(40 * time.Second)
	rough.makeSpeech()
	rough.play(arrivals, 20*time.Second)
	busy := rough.buffer.Stats()
	if busy.Delay < 90*time.Millisecond || busy.Delay > 230*time.Millisecond {
		t.Errorf("with 100 ms of jitter: %+v", busy)
	}
	if lateShare := float64(busy.Late) / 500; lateShare > 0.1 {
		t.Errorf("%.2f of the packets were late", lateShare)
	}
}

func TestJitterBufferFollowsTheOtherClock(t *testing.T) {
	for _, ppm := range []float64{300, -300} {
		l := newLine(62 * time.Second)
		l.makeSpeech()
		l.play(stream(3000, func(i int, a *arrival) bool {
			a.after = time.Duration(float64(a.after) * (1 + ppm/1e6))
			return true
		}), 59*time.Second)
		s := l.buffer.Stats()
		if s.Late > 2 || s.Delay > 120*time.Millisecond {
			t.Errorf("%+v ppm: %+v", ppm, s)
		}
	}
}

func TestJitterBufferSurvivesAStall(t *testing.T) {
	l := newLine(8 * time.Second)
	l.makeSpeech()
	l.play(stream(300, func(i int, a *arrival) bool {
		if i >= 100 && i < 125 { // half a second held back, then all at once
			a.after = 125 * audio.FrameDuration
		}
		return true
	}), 6*time.Second)
	if s := l.buffer.Stats(); s.Delay > 120*time.Millisecond {
		t.Errorf("the stall's delay stayed: %+v", s)
	}
}

func TestJitterBufferDoesNotAllocate(t *testing.T) {
	j := NewJitterBuffer(8000)
	pcm, h, now := make([]int16, frameSamples), pionrtp.Header{}, time.Now()
	allocs := testing.AllocsPerRun(200, func() {
		j.Push(&h, pcm, now)
		j.Pop(pcm, now)
		h.SequenceNumber++
		h.Timestamp += uint32(frameSamples)
		now = now.Add(audio.FrameDuration)
	})
	if allocs != 0 {
		t.Errorf("%v allocations a packet", allocs)
	}
}

func TestJitterBufferRefusesNonsense(t *testing.T) {
	j := NewJitterBuffer(8000)
	frame := make([]int16, frameSamples)
	j.Push(&pionrtp.Header{}, nil, time.Now())
	j.Push(&pionrtp.Header{}, make([]int16, ringUnits), time.Now())
	if j.Pop(frame, time.Now()) {
		t.Error("sound came from nothing")
	}
}

func FuzzJitterBuffer(f *testing.F) {
	f.Add([]byte{0, 0, 160, 1, 1, 160, 9, 200, 80})
	f.Fuzz(func(t *testing.T, script []byte) {
		j := NewJitterBuffer(8000)
		now, frame := time.Now(), make([]int16, frameSamples)
		for ; len(script) >= 3; script = script[3:] {
			h := pionrtp.Header{Timestamp: uint32(script[0]) << 24, SequenceNumber: uint16(script[1]), Marker: script[1]&1 > 0}
			h.Timestamp += uint32(script[1]) * 160
			now = now.Add(time.Duration(script[2]) * time.Millisecond)
			j.Push(&h, make([]int16, int(script[2])*3), now)
			j.Pop(frame, now)
			if j.depth > 1<<20 || j.depth < -1<<31 {
				t.Fatalf("depth %d", j.depth)
			}
		}
	})
}
