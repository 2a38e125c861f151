package sip

import (
	"net/netip"
	"testing"
)

// FuzzMessage: what is understood of a message can be written, is understood
// again, and is then the same.
func FuzzMessage(f *testing.F) {
	for _, file := range []string{"rfc4475.txt", "rfc5118.txt"} {
		for _, data := range torture(f, file) {
			f.Add(data, false)
		}
	}
	u, err := New(Options{Listen: netip.MustParseAddrPort("127.0.0.1:0")})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { _ = u.Close() })
	f.Fuzz(func(t *testing.T, data []byte, stream bool) {
		m, _, wrong := u.understand(data, stream)
		if wrong != nil {
			if wrong.Status < 400 || wrong.Reason == "" {
				t.Errorf("fault %+v", wrong)
			}
			return
		}
		written := m.String()
		again, _, wrong := u.understand([]byte(written), false)
		if wrong != nil {
			t.Fatalf("%s:\n%q\nof\n%q", wrong.Reason, written, data)
		}
		if rewritten := again.String(); rewritten != written {
			t.Errorf("written\n%q\nthen\n%q", written, rewritten)
		}
	})
}
