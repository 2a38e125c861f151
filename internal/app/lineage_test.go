package app

import (
	"net/netip"
	"testing"

	"github.com/callwright/callwright/internal/domain"
)

// TestLineage is a server that dies and comes back, beside others of its
// directory: each knows its own predecessor, and nobody that of one that lives.
func TestLineage(t *testing.T) {
	dir := t.TempDir()
	const database = "postgres://db.example/calls"
	begin := func(at string) *lineage {
		t.Helper()
		l, err := openLineage(dir, database, netip.MustParseAddrPort(at))
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	last := func(l *lineage, want domain.ID) {
		t.Helper()
		if got, err := l.last(); err != nil || got != want {
			t.Errorf("the predecessor is %q, %v; want %q", got, err, want)
		}
	}
	first, other := begin("127.0.0.1:5060"), begin("[::1]:5060")
	last(first, "")
	for _, epoch := range []domain.ID{"a1", "a2"} { // it was taken for dead once, and joined anew
		if err := first.remember(epoch); err != nil {
			t.Fatal(err)
		}
	}
	if err := other.remember("b1"); err != nil {
		t.Fatal(err)
	}
	if twin := begin("127.0.0.1:5060"); twin != nil {
		t.Error("two servers have one lineage")
	} else {
		last(twin, "")
		if err := twin.remember("c1"); err != nil {
			t.Fatal(err)
		}
	}
	if err := first.close(); err != nil { // as the kernel does when it dies
		t.Fatal(err)
	}
	again := begin("127.0.0.1:5060")
	last(again, "a2")
	if err := again.close(); err != nil {
		t.Fatal(err)
	}
	if err := other.close(); err != nil {
		t.Fatal(err)
	}
	if alone, err := openLineage(dir, "", netip.AddrPort{}); alone != nil || err != nil {
		t.Errorf("a server with a database of its own has the lineage %v, %v", alone, err)
	}
}
