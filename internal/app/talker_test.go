package app_test

import (
	"container/heap"
	"context"
	"math/rand/v2"
	"net"
	"net/netip"
	"sync"
	"testing"
	"time"

	pionrtp "github.com/pion/rtp"

	"github.com/callwright/callwright/internal/audio"
	"github.com/callwright/callwright/internal/sdp"
	"github.com/callwright/callwright/internal/sip"
)

// network is what happens to the packets that a talker sends. The same seed
// does the same.
type network struct {
	loss      float64 // share of packets
	duplicate float64
	jitter    time.Duration // each packet is late by up to this: beyond 20 ms they overtake each other
	seed      uint64
}

// talker is a phone whose user is a test: it answers each number that has a
// script, and sends what the script wants said over a bad network.
type talker struct {
	t       *testing.T
	ua      *sip.UA
	addr    netip.AddrPort
	scripts map[string]script
	calls   sync.WaitGroup
	ready   chan struct{}
}

// script is one number: what is said, on what background, over which network.
type script struct {
	network    network
	background func(n int) int16 // the nth sample of the call; nil is silence
	say        func(ctx context.Context, l *talkerLine)
}

func newTalker(t *testing.T, scripts map[string]script) *talker {
	t.Helper()
	p := &talker{t: t, scripts: scripts, ready: make(chan struct{})}
	ua, err := sip.New(sip.Options{Listen: netip.MustParseAddrPort("127.0.0.1:0"), OnInvite: func(in *sip.Incoming) {
		p.calls.Go(func() { p.answer(in) })
	}})
	if err != nil {
		t.Fatal(err)
	}
	p.ua, p.addr = ua, ua.Addr()
	close(p.ready)
	t.Cleanup(func() {
		p.calls.Wait()
		_ = ua.Close()
	})
	return p
}

func (p *talker) answer(in *sip.Incoming) {
	<-p.ready
	script, known := p.scripts[in.To]
	offer, err := sdp.Parse(in.Body)
	if err != nil || !known {
		_ = in.Reject(404, "Not Found")
		return
	}
	conn, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		p.t.Error(err)
		return
	}
	addr := conn.LocalAddr().(*net.UDPAddr).AddrPort()
	reply, agreed, err := sdp.Answer(offer, sdp.Options{Addr: addr.Addr(), AudioPort: int(addr.Port()), Codecs: []string{"PCMU"}})
	if err != nil {
		p.t.Error(err)
		return
	}
	dialog, err := in.Answer(reply.Bytes())
	if err != nil {
		p.t.Error(err)
		return
	}
	ctx, hangUp := context.WithCancel(context.Background())
	l := &talkerLine{conn: conn, to: agreed.AudioRemote, script: script, began: time.Now()}
	var work sync.WaitGroup
	work.Go(l.listen)
	work.Go(func() { l.send(ctx) })
	work.Go(func() {
		select {
		case <-dialog.Done():
		case <-time.After(callLimit + 30*time.Second):
		}
		hangUp()
		_ = conn.Close()
	})
	script.say(ctx, l)
	work.Wait()
}

// talkerLine is one call of a talker.
type talkerLine struct {
	conn   *net.UDPConn
	to     netip.AddrPort
	script script
	began  time.Time

	mu    sync.Mutex
	queue []int16 // to be said
	loud  []time.Time
}

// say says pcm and returns when the last of it was sent, with when its first
// sample was.
func (l *talkerLine) say(ctx context.Context, pcm []int16) (began time.Time) {
	l.mu.Lock()
	l.queue = append(l.queue, pcm...)
	l.mu.Unlock()
	began = time.Now()
	for ctx.Err() == nil {
		l.mu.Lock()
		left := len(l.queue)
		l.mu.Unlock()
		if left == 0 {
			break
		}
		l.rest(ctx, 10*time.Millisecond)
	}
	return began
}

// rest lets time pass.
func (l *talkerLine) rest(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}

// hears waits until the agent has begun to speak after the given time, and with
// done until it has then been silent for 400 ms. It returns when the agent's
// sound began and ended.
func (l *talkerLine) hears(ctx context.Context, after time.Time, done bool) (from, to time.Time) {
	for ctx.Err() == nil {
		l.mu.Lock()
		from, to = time.Time{}, time.Time{}
		for _, at := range l.loud {
			if at.After(after) {
				if from.IsZero() {
					from = at
				}
				to = at
			}
		}
		l.mu.Unlock()
		if !from.IsZero() && (!done || time.Since(to) > 400*time.Millisecond) {
			return from, to
		}
		l.rest(ctx, 10*time.Millisecond)
	}
	return from, to
}

// silences are those of at least 250 ms in the agent's sound from one time to
// another.
func (l *talkerLine) silences(from, to time.Time) (out []time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	last := from
	for _, at := range append(l.loud[:len(l.loud):len(l.loud)], to) {
		if at.Before(from) || at.After(to) {
			continue
		}
		if gap := at.Sub(last); gap > 250*time.Millisecond {
			out = append(out, gap)
		}
		last = at
	}
	return out
}

// listen notes when the agent's sound comes.
func (l *talkerLine) listen() {
	codec, _ := audio.CodecByName("PCMU")
	decoder := codec.NewDecoder()
	buf, pcm := make([]byte, 1500), make([]int16, 1500)
	for {
		n, err := l.conn.Read(buf)
		if err != nil {
			return // closed
		}
		var p pionrtp.Packet
		if p.Unmarshal(buf[:n]) != nil || p.PayloadType != codec.PayloadType {
			continue
		}
		if n := decoder.Decode(pcm, p.Payload); audio.Level(pcm[:n]) > 100 {
			l.mu.Lock()
			l.loud = append(l.loud, time.Now())
			l.mu.Unlock()
		}
	}
}

// late is a packet that is on its way.
type late struct {
	at  time.Time
	raw []byte
}

// flying are packets on their way, the next to arrive first.
type flying []late

func (f flying) Len() int           { return len(f) }
func (f flying) Less(i, j int) bool { return f[i].at.Before(f[j].at) }
func (f flying) Swap(i, j int)      { f[i], f[j] = f[j], f[i] }
func (f *flying) Push(x any)        { *f = append(*f, x.(late)) }
func (f *flying) Pop() any {
	last := (*f)[len(*f)-1]
	*f = (*f)[:len(*f)-1]
	return last
}

// send sends a packet each 20 ms, through the network.
func (l *talkerLine) send(ctx context.Context) {
	n := l.script.network
	chance := rand.New(rand.NewPCG(n.seed, 7))
	codec, _ := audio.CodecByName("PCMU")
	encoder := codec.NewEncoder()
	frame := make([]int16, 160)
	var air flying
	next := time.Now()
	for i := 0; ctx.Err() == nil; {
		if wait := time.Until(next); len(air) > 0 && time.Until(air[0].at) < wait {
			time.Sleep(max(time.Until(air[0].at), 0))
			_, _ = l.conn.WriteToUDPAddrPort(heap.Pop(&air).(late).raw, l.to)
			continue
		} else if wait > 0 {
			time.Sleep(wait)
		}
		l.fill(frame, i*160)
		p := pionrtp.Packet{Header: pionrtp.Header{Version: 2, PayloadType: codec.PayloadType, SSRC: 42, SequenceNumber: uint16(i), Timestamp: uint32(i * 160)}, Payload: make([]byte, 160)}
		encoder.Encode(p.Payload, frame)
		raw, err := p.Marshal()
		if err != nil {
			return
		}
		copies := 1
		switch roll := chance.Float64(); {
		case roll < n.loss:
			copies = 0
		case roll < n.loss+n.duplicate:
			copies = 2
		}
		for range copies {
			heap.Push(&air, late{at: next.Add(time.Duration(chance.Float64() * float64(n.jitter))), raw: raw})
		}
		i++
		next = next.Add(20 * time.Millisecond)
	}
}

// fill takes the next frame of what is to be said, on the background.
func (l *talkerLine) fill(frame []int16, at int) {
	l.mu.Lock()
	n := copy(frame, l.queue)
	l.queue = l.queue[n:]
	l.mu.Unlock()
	clear(frame[n:])
	if l.script.background == nil {
		return
	}
	for i := range frame {
		frame[i] = int16(max(-32768, min(32767, int(frame[i])+int(l.script.background(at+i)))))
	}
}
