package webhook

import (
	"slices"
	"testing"

	"github.com/callwright/callwright/internal/domain"
)

func placed(endpoint, id domain.ID) task {
	return task{delivery: domain.Delivery{ID: id, EndpointID: endpoint}}
}

func TestPlaces(t *testing.T) {
	p := newPlaces(2)
	for i, want := range []bool{true, true, false, false} {
		if got := p.enter(placed("slow", domain.ID('a'+rune(i)))); got != want {
			t.Fatalf("enter %d = %v, want %v", i, got, want)
		}
	}
	if !p.enter(placed("quick", "q")) {
		t.Fatal("a busy endpoint holds up another")
	}
	if got := p.busy(); !slices.Equal(got, []domain.ID{"slow"}) {
		t.Fatalf("busy = %v", got)
	}
	for _, want := range []domain.ID{"c", "d"} {
		if next, more := p.leave("slow"); !more || next.delivery.ID != want {
			t.Fatalf("leave = %v, %v; want %s", next.delivery.ID, more, want)
		}
	}
	if _, more := p.leave("slow"); more || len(p.busy()) != 0 {
		t.Fatal("a free place is not free")
	}
	p.leave("slow")
	p.leave("quick")
	if len(p.entries) != 0 {
		t.Fatalf("%d endpoints are remembered where nothing is under way", len(p.entries))
	}
}

func TestTrustIsEarned(t *testing.T) {
	p := newPlaces(DefaultPerEndpoint)
	free := func() (n int) {
		for p.enter(placed("e", "x")) {
			n++
		}
		return n
	}
	if n := free(); n != newcomerPlaces {
		t.Fatalf("a newcomer has %d places, want %d", n, newcomerPlaces)
	}
	p.trust("e")
	p.trust("e")
	p.trust("stranger")
	if n := free(); n != DefaultPerEndpoint-newcomerPlaces || len(p.busy()) != 1 || len(p.entries) != 1 {
		t.Fatalf("after two successes there are %d more places, want %d in all; busy are %v", n, DefaultPerEndpoint, p.busy())
	}
}

func TestPlacesClosed(t *testing.T) {
	p := newPlaces(1)
	p.enter(placed("e", "a"))
	p.enter(placed("e", "b"))
	p.close()
	if next, more := p.leave("e"); more {
		t.Fatalf("%s is sent after the stop", next.delivery.ID)
	}
}

func TestLeaseOutlastsTheWorstClaim(t *testing.T) {
	// One place was free: the others of the claim wait, in rounds of all places.
	rounds := 1 + (claimLimit-1+newcomerPlaces-1)/newcomerPlaces
	if worst := rounds + 1; leaseTimeouts <= worst {
		t.Fatalf("a lease of %d timeouts ends before the last try of a claim, after %d", leaseTimeouts, worst)
	}
}
