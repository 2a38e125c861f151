package rtp

import (
	"slices"
	"strings"
	"testing"

	"github.com/callwright/callwright/internal/audio"
)

func TestEventSenderFollowsRFC4733(t *testing.T) {
	var s EventSender
	if err := s.Send("5#"); err != nil {
		t.Fatal(err)
	}
	var r EventReceiver
	var heard strings.Builder
	type sent struct {
		tick     int
		start    uint32
		duration uint16
		end      bool
		marker   bool
	}
	var packets []sent
	payload := make([]byte, 8)
	const base = uint32(0xffffff00) // wraps within the first digit
	for tick := 0; s.Busy(); tick++ {
		ts := base + uint32(tick*frameSamples)
		ev := s.next(ts, payload)
		if !ev.busy {
			t.Fatal("busy, but not")
		}
		if !ev.event {
			continue
		}
		e, ok := parseEvent(payload[:ev.size])
		if !ok {
			t.Fatal("cannot read our own event")
		}
		packets = append(packets, sent{tick, ev.start, e.duration, e.end, ev.marker})
		if key, ok := r.Push(1, ev.start, payload[:ev.size]); ok {
			heard.WriteRune(key)
		}
	}
	gap := uint32(8 * frameSamples)
	var want []sent
	for digit := range 2 {
		for i := range 7 {
			want = append(want, sent{
				tick: 8*digit + i, start: base + uint32(digit)*gap,
				duration: uint16(160 * min(i+1, 5)), end: i >= 4, marker: i == 0,
			})
		}
	}
	if !slices.Equal(packets, want) {
		t.Errorf("sent\n%v, want\n%v", packets, want)
	}
	if heard.String() != "5#" {
		t.Errorf("heard %q", heard.String())
	}
}

func TestEventSenderRefuses(t *testing.T) {
	var s EventSender
	for _, bad := range []string{"12x", "é", strings.Repeat("1", maxDigits+1)} {
		if err := s.Send(bad); err == nil {
			t.Errorf("%.5q was taken", bad)
		}
	}
	if s.Busy() {
		t.Error("a part of what was refused is sent")
	}
	if err := s.Send("w,"); err != nil {
		t.Fatal(err)
	}
	ticks := 0
	for ; s.Busy(); ticks++ {
		if s.next(0, make([]byte, 4)).event {
			t.Fatal("a pause sends an event")
		}
	}
	if ticks != 2*pauseTicks {
		t.Errorf("two pauses last %d ticks", ticks)
	}
}

func TestEventReceiver(t *testing.T) {
	type packet struct {
		ssrc, ts uint32
		e        event
	}
	tests := []struct {
		name    string
		packets []packet
		want    string
	}{
		{"once, though it comes seven times", slices.Repeat([]packet{{1, 100, event{code: 5}}}, 7), "5"},
		{"the same key twice", []packet{{1, 100, event{code: 5, end: true}}, {1, 900, event{code: 5}}}, "55"},
		{"only the end packets came", []packet{{1, 100, event{code: 11, end: true, duration: 800}}}, "#"},
		{"an old packet is overtaken", []packet{{1, 900, event{code: 2}}, {1, 100, event{code: 1}}}, "2"},
		{"timestamps wrap", []packet{{1, 0xfffffff0, event{code: 1}}, {1, 500, event{code: 2}}}, "12"},
		{"another source", []packet{{1, 900, event{code: 1}}, {2, 100, event{code: 1}}}, "11"},
		{"one key held for ten seconds", []packet{
			{1, 100, event{code: 3, duration: 0xffff}}, {1, 100 + 0xffff, event{code: 3, duration: 160}}}, "3"},
		{"a flash is no key", []packet{{1, 100, event{code: 16}}}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var r EventReceiver
			var heard strings.Builder
			for _, p := range tt.packets {
				payload := make([]byte, eventSize)
				p.e.put(payload)
				if key, ok := r.Push(p.ssrc, p.ts, payload); ok {
					heard.WriteRune(key)
				}
			}
			if heard.String() != tt.want {
				t.Errorf("heard %q, want %q", heard.String(), tt.want)
			}
		})
	}
}

func TestTonesForPeersWithoutEvents(t *testing.T) {
	pcm, err := tones("1w2", 8000)
	if err != nil || len(pcm) != (8+25+8)*frameSamples || audio.Level(pcm[:800]) < 1000 {
		t.Errorf("%d samples, %v", len(pcm), err)
	}
	if _, err := tones("1x", 8000); err == nil {
		t.Error("x was taken")
	}
}

func FuzzEvent(f *testing.F) {
	f.Add([]byte{5, 0x8a, 3, 32})
	f.Fuzz(func(t *testing.T, payload []byte) {
		var r EventReceiver
		key, ok := r.Push(1, 2, payload)
		if ok != (strings.ContainsRune(eventKeys, key) && key != 0) {
			t.Errorf("%q, %v", key, ok)
		}
		if _, again := r.Push(1, 2, payload); again {
			t.Error("the same event twice")
		}
	})
}
