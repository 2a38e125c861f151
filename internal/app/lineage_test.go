package app

import (
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/callwright/callwright/internal/domain"
)

// TestLineage is a server that dies and comes back, beside others of its
// directory: each knows its own predecessor, and nobody that of one that lives.
func TestLineage(t *testing.T) {
	dir := t.TempDir()
	begin := func(at string) *lineage {
		t.Helper()
		l, err := openLineage(dir, netip.MustParseAddrPort(at))
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
}

// TestLineageOfDialogs keeps dialogs whose ids hold what far ends chose, and
// finds those that were not dropped.
func TestLineageOfDialogs(t *testing.T) {
	dir, at := t.TempDir(), netip.MustParseAddrPort("127.0.0.1:5060")
	l, err := openLineage(dir, at)
	if err != nil {
		t.Fatal(err)
	}
	ids := []string{"../../etc/passwd\na\nb", "\x00", strings.Repeat("long", 1000), ""}
	for i, id := range ids {
		if err := l.Keep(id, []byte{byte('0' + i)}); err != nil {
			t.Fatal(err)
		}
	}
	for _, id := range []string{ids[1], ids[3], ids[3], "never kept"} {
		if err := l.Drop(id); err != nil {
			t.Error(err)
		}
	}
	if err := l.close(); err != nil {
		t.Fatal(err)
	}
	next, err := openLineage(dir, at)
	if err != nil {
		t.Fatal(err)
	}
	left, err := next.left()
	if err != nil || len(left) != 2 || !slices.ContainsFunc(left, func(s []byte) bool { return string(s) == "0" }) ||
		!slices.ContainsFunc(left, func(s []byte) bool { return string(s) == "2" }) {
		t.Errorf("%q, %v", left, err)
	}
	if err := next.close(); err != nil {
		t.Fatal(err)
	}
	var nobody *lineage
	if states, err := nobody.left(); err != nil || states != nil || nobody.Keep("x", nil) != nil || nobody.Drop("x") != nil {
		t.Errorf("nobody's lineage has %q, %v", states, err)
	}
}
