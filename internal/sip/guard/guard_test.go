package guard

import (
	"fmt"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"
)

// door admits sources by a table; others are dropped.
func door(table map[string]Admission) func(netip.Addr) Admission {
	return func(a netip.Addr) Admission {
		if v, ok := table[a.String()]; ok {
			return v
		}
		return Drop
	}
}

func TestRates(t *testing.T) {
	g := New(door(map[string]Admission{"192.0.2.1": Serve, "192.0.2.2": Guest, "192.0.2.3": Guest}),
		Limits{PeerRate: 100, StrangerRate: 10, StrangersRate: 12, Sources: 2})
	now := time.Now()
	count := func(ip string, n int) (passed int) {
		for range n {
			if g.Take(netip.MustParseAddr(ip), now) != Drop {
				passed++
			}
		}
		return passed
	}
	for _, step := range []struct {
		ip         string
		sent, want int
	}{
		{"192.0.2.2", 50, 20}, {"192.0.2.3", 50, 4}, {"192.0.2.1", 300, 200}, {"192.0.2.9", 5, 0},
	} {
		if got := count(step.ip, step.sent); got != step.want {
			t.Errorf("%s: %d of %d came through, want %d", step.ip, got, step.sent, step.want)
		}
	}
	now = now.Add(time.Second)
	if got := count("192.0.2.2", 50); got != 10 {
		t.Errorf("a second later %d came through, want 10", got)
	}
}

func TestMetersAreBounded(t *testing.T) {
	m := newMeters(1, 100)
	for i := range 1000 {
		m.of(netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)}))
		m.of(netip.MustParseAddr("192.0.2.1")) // it stays, for it is heard all the time
	}
	if _, ok := m.by.get(netip.MustParseAddr("192.0.2.1")); !ok || len(m.by.by) != 100 || m.by.order.Len() != 100 {
		t.Errorf("%d sources are remembered, want 100 with the busy one", len(m.by.by))
	}
	g := New(nil, Limits{Sources: 100})
	for i := range 1000 {
		g.Failed(netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)}), time.Now())
	}
	if len(g.offenders) > 100 {
		t.Errorf("%d offenders are remembered, want 100", len(g.offenders))
	}
}

func TestSource(t *testing.T) {
	for in, want := range map[string]string{
		"192.0.2.1": "192.0.2.1", "::ffff:192.0.2.1": "192.0.2.1", "2001:db8:1:2:3:4:5:6": "2001:db8:1:2::", "::1": "::",
	} {
		if got := SourceOf(netip.MustParseAddr(in)); got.String() != want {
			t.Errorf("%s counts as %s, want %s", in, got, want)
		}
	}
}

func TestNonces(t *testing.T) {
	n, now := NewNonces(), time.Now()
	a, b := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.2")
	text := n.Issue(a, "r", now)
	issued, ok := n.IssuedAt(text, a, "r")
	if !ok || !issued.Equal(time.Unix(0, now.UnixNano())) {
		t.Fatalf("%v, %v", issued, ok)
	}
	flipped := []byte(text)
	flipped[3] ^= 1
	for name, ok := range map[string]bool{
		"another source": second(n.IssuedAt(text, b, "r")), "another realm": second(n.IssuedAt(text, a, "R")),
		"flipped": second(n.IssuedAt(string(flipped), a, "r")), "longer": second(n.IssuedAt(text+"A", a, "r")), "empty": second(n.IssuedAt("", a, "r")),
		"of another process": second(NewNonces().IssuedAt(text, a, "r")),
	} {
		if ok {
			t.Errorf("a nonce for %s is taken", name)
		}
	}
	for _, step := range []struct {
		count uint32
		after time.Duration
		want  bool
	}{{1, 0, true}, {1, 0, false}, {3, 0, true}, {2, 0, false}, {4, nonceLife, true}, {5, nonceLife + 1, false}} {
		if got := n.Spend(text, issued, step.count, issued.Add(step.after)); got != step.want {
			t.Errorf("count %d after %v: %v, want %v", step.count, step.after, got, step.want)
		}
	}
}

// TestForgottenNoncesStaySpent: whatever the table has no room for is refused.
func TestForgottenNoncesStaySpent(t *testing.T) {
	n, now := NewNonces(), time.Now()
	var texts []string
	for i := range maxNonces + 50 {
		text := fmt.Sprint("nonce ", i)
		texts = append(texts, text)
		if !n.Spend(text, now.Add(time.Duration(i)), 1, now) {
			t.Fatalf("nonce %d is not fresh", i)
		}
	}
	for i, text := range texts {
		if n.Spend(text, now.Add(time.Duration(i)), 1, now) {
			t.Fatalf("nonce %d is fresh again", i)
		}
	}
	if len(n.used.by) > maxNonces || n.used.order.Len() > maxNonces {
		t.Errorf("%d are remembered, at most %d should", len(n.used.by), maxNonces)
	}
}

func TestBanEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := New(nil, Limits{})
		a := netip.MustParseAddr("192.0.2.1")
		for range 19 {
			g.Failed(a, time.Now())
		}
		if g.Class(a, time.Now()) == Drop {
			t.Error("banned after 19 failures")
		}
		time.Sleep(11 * time.Minute)
		g.Failed(a, time.Now())
		if g.Class(a, time.Now()) == Drop {
			t.Error("old failures count")
		}
		for range 19 {
			g.Failed(a, time.Now())
		}
		if g.Class(a, time.Now()) != Drop {
			t.Error("not banned after 20 failures")
		}
		time.Sleep(10 * time.Minute)
		if g.Class(a, time.Now()) != Serve {
			t.Error("still banned after ten minutes")
		}
	})
}

func second(_ time.Time, ok bool) bool { return ok }

func TestConnectionsAreBounded(t *testing.T) {
	g := New(door(map[string]Admission{"192.0.2.1": Serve, "192.0.2.2": Guest, "192.0.2.3": Refuse}), Limits{Conns: 5, ConnsPerSource: 3, PeerConns: 4})
	open := func(ip string, taken bool, n int) (opened int) {
		for range n {
			if _, err := g.Connects(netip.MustParseAddr(ip), taken); err == nil {
				opened++
			}
		}
		return opened
	}
	for _, step := range []struct {
		ip    string
		taken bool
		want  int
	}{{"192.0.2.2", true, 3}, {"192.0.2.3", true, 2}, {"192.0.2.9", true, 0}, {"192.0.2.1", true, 4}, {"192.0.2.9", false, 0}} {
		if got := open(step.ip, step.taken, 10); got != step.want {
			t.Errorf("%s opened %d connections, want %d", step.ip, got, step.want)
		}
	}
	g.Disconnects(netip.MustParseAddr("192.0.2.2"), false)
	g.Disconnects(netip.MustParseAddr("192.0.2.1"), true)
	if a, b := open("192.0.2.2", true, 10), open("192.0.2.9", false, 10); a != 1 || b != 1 {
		t.Errorf("%d and %d were opened after one of each ended, want 1 and 1", a, b)
	}
}

func TestPatience(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, now := New(nil, Limits{}), time.Now()
		if p, s, m := g.Patience(true, time.Time{}), g.Patience(false, time.Time{}), g.Patience(true, now.Add(-time.Second)); p.Sub(now) != 5*time.Minute ||
			s.Sub(now) != 30*time.Second || m.Sub(now) != 9*time.Second {
			t.Errorf("patience %v, %v, %v", p.Sub(now), s.Sub(now), m.Sub(now))
		}
	})
}
