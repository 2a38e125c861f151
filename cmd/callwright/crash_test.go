package main

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/callwright/callwright/internal/sip/siptest"
)

// TestKillInMidCall kills a server that carries calls in every state, and
// starts another on its data. What was dialed is never dialed again and fails
// as interrupted, with all that was said; what was not yet dialed goes on.
func TestKillInMidCall(t *testing.T) {
	t.Parallel()
	talks := siptest.UAS(t, siptest.Scenario{Name: siptest.Answer})
	rings := siptest.UAS(t, siptest.Scenario{Name: siptest.NoAnswer})
	s := serve(t, dataDir(t))
	live, test := newLine(t, s, "live", talks.Addr), newLine(t, s, "test", nil)
	hooks := newSink(t)
	heard := map[*line]subscription{live: hooks.subscribe(live, "/live"), test: hooks.subscribe(test, "/test")}
	live.number = live.numberOver(talks.Addr, map[string]any{"maxCalls": 1})

	silent, absent := test.call("+15007770007"), test.call("+15005550002")
	spoken := live.call("+4722000001")
	onTrunk := *live
	onTrunk.number = live.numberOver(rings.Addr, nil)
	ringing := onTrunk.call("+4722000003")

	live.await(spoken, "in-progress")
	test.await(silent, "in-progress")
	spokenLater := live.call("+4722000002") // waits: one call at a time over the trunk
	until(t, 20*time.Second, "ringing", func() bool {
		return ringingAt(test.read(absent)) && ringingAt(live.read(ringing))
	})
	until(t, 20*time.Second, "a turn of the agent", func() bool { return len(live.read(spoken).Turns) >= 1 })
	chats := test.call("+15005550006")
	test.await(chats, "in-progress")
	chatsLater := test.call("+15005550006") // waits: one call at a time to a number
	until(t, 20*time.Second, "two turns of the agent and one of the caller", func() bool { return len(test.read(chats).Turns) >= 3 })
	before := map[string]lineCall{chats: test.read(chats), silent: test.read(silent), spoken: live.read(spoken)}
	for _, later := range []lineCall{test.read(chatsLater), live.read(spokenLater)} {
		if later.Status != "queued" || ringingAt(later) {
			t.Fatalf("a call did not wait: %+v", later)
		}
	}
	s.kill()
	killed := time.Now()

	again := serve(t, s.data)
	talks.Expect("BYE", 1, recoveredWithin(s.data))
	until(t, recoveredWithin(s.data), "the last one recovered", func() bool { return test.on(again).read(chats).Status == "failed" })
	for _, l := range []*line{live, test} {
		for _, id := range map[*line][]string{live: {spoken, ringing}, test: {chats, silent, absent}}[l] {
			interrupted(t, l.on(again), id)
			until(t, 20*time.Second, "told that "+id+" failed", func() bool {
				return slices.Contains(heard[l].events(id), "call.failed")
			})
			if got := heard[l].events(id); !slices.Contains(got, "call.started") || len(got) != 2 {
				t.Errorf("events of %s: %v", id, got)
			}
		}
	}
	for id, was := range before {
		keptTalk(t, map[bool]*line{true: live, false: test}[id == spoken].on(again), was)
		keptSound(t, again.data, was, killed)
	}

	test.on(again).await(chatsLater, "in-progress")
	live.on(again).await(spokenLater, "in-progress")
	for l, id := range map[*line]string{live: spokenLater, test: chatsLater} {
		var call lineCall
		if err := l.on(again).client.post(t.Context(), "/calls/"+id+"/cancel", struct{}{}, &call); err != nil {
			t.Fatal(err)
		}
		l.on(again).await(id, "completed")
	}
	talks.Expect("BYE", 2, 5*time.Second)
	invites, byes := callIDs(talks, "INVITE"), callIDs(talks, "BYE")
	if len(invites) != 2 || invites[0] == invites[1] || !slices.Equal(byes, invites) {
		t.Errorf("INVITEs %v, BYEs %v: want two calls, each ended", invites, byes)
	}
	if n := len(callIDs(rings, "INVITE")); n != 1 {
		t.Errorf("the phone that rang was called %d times", n)
	}
}

func ringingAt(c lineCall) bool {
	return len(c.Attempts) == 1 && c.Attempts[0].State == "ringing"
}

func interrupted(t *testing.T, l *line, id string) {
	t.Helper()
	c := l.read(id)
	if c.Status != "failed" || c.EndReason != "interrupted" || len(c.Attempts) != 1 || c.Attempts[0].State != "ended" {
		t.Errorf("%s (to %s) is %+v", id, c.To, c)
	}
}

// keptTalk checks that the turns which could be read before the crash still can.
func keptTalk(t *testing.T, l *line, was lineCall) {
	t.Helper()
	if now := l.read(was.ID).Turns; len(now) < len(was.Turns) || !slices.Equal(now[:len(was.Turns)], was.Turns) {
		t.Errorf("turns of %s:\n%+v\nbefore the crash:\n%+v", was.To, now, was.Turns)
	}
}

// lostSound is how much of a recording a crash may cost: what waits for the
// disk, and what a loaded machine is late.
const lostSound = 1200 * time.Millisecond

func keptSound(t *testing.T, data string, was lineCall, killed time.Time) {
	t.Helper()
	pcm := stereo(t, recordingOf(t, data, was.ID))
	length := time.Duration(len(pcm)/2) * time.Second / 8000
	if lasted := killed.Sub(was.AnsweredAt); length < lasted-lostSound || length > lasted+lostSound {
		t.Errorf("%s of a call of %s to %s were kept", length, lasted, was.To)
	}
	if loudest(pcm, 1) < 1000 {
		t.Errorf("the agent cannot be heard in the call to %s", was.To)
	}
}

// callIDs returns the different Call-IDs of the requests that a peer received,
// in order.
func callIDs(p *siptest.Peer, method string) []string {
	var ids []string
	for _, m := range p.Messages() {
		if id := m.Header("Call-ID"); m.Received && m.Is(method) && !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	return ids
}

// TestKillAtRandomMoments kills one server after the other while calls are
// placed. In the end every call is over, and no number was called twice.
func TestKillAtRandomMoments(t *testing.T) {
	t.Parallel()
	const calls, kills = 20, 5 // three calls at once: no more than 15 can be interrupted
	seed := rand.Uint64()
	random := rand.New(rand.NewPCG(seed, 0))
	t.Logf("seed %d", seed)
	peer := siptest.UAS(t, siptest.Scenario{Name: siptest.Answer, Pause: 100 * time.Millisecond})
	s := serve(t, dataDir(t))
	l := newLine(t, s, "live", peer.Addr)
	l.number = l.numberOver(peer.Addr, map[string]any{"maxCalls": 3})
	l.agent = l.quick()
	heard := newSink(t).subscribe(l, "/")
	numbers := map[string]string{} // by call
	for i := range calls {
		to := fmt.Sprintf("+472210%04d", i)
		numbers[l.call(to)] = to
	}
	for range kills {
		time.Sleep(time.Duration(50+random.IntN(900)) * time.Millisecond)
		s.kill()
		s = serve(t, s.data)
	}
	l = l.on(s)
	ended := l.over(60 * time.Second)
	dialed := dials(peer)
	ends := map[string]int{}
	for _, c := range ended {
		ends[c.EndReason]++
		want := map[string]string{"completed": "call.ended", "failed": "call.failed"}[c.Status]
		if c.EndReason != "interrupted" && c.EndReason != "flow-ended" {
			t.Errorf("%s ended for %s", c.To, c.EndReason)
		}
		n := len(dialed[c.To])
		if n > 1 || n == 0 && c.Status == "completed" {
			t.Errorf("%s (%s) was called %d times: %v", c.To, c.EndReason, n, dialed[c.To])
		}
		until(t, 20*time.Second, "told of the end of "+c.ID, func() bool { return slices.Contains(heard.events(c.ID), want) })
		if got := heard.events(c.ID); len(got) != 2 || !slices.Contains(got, "call.started") {
			t.Errorf("events of %s (%s): %v", c.To, c.EndReason, got)
		}
		if c.To != numbers[c.ID] {
			t.Errorf("call %s goes to %s, want %s", c.ID, c.To, numbers[c.ID])
		}
	}
	t.Logf("ends: %v", ends)
	if len(ended) != calls || ends["flow-ended"] == 0 {
		t.Errorf("%d calls: %v", len(ended), ends)
	}
}

// userOf returns the user part of the URI in a From or To header.
func userOf(header string) string {
	_, rest, _ := strings.Cut(header, "sip:")
	user, _, _ := strings.Cut(rest, "@")
	return user
}
