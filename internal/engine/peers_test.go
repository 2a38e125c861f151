package engine

import (
	"context"
	"errors"
	"log/slog"
	"net/netip"
	"sync/atomic"
	"testing"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/sip"
)

// roll is a list of trunks, and the names that can be resolved.
type roll struct {
	trunks  []domain.Trunk
	names   map[string][]netip.Addr
	lookups atomic.Int32 // several are made at once
	err     error
}

func (r *roll) peers() *peers {
	p := newPeers(func(context.Context) ([]domain.Trunk, error) { return r.trunks, r.err }, slog.New(slog.DiscardHandler))
	p.resolve = func(_ context.Context, host, _ string) ([]netip.Addr, error) {
		r.lookups.Add(1)
		if addrs, ok := r.names[host]; ok {
			return addrs, nil
		}
		return nil, errors.New("no such host")
	}
	return p
}

func ids(trunks []domain.Trunk) string {
	out := ""
	for _, t := range trunks {
		out += string(t.ID)
	}
	return out
}

func TestPeers(t *testing.T) {
	r := &roll{
		trunks: []domain.Trunk{
			{ID: "a", Host: "192.0.2.1", Port: 5060},
			{ID: "b", Host: "192.0.2.1", Port: 5070},
			{ID: "c", Host: "carrier.example", Port: 5060},
			{ID: "d", Host: "[2001:db8::1]", Port: 5060},
			{ID: "e", Host: "gone.example", Port: 5060, Incoming: domain.Incoming{Networks: []string{"198.51.100.0/24", "192.0.2.1/32"}}},
		},
		names: map[string][]netip.Addr{"carrier.example": {netip.MustParseAddr("203.0.113.5"), netip.MustParseAddr("203.0.113.6")}},
	}
	p := r.peers()
	p.refresh(t.Context(), 0)
	for from, want := range map[string]string{
		"192.0.2.1:5060":          "aeb",
		"192.0.2.1:5070":          "bae",
		"192.0.2.1:40000":         "abe",
		"[::ffff:192.0.2.1]:5060": "aeb",
		"203.0.113.5:5060":        "c",
		"203.0.113.6:1":           "c",
		"[2001:db8::1]:5060":      "d",
		"198.51.100.200:5060":     "e",
		"198.51.101.1:5060":       "",
	} {
		trunks, known := p.callers(netip.MustParseAddrPort(from))
		if known != (want != "") || known && ids(trunks) != want || !known && ids(trunks) != "abcde" {
			t.Errorf("%s: trunks %s, known %t; want %s", from, ids(trunks), known, want)
		}
	}
	// What was found stays when a name server or the database fails.
	before := r.lookups.Load()
	delete(r.names, "carrier.example")
	p.hosts["carrier.example"].at = p.hosts["carrier.example"].at.Add(-hostEvery)
	p.refresh(t.Context(), 0)
	if _, known := p.callers(netip.MustParseAddrPort("203.0.113.5:5060")); !known || r.lookups.Load() != before+1 {
		t.Errorf("known %t after %d look-ups", known, r.lookups.Load()-before)
	}
	r.err = errors.New("down")
	r.trunks = nil
	p.refresh(t.Context(), 0)
	if _, known := p.callers(netip.MustParseAddrPort("192.0.2.1:5060")); !known {
		t.Error("a database that is down makes peers unknown")
	}
	// What is deleted is forgotten.
	r.err = nil
	p.refresh(t.Context(), 0)
	if trunks, known := p.callers(netip.MustParseAddrPort("192.0.2.1:5060")); known || len(trunks) != 0 || len(p.hosts) != 0 {
		t.Errorf("known %t, %d trunks and %d names are left", known, len(trunks), len(p.hosts))
	}
}

func TestAdmit(t *testing.T) {
	peer, stranger := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.9")
	guarded := domain.Trunk{ID: "g", Host: "192.0.2.2", Incoming: domain.Incoming{Username: "office", Password: "secret"}}
	for _, c := range []struct {
		strangers Strangers
		more      []domain.Trunk
		want      sip.Admission
	}{
		{"", nil, sip.Drop},
		{StrangersDrop, nil, sip.Drop},
		{StrangersRefuse, nil, sip.Refuse},
		{StrangersAnswer, nil, sip.Guest},
		{StrangersDrop, []domain.Trunk{guarded}, sip.Guest}, // it may know the password
	} {
		r := &roll{trunks: append([]domain.Trunk{{ID: "a", Host: "192.0.2.1"}}, c.more...)}
		e := &Engine{o: Options{Strangers: c.strangers}, peers: r.peers()}
		e.peers.refresh(t.Context(), 0)
		if got := e.admit(peer); got != sip.Serve {
			t.Errorf("%q: a peer is %v", c.strangers, got)
		}
		if len(e.peers.wanted) != 0 {
			t.Error("for a peer that is known the list is read anew")
		}
		if got := e.admit(stranger); got != c.want {
			t.Errorf("%q: a stranger is %v, want %v", c.strangers, got, c.want)
		}
		if len(e.peers.wanted) != 1 {
			t.Error("for a stranger the list is not read anew")
		}
	}
}
