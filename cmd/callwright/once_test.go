package main

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/callwright/callwright/client"
)

// typed is a typed client of a server, or of what stands before it.
func typed(t *testing.T, url, key string, tries int) *client.Client {
	t.Helper()
	c, err := client.New(client.Options{URL: url, Key: key, Tries: tries})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// fuse is a proxy that kills a server when the server's answer to a POST begins
// to come, and passes nothing of it on: the effect is on disk and nobody knows.
type fuse struct {
	listener net.Listener
	blown    chan struct{}
}

func newFuse(t *testing.T, s *server) *fuse {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	f := &fuse{listener: l, blown: make(chan struct{})}
	host := strings.TrimSuffix(strings.TrimPrefix(s.api, "http://"), "/api/v1")
	go func() {
		defer close(f.blown)
		in, err := l.Accept()
		if err != nil {
			return
		}
		defer func() { _ = in.Close() }()
		out, err := (&net.Dialer{}).DialContext(context.WithoutCancel(t.Context()), "tcp", host)
		if err != nil {
			return
		}
		defer func() { _ = out.Close() }()
		go func() { _, _ = io.Copy(out, in) }() // it ends with the connections
		_, _ = out.Read(make([]byte, 1))        // the answer begins
		_ = s.cmd.Process.Kill()
	}()
	return f
}

// onlyCall fails unless the server has one call to the number, with this id.
func onlyCall(t *testing.T, c *client.Client, to, id string) {
	t.Helper()
	n := 0
	for call, err := range c.AllCalls(t.Context(), client.ListCallsQuery{}) {
		if err != nil {
			t.Fatal(err)
		}
		if call.To == to {
			if n++; call.ID != id {
				t.Errorf("there is a call %s to %s beside %s", call.ID, to, id)
			}
		}
	}
	if n != 1 {
		t.Errorf("there are %d calls to %s", n, to)
	}
}

// TestKillBetweenEffectAndAnswer kills the server when a call is committed and
// its client has heard nothing. The same request to the next server gets the
// same call.
func TestKillBetweenEffectAndAnswer(t *testing.T) {
	t.Parallel()
	s := serve(t, dataDir(t))
	l := newLine(t, s, "test", nil)
	body := client.PlaceFields{AgentID: client.Set(l.agent), PhoneNumberID: client.Set(l.number), To: client.Set("+15005550002")}
	f := newFuse(t, s)
	_, err := typed(t, "http://"+f.listener.Addr().String(), l.client.key, 1).CreateCall(t.Context(), body, client.IdempotencyKey("effect"))
	if err == nil {
		t.Fatal("the answer came although the server was killed")
	}
	<-f.blown
	<-s.exited
	again := typed(t, serve(t, s.data).api, l.client.key, 5)
	var meta client.Meta
	call, err := again.CreateCall(t.Context(), body, client.IdempotencyKey("effect"), client.Into(&meta))
	if err != nil || !meta.Replayed || call.Status != "queued" {
		t.Fatalf("%+v, %+v, %v", call, meta, err)
	}
	onlyCall(t, again, "+15005550002", call.ID)
}

// TestKillAroundPosts kills servers at random moments around a POST, which is
// repeated with its key until it is answered: one call each, and an answer that
// came stays true.
func TestKillAroundPosts(t *testing.T) {
	t.Parallel()
	const kills = 6
	seed := rand.Uint64()
	random := rand.New(rand.NewPCG(seed, 0))
	t.Logf("seed %d", seed)
	s := serve(t, dataDir(t))
	l := newLine(t, s, "test", nil)
	ids := map[string]string{}
	replayed := 0
	for i := range kills {
		to := fmt.Sprintf("+15003%03d0002", i) // nobody answers: the calls last
		body := client.PlaceFields{AgentID: client.Set(l.agent), PhoneNumberID: client.Set(l.number), To: client.Set(to)}
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		var first *client.Call
		var posted sync.WaitGroup
		posted.Go(func() {
			first, _ = typed(t, s.api, l.client.key, 1).CreateCall(ctx, body, client.IdempotencyKey(to)) // it may not come
		})
		time.Sleep(time.Duration(random.IntN(15_000)) * time.Microsecond)
		s.kill()
		posted.Wait()
		cancel()
		s = serve(t, s.data)
		var meta client.Meta
		call, err := typed(t, s.api, l.client.key, 5).CreateCall(t.Context(), body, client.IdempotencyKey(to), client.Into(&meta))
		if err != nil {
			t.Fatal(err)
		}
		if first != nil && (first.ID != call.ID || !meta.Replayed) {
			t.Errorf("%s was answered as call %s, and then as %s", to, first.ID, call.ID)
		}
		if meta.Replayed {
			replayed++
		}
		ids[to] = call.ID
	}
	t.Logf("%d of %d calls were made before the kill", replayed, kills)
	for to, id := range ids {
		onlyCall(t, typed(t, s.api, l.client.key, 5), to, id)
	}
}
