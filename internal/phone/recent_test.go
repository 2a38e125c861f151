package phone

import (
	"fmt"
	"sync"
	"testing"
)

// TestRecentForgets fills the memory of numbers several times: it stays small, and
// has the latest.
func TestRecentForgets(t *testing.T) {
	var r recent
	name := func(i int) string { return fmt.Sprintf("+1212%07d", i) }
	for i := range 5 * lately {
		r.put(Number{E164: name(i), Country: i})
		if n := len(r.young) + len(r.old); n > 2*lately {
			t.Fatalf("%d numbers are remembered", n)
		}
		for _, back := range []int{0, 1, lately - 1} {
			if n, known := r.get(name(i - back)); i >= back && (!known || n.Country != i-back) {
				t.Fatalf("after %d numbers the one %d before is %v, %t", i+1, back, n, known)
			}
		}
	}
	if n, known := r.get(name(0)); known {
		t.Errorf("%v is still remembered", n)
	}
}

// TestParseTwice compares what is remembered with what is read, by many at once.
func TestParseTwice(t *testing.T) {
	numbers := []string{"+12125550123", "+4915112345678", "+442079460018", "+5491112345678", "+19005550123", "+8701234567", "+9990000000", "+15005550006"}
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for range 3 {
				for _, number := range numbers {
					if got, err := Parse(number); err != nil || got != parse(number) {
						t.Errorf("%s is %+v, %v", number, got, err)
					}
				}
			}
		})
	}
	all.Wait()
	for _, wrong := range []string{"", "+", "12125550123", "+1212555012345678"} {
		if n, err := Parse(wrong); err == nil {
			t.Errorf("%q is %+v", wrong, n)
		}
	}
}
