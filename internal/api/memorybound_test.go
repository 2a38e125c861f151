package api

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"
)

// TestAllOfAnAnswerIsCounted: a client can write much into a request's target,
// which comes again in the links to other pages.
func TestAllOfAnAnswerIsCounted(t *testing.T) {
	long := strings.Repeat("x", 30_000)
	header := http.Header{"Link": {long, long}, "X-Request-Id": {long}}
	one := newRemembered(question{target: long, base: long}, header, http.Header{"X-Request-Id": {"y"}}, []byte(long))
	if n := one.size(); n < 5*len(long) || n > 6*len(long) || len(one.header) != 1 {
		t.Errorf("%d bytes are counted, with the headers %d", n, len(one.header))
	}
	if got := len(newRemembered(question{}, nil, nil, nil).header); got != 0 {
		t.Errorf("an answer without headers has %d", got)
	}
}

// TestMemoryIsBounded: however much is to be remembered, no more is than there is
// room for, and it is counted to the byte.
func TestMemoryIsBounded(t *testing.T) {
	var m memory
	weigh := func() (n int) {
		for _, one := range m.answers {
			n += one.size()
		}
		return n
	}
	random := rand.New(rand.NewPCG(3, 4)) //nolint:gosec // the same sizes each time
	most, evicted := 0, 0
	for i := range 2000 {
		q := question{target: fmt.Sprint(i)}
		one := newRemembered(q, nil, nil, bytes.Repeat([]byte("0123456789abcdef"), random.IntN(4000)))
		m.keep(1, q, one)
		switch found := m.find(1, q); {
		case one.size() > largeAnswer && found != nil:
			t.Fatalf("%d bytes are remembered", one.size())
		case found != nil:
			if zipped := m.zip(q, one); len(zipped) == 0 || &zipped[0] != &m.zip(q, one)[0] && m.find(1, q) != nil {
				t.Fatal("an answer is compressed twice")
			}
		default:
			evicted++
		}
		if n := weigh(); n != m.bytes || n > memoryMost {
			t.Fatalf("%d bytes are remembered and %d counted, of at most %d", n, m.bytes, memoryMost)
		}
		most = max(most, m.bytes)
	}
	if most < memoryMost*9/10 || evicted > 100 {
		t.Errorf("of %d bytes at most %d were used, and %d new answers were gone at once", memoryMost, most, evicted)
	}
	// What was answered by the last generation, or by another one, is not for this.
	q, one := question{target: "x"}, &remembered{body: []byte("x")}
	m.keep(2, q, one)
	if m.find(2, q) != one || m.find(1, q) != nil || len(m.answers) != 1 || weigh() != m.bytes {
		t.Errorf("the next generation begins with %d answers, %d bytes", len(m.answers), m.bytes)
	}
	if m.zip(question{target: "y"}, &remembered{body: []byte("y")}); weigh() != m.bytes {
		t.Error("what is not remembered was counted")
	}
}
