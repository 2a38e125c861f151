//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"runtime/debug"
	"time"

	"github.com/callwright/callwright/bench/rig"
	"github.com/callwright/callwright/internal/domain"
)

// sheet is a CSV file of so many rows that is made while it is read. The numbers
// come in no order, as they do.
type sheet struct {
	rows, first int
	next        int
	line        []byte
	read        int64
}

// scatter is a prime larger than any sheet: the multiples of it, modulo the
// number of rows, are all rows in no order.
const scatter = 982_451_653

// Read makes the next bytes of the file.
func (s *sheet) Read(p []byte) (int, error) {
	if len(s.line) == 0 {
		switch {
		case s.next == 0:
			s.line = []byte("phone_number,first_name,last_name,email,timezone,plan\n")
		case s.next > s.rows:
			return 0, io.EOF
		default:
			i := s.first + s.next*scatter%s.rows
			s.line = fmt.Appendf(s.line[:0], "+1212%03d%04d,Jane,Doe,jane%d@example.com,America/New_York,gold\n", 200+i/10_000%800, i%10_000, i)
		}
		s.next++
	}
	n := copy(p, s.line)
	s.line = s.line[n:]
	s.read += int64(n)
	return n, nil
}

// imported is what it takes to import a CSV file into a campaign.
type imported struct {
	Rows      int     `json:"rows"`
	Megabytes float64 `json:"megabytes"` // of the file
	Seconds   float64 `json:"seconds"`
	PerSecond float64 `json:"perSecond"` // rows
	Micros    float64 `json:"micros"`    // of this process's processor time for each row
	MemoryMB  float64 `json:"memoryMB"`  // resident at most, above what the process held before
}

// sampling is how often memory is looked at.
const sampling = 20 * time.Millisecond

// measure imports n rows into a campaign, and looks what that takes meanwhile.
func (m *imported) measure(ctx context.Context, l *line, id domain.ID, n, first int) error {
	debug.FreeOSMemory()
	before, err := rig.ReadUsage(os.Getpid())
	if err != nil {
		return err
	}
	stop, peak := make(chan struct{}), make(chan int64, 1)
	go func() {
		most := before.RSS
		for tick := time.Tick(sampling); ; {
			select {
			case <-stop:
				peak <- most
				return
			case <-tick:
				if now, err := rig.ReadUsage(os.Getpid()); err == nil {
					most = max(most, now.RSS)
				}
			}
		}
	}()
	began := time.Now()
	bytes, err := l.load(ctx, id, n, first)
	took := time.Since(began)
	close(stop)
	most := <-peak
	after, failed := rig.ReadUsage(os.Getpid())
	if err != nil || failed != nil {
		return errors.Join(err, failed)
	}
	*m = imported{
		Rows: n, Megabytes: round(float64(bytes) / 1e6), Seconds: round(took.Seconds()), PerSecond: math.Round(float64(n) / took.Seconds()),
		Micros: math.Round(float64((after.CPU - before.CPU).Microseconds()) / float64(n)), MemoryMB: round(float64(most-before.RSS) / 1e6),
	}
	return nil
}

// load imports n rows into a campaign and returns how many bytes they had.
func (l *line) load(ctx context.Context, id domain.ID, n, first int) (int64, error) {
	file := &sheet{rows: n, first: first}
	report, err := l.ImportContacts(ctx, l.in, id, file, nil)
	if err == nil && report.Added != n {
		err = fmt.Errorf("%d of %d rows were imported: %+v", report.Added, n, report.Errors)
	}
	return file.read, err
}

func round(f float64) float64 { return math.Round(10*f) / 10 }
