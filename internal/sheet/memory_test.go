package sheet_test

import (
	"errors"
	"io"
	"runtime"
	"strings"
	"testing"

	"github.com/callwright/callwright/internal/sheet"
)

// endless is begin, size bytes of fill again and again, and end.
func endless(begin, fill string, size int64, end string) io.Reader {
	return io.MultiReader(strings.NewReader(begin), io.LimitReader(&repeating{text: strings.Repeat(fill, 1+(64<<10)/len(fill))}, size), strings.NewReader(end))
}

type repeating struct {
	text string
	at   int
}

func (r *repeating) Read(p []byte) (int, error) {
	n := copy(p, r.text[r.at:])
	r.at = (r.at + n) % len(r.text)
	return n, nil
}

// TestMemoryIsBounded: whatever a file is made of and however much there is of
// it, hardly anything of it is ever held.
func TestMemoryIsBounded(t *testing.T) {
	const header, number, last = "phone_number,notes\n", "+12025550123,", "\n+12025550124,x\n"
	for name, c := range map[string]struct {
		in   io.Reader
		rows int // 0: the header is at fault
		bad  int
	}{
		"a line of 1 GB":        {endless(header+number, "x", 1<<30, last), 2, 1},
		"a quoted cell of 1 GB": {endless(header+number+`"`, "x y\n", 1<<30, `"`+last), 2, 1},
		"a quote never closed":  {endless(header+number+`"`, "x\r\n+12025550123,y", 16<<20, last), 1, 1},
		"cells":                 {endless(header+number, ",", 1<<20, last), 2, 0},
		"more cells":            {endless(header+number, ",y", 1<<20, last), 2, 1},
		"quotation marks":       {endless(header+number, `"`, 1<<20, last), 2, 1},
		"spaces":                {endless(header+number, " ", 1<<20, last), 2, 0},
		"blank lines":           {endless(header+number, "\n", 1<<20, last), 2, 0},
		"a header of one word":  {endless("", "x", 1<<20, last), 0, 0},
		"a header of columns":   {endless("", "x,", 1<<20, last), 0, 0},
		"a header never closed": {endless(`"`, "x\n", 1<<20, last), 0, 0},
		"no header but blanks":  {endless("", "\r\n", 1<<20, ""), 0, 0},
		"UTF-16 in one line":    {endless("\xFF\xFEt\x00o\x00\n\x00", "x\x00", 1<<20, ""), 1, 1},
		"zeros":                 {endless(header+number, "\x00", 1<<20, last), 2, 1},
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		rows, bad := 0, 0
		r, err := sheet.Open(c.in, sheet.Options{})
		for err == nil {
			var row sheet.Row
			if row, err = r.Next(); err == nil {
				rows++
				bad += len(row.Faults)
			}
		}
		runtime.ReadMemStats(&after)
		if c.rows > 0 && !errors.Is(err, io.EOF) || rows != c.rows || bad != c.bad {
			t.Errorf("%s: %d rows, %d of them bad, %v", name, rows, bad, err)
		}
		if allocated := after.TotalAlloc - before.TotalAlloc; allocated > 900<<10 {
			t.Errorf("%s took %d kB of memory", name, allocated>>10)
		}
	}
}

// TestMemoryOfManyRows: what is held after many rows is what is held after few.
func TestMemoryOfManyRows(t *testing.T) {
	r, err := sheet.Open(&made{rows: 50_000}, sheet.Options{Sandbox: true})
	if err != nil {
		t.Fatal(err)
	}
	held := func(rows int) int64 {
		for range rows {
			if row, err := r.Next(); err != nil || len(row.Faults) > 0 {
				t.Fatal(row, err)
			}
		}
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	few, many := held(1_000), held(49_000)
	if grown := many - few; grown > 256<<10 {
		t.Errorf("after 49,000 rows more, %d kB more are held", grown>>10)
	}
	if _, err := r.Next(); !errors.Is(err, io.EOF) {
		t.Error(err)
	}
}
