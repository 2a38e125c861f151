package sip

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// These are kept small for every day; a long run takes 100,000 and a minute.
var (
	mutatedPackets = flag.Int("mutated", 20000, "packets that TestMutatedPackets sends")
	floodTime      = flag.Duration("flood", time.Second, "how long TestFlood floods")
)

// flood sends INVITEs of new calls, perSecond of them until stop is closed, and
// returns how many it sent.
func (r *raw) flood(perSecond int, stop <-chan struct{}) int {
	text := strings.ReplaceAll(r.ask("INVITE", target, peerFrom, ourTo, "CALLID", 1, "", offer), "\n", "\r\n")
	head, tail, _ := strings.Cut(text, "CALLID")
	branch, rest, _ := strings.Cut(head, "branch=")
	_, rest, _ = strings.Cut(rest, "\r\n")
	sent := 0
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-stop:
			return sent
		case <-tick.C:
		}
		for range perSecond / 100 {
			id := fmt.Sprintf("%s%d", "flood", sent)
			if _, err := r.conn.WriteTo([]byte(branch+"branch=z9hG4bK"+id+"\r\n"+rest+id+tail), r.to); err == nil {
				sent++
			}
		}
	}
}

func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// TestFlood: while a stranger floods, a known peer's calls go through in the
// usual time, and what is kept of the flood is bounded.
func TestFlood(t *testing.T) {
	for _, stranger := range []Admission{Drop, Guest, Refuse} {
		t.Run(fmt.Sprint(stranger), func(t *testing.T) {
			var strange atomic.Int64
			u := newUA(t, Options{Admit: door(map[string]Admission{"127.0.0.1": Serve, "127.0.0.2": stranger}), OnInvite: func(in *Incoming) {
				if in.Source.Addr().String() != "127.0.0.1" {
					strange.Add(1)
					<-in.Canceled() // it would ring for ever
					return
				}
				if d, err := in.Answer([]byte(answer)); err == nil {
					<-d.Done()
				}
			}})
			attacker, caller := newRawAt(t, u, "127.0.0.2"), newUA(t, Options{})
			before := heap()
			stop, sent := make(chan struct{}), make(chan int, 1)
			go func() { sent <- attacker.flood(5000, stop) }()
			var took []time.Duration
			for began := time.Now(); time.Since(began) < *floodTime; {
				start := time.Now()
				d, err := caller.Invite(within(t, 5*time.Second), Invite{URI: "sip:1@" + u.Addr().String(), From: "2", Body: []byte(offer)})
				if err != nil {
					t.Fatalf("a known peer's call: %v", err)
				}
				took = append(took, time.Since(start))
				if err := d.Bye(within(t, 5*time.Second)); err != nil {
					t.Fatalf("its BYE: %v", err)
				}
				time.Sleep(20 * time.Millisecond) // the pace of the calls, not a wait
			}
			close(stop)
			n := <-sent
			after := heap()
			slices.Sort(took)
			t.Logf("%d INVITEs sent, %d came through; %d calls, set up in p50 %v, p99 %v; heap %+d kB", n, strange.Load(), len(took),
				took[len(took)/2], took[len(took)*99/100], (int64(after)-int64(before))/1024)
			if p := took[len(took)*9/10]; p > 400*time.Millisecond {
				t.Errorf("calls are set up in p90 %v", p)
			}
			if after > before+32<<20 {
				t.Errorf("the heap grew by %d MB", (after-before)>>20)
			}
			if got := strange.Load(); got > 350 || stranger != Guest && got > 0 {
				t.Errorf("%d strangers' calls came through", got)
			}
			if n < 500 {
				t.Errorf("only %d INVITEs were sent", n)
			}
		})
	}
}

// TestStrangersCannotTakeAllPlaces: calls that ring for ever leave room for
// those of known peers.
func TestStrangersCannotTakeAllPlaces(t *testing.T) {
	t.Parallel()
	u := newUA(t, Options{MaxIncoming: 8, Admit: door(map[string]Admission{"127.0.0.1": Serve, "127.0.0.2": Guest}), OnInvite: func(in *Incoming) {
		if in.Source.Addr().String() == "127.0.0.1" {
			_ = in.Reject(486, "Busy Here")
		}
	}})
	r, guest := newRaw(t, u), newRawAt(t, u, "127.0.0.2")
	for i := range 10 {
		guest.send(guest.invitation(fmt.Sprint("ringing", i)))
	}
	guest.status(503)
	r.send(r.invitation("known"))
	r.status(486)
}

// mutate changes a packet in one of the ways that break parsers.
func mutate(rng *rand.Rand, data, other []byte) []byte {
	out := bytes.Clone(data)
	at, to := rng.IntN(len(out)), rng.IntN(len(out))
	from, until := min(at, to), max(at, to)
	switch rng.IntN(9) {
	case 0:
		out[at] ^= 1 << rng.IntN(8)
	case 1:
		out[at] = []byte("\x00\r\n\t \"\\<>;,=:/@%[]\xff")[rng.IntN(19)]
	case 2:
		return out[:at+1]
	case 3:
		return slices.Delete(out, from, until)
	case 4:
		return slices.Insert(out, at, out[from:until]...)
	case 5:
		return append(out[:at], other[rng.IntN(len(other)):]...)
	case 6:
		return slices.Insert(out, at, bytes.Repeat([]byte{out[at]}, 1+rng.IntN(2000))...)
	case 7:
		return slices.Insert(out, at, []byte("4294967296")...)
	case 8:
		if line := bytes.Index(out[at:], []byte("\r\n")); line >= 0 {
			return slices.Insert(out, at+line+2, other[:min(len(other), 1+rng.IntN(200))]...)
		}
	}
	return out
}

// TestMutatedPackets: a node that gets nothing but damaged messages serves on,
// loses no goroutine, and logs no panic.
func TestMutatedPackets(t *testing.T) {
	t.Parallel()
	var corpus [][]byte
	for _, file := range []string{"rfc4475.txt", "rfc5118.txt"} {
		for _, data := range torture(t, file) {
			corpus = append(corpus, data)
		}
	}
	u := newUA(t, Options{T1: quick, Logger: slog.New(panicLog{t}), Limits: Limits{PeerRate: 1 << 20}, OnInvite: func(in *Incoming) {
		if d, err := in.Answer([]byte(answer)); err == nil {
			_ = d.Bye(context.Background())
		}
	}})
	attacker, peer := onPort(t, u, 5060), newRaw(t, u)
	for method, id := range map[string]string{"INVITE": "base", "OPTIONS": "base2", "BYE": "base3", "CANCEL": "base4", "INFO": "base5", "ACK": "base"} {
		corpus = append(corpus, []byte(strings.ReplaceAll(attacker.ask(method, target, peerFrom, ourTo, id, 1, "", offer), "\n", "\r\n")))
	}
	go func() { // what comes back is of no interest, but fills the socket
		buf := make([]byte, 64<<10)
		for {
			if _, _, err := attacker.conn.ReadFrom(buf); err != nil {
				return
			}
		}
	}()
	rng := rand.New(rand.NewPCG(1, 2))
	before := runtime.NumGoroutine()
	var took []time.Duration
	for i := range *mutatedPackets {
		data := mutate(rng, corpus[rng.IntN(len(corpus))], corpus[rng.IntN(len(corpus))])
		if _, err := attacker.conn.WriteTo(data[:min(len(data), 60000)], net.Addr(attacker.to)); err != nil {
			t.Fatal(err)
		}
		if i%200 == 0 { // also the pace: what was sent is read when it is answered
			start := time.Now()
			for peer.send(peer.ask("OPTIONS", target, peerFrom, ourTo, fmt.Sprint("o", i), 1, "", "")); peer.final(time.Second) == nil; {
				if time.Since(start) > 10*time.Second {
					t.Fatal("OPTIONS is not answered any more")
				}
			}
			took = append(took, time.Since(start))
		}
	}
	slices.Sort(took)
	t.Logf("%d packets; OPTIONS answered in p50 %v, p99 %v", *mutatedPackets, took[len(took)/2], took[len(took)*99/100])
	for deadline := time.Now().Add(60 * time.Second); runtime.NumGoroutine() > before+5; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%d goroutines, %d before", runtime.NumGoroutine(), before)
		}
	}
}
