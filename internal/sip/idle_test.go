package sip

import (
	"errors"
	"fmt"
	"net"
	"os"
	"runtime"
	"testing"
	"time"
)

// staying counts the connections that the far end did not close.
func staying(conns []net.Conn) int {
	n := 0
	for _, c := range conns {
		_ = c.SetReadDeadline(time.Now().Add(time.Millisecond)) // a close that came is seen at once
		if _, err := c.Read(make([]byte, 1)); errors.Is(err, os.ErrDeadlineExceeded) {
			n++
		}
	}
	return n
}

// TestIdleStrangers: with the limits that a user agent has by default, thousands
// of connections that say nothing hold what they are allowed to, the rest is
// closed at once, and a known peer connects and calls.
func TestIdleStrangers(t *testing.T) {
	const strangers, sources = 5000, 250
	for _, c := range []struct {
		stranger Admission
		stay     int
	}{{Guest, 256}, {Refuse, 256}, {Drop, 0}} {
		t.Run(fmt.Sprint(c.stranger), func(t *testing.T) {
			table := map[string]Admission{"127.0.0.1": Serve}
			for i := range sources {
				table[fmt.Sprintf("127.0.0.%d", 2+i)] = c.stranger
			}
			u := newUA(t, Options{TCP: true, Admit: door(table), OnInvite: func(in *Incoming) {
				if _, err := in.Answer([]byte(answer)); err != nil {
					t.Errorf("Answer: %v", err)
				}
			}})
			caller := newUA(t, Options{TCP: true})
			memory, goroutines := heap(), runtime.NumGoroutine()
			conns := make([]net.Conn, strangers)
			for i := range conns {
				conns[i] = connectFrom(t, u, fmt.Sprintf("127.0.0.%d", 2+i%sources))
			}
			began := time.Now()
			d, err := caller.Invite(within(t, 5*time.Second), Invite{URI: "sip:1@" + u.Addr().String() + ";transport=tcp", From: "2", Body: []byte(offer)})
			if err != nil {
				t.Fatalf("a known peer's call: %v", err)
			}
			took := time.Since(began)
			left := staying(conns)
			for began = time.Now(); left > c.stay && time.Since(began) < 30*time.Second; {
				left = staying(conns)
			}
			more, busy := int64(heap())-int64(memory), runtime.NumGoroutine()-goroutines
			t.Logf("a call is set up in %v; %d of %d connections stay, the heap grew by %d kB, %d goroutines more", took, left, strangers, more>>10, busy)
			if left != c.stay {
				t.Errorf("%d connections stay open, want %d", left, c.stay)
			}
			if took > time.Second {
				t.Errorf("a known peer's call took %v", took)
			}
			if more > 16<<20 { // the near ends of the connections among it
				t.Errorf("the heap grew by %d MB", more>>20)
			}
			if busy > c.stay+20 {
				t.Errorf("%d goroutines more, want one for each connection", busy)
			}
			if err := d.Bye(within(t, 5*time.Second)); err != nil {
				t.Errorf("its BYE: %v", err)
			}
		})
	}
}
