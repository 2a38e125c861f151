package sheet_test

import (
	"errors"
	"fmt"
	"io"
	"testing"

	"github.com/callwright/callwright/internal/sheet"
)

// made is a sheet of so many rows that is made while it is read.
type made struct {
	rows, next int
	line       []byte
}

func (m *made) Read(p []byte) (int, error) {
	if len(m.line) == 0 {
		switch {
		case m.next == 0:
			m.line = []byte("phone_number,first_name,last_name,email,plan,notes\n")
		case m.next > m.rows:
			return 0, io.EOF
		default:
			m.line = fmt.Appendf(m.line[:0], "+1202555%04d,Jane,Doe,jane%d@example.com,gold,\"likes tea, not coffee\"\n", m.next%10_000, m.next)
		}
		m.next++
	}
	n := copy(p, m.line)
	m.line = m.line[n:]
	return n, nil
}

// BenchmarkRead reads rows, with numbers checked against their plans and not.
func BenchmarkRead(b *testing.B) {
	for name, o := range map[string]sheet.Options{"plan": {}, "shape": {Sandbox: true}} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			r, err := sheet.Open(&made{rows: b.N}, o)
			if err != nil {
				b.Fatal(err)
			}
			rows := 0
			for {
				row, err := r.Next()
				if errors.Is(err, io.EOF) {
					break
				}
				if err != nil || len(row.Faults) > 0 {
					b.Fatal(row, err)
				}
				rows++
			}
			if rows != b.N {
				b.Fatalf("%d rows of %d", rows, b.N)
			}
			b.ReportMetric(float64(rows)/b.Elapsed().Seconds(), "rows/s")
		})
	}
}
