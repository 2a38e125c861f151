package sheet_test

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"unicode"
	"unicode/utf8"

	"pgregory.net/rapid"

	"github.com/callwright/callwright/internal/phone"
	"github.com/callwright/callwright/internal/sheet"
)

// anyText is text of people, of programs, and of those who mean harm.
func anyText() *rapid.Generator[string] {
	return rapid.OneOf(
		rapid.String(),
		rapid.StringOf(rapid.SampledFrom([]rune("=+-@'\"\t\r\n ,;|aé東\u00A0\uFEFF\u2028"))),
		rapid.SampledFrom([]string{"", "'", "''=1", "+12025550123", "\"", "sep=;", "\r\n", " x ", "=cmd|' /C calc'!A0"}),
	)
}

// sound is text as a store has it.
func sound(s string) bool { return utf8.ValidString(s) && !strings.ContainsRune(s, 0) }

// TestRoundTrip: what is written is read back as it was, whatever it is.
func TestRoundTrip(t *testing.T) {
	oneLine := func(s string) bool { return sound(s) && !strings.ContainsFunc(s, unicode.IsControl) }
	rapid.Check(t, func(t *rapid.T) {
		names := rapid.SliceOfNDistinct(anyText().Filter(func(s string) bool {
			return oneLine(s) && s != "" && s == strings.TrimSpace(s) && !slices.Contains([]string{"phone_number", "first_name", "company"}, s)
		}), 0, 5, rapid.ID).Draw(t, "names")
		columns := []sheet.Column{{Name: "phone_number", Kind: sheet.Phone}, {Name: "first_name"}, {Name: "company"}}
		for _, name := range names {
			columns = append(columns, sheet.Column{Name: name, Kind: sheet.Kind(rapid.IntRange(0, 3).Draw(t, "kind"))})
		}
		var out bytes.Buffer
		w := sheet.NewWriter(&out, columns)
		var written [][]string
		for range rapid.IntRange(0, 5).Draw(t, "rows") {
			cells := []string{
				fmt.Sprintf("+1202555%04d", rapid.IntRange(100, 199).Draw(t, "number")),
				anyText().Filter(oneLine).Draw(t, "first"), anyText().Filter(sound).Draw(t, "company"),
			}
			for range names {
				cells = append(cells, anyText().Filter(sound).Draw(t, "cell"))
			}
			written = append(written, cells)
			if err := w.Write(cells); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Flush(); err != nil {
			t.Fatal(err)
		}
		r, err := sheet.Open(&out, sheet.Options{})
		if err != nil {
			t.Fatal(err)
		}
		for i, cells := range written {
			row, err := r.Next()
			if err != nil || len(row.Faults) > 0 || row.Phone != cells[0] || row.FirstName != cells[1] || row.Company != cells[2] || len(row.Variables) != len(names) {
				t.Fatalf("row %d is %+v, %v; written %q", i, row, err, cells)
			}
			for j, name := range names {
				if row.Variables[name] != cells[3+j] {
					t.Fatalf("%q is %q, written %q", name, row.Variables[name], cells[3+j])
				}
			}
		}
		if _, err := r.Next(); !errors.Is(err, io.EOF) {
			t.Fatalf("%v follows the last row", err)
		}
	})
}

// TestAgreesWithTheLibrary: of sheets that are well-formed, the cells are those
// that encoding/csv reads; by each separator.
func TestAgreesWithTheLibrary(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var out bytes.Buffer
		w := csv.NewWriter(&out)
		w.Comma = rapid.SampledFrom([]rune(",;\t|")).Draw(t, "separator")
		if err := w.Write([]string{"phone_number", "a", "b"}); err != nil {
			t.Fatal(err)
		}
		plain := anyText().Filter(func(s string) bool {
			return sound(s) && s == strings.TrimSpace(s) && !strings.HasPrefix(s, "'") && !strings.Contains(s, "\r")
		})
		rows := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) []string {
			return []string{"+12025550123", plain.Draw(t, "a"), plain.Draw(t, "b")}
		}), 0, 5).Draw(t, "rows")
		if err := w.WriteAll(rows); err != nil {
			t.Fatal(err)
		}
		r, err := sheet.Open(&out, sheet.Options{})
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range rows {
			row, err := r.Next()
			if err != nil || len(row.Faults) > 0 || row.Variables["a"] != want[1] || row.Variables["b"] != want[2] {
				t.Fatalf("%+v, %v; want %q", row, err, want)
			}
		}
	})
}

// FuzzRead: whatever is sent, each row is good or says why not.
func FuzzRead(f *testing.F) {
	for _, seed := range []string{
		string(sheet.Template()), "phone;a\r\n+12025550123;\"x\r\ny\"\r\r\n", "sep=|\nto|b\n'+15551234567|=1|\n", "\xFF\xFEt\x00o\x00\n\x001\x00",
		"mobile\t'a\n\"+1 (202) 555-0123\" \t\"b\"c\n\"", "phone,a\n,\x00\n\xFF,\"\"\"\"\n1.2E+10,\"a\"\"", "\xEF\xBB\xBFphone_number\r00442079460018",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, file string) {
		o := sheet.Options{MaxCell: 64, MaxColumns: 8, Sandbox: true}
		if whole, pieces := told(strings.NewReader(file), o), told(iotest.OneByteReader(strings.NewReader(file)), o); whole != pieces {
			t.Fatalf("in pieces it reads as\n%s\nelse as\n%s", pieces, whole)
		}
		r, err := sheet.Open(strings.NewReader(file), o)
		if err != nil {
			if len(err.Error()) > 700 || !utf8.ValidString(err.Error()) {
				t.Fatalf("%q is not fit to be shown", err)
			}
			return
		}
		for line := 1; ; {
			row, err := r.Next()
			if errors.Is(err, io.EOF) {
				return
			}
			if err != nil || row.Line <= line {
				t.Fatalf("%+v after line %d, %v", row, line, err)
			}
			line = row.Line
			check(t, row)
		}
	})
}

// check proves that a row is good, or says why not.
func check(t *testing.T, row sheet.Row) {
	t.Helper()
	for _, fault := range row.Faults {
		if fault.Line != row.Line || fault.Reason == "" || len(fault.Value) > 64 || !utf8.ValidString(fault.Value) {
			t.Fatalf("%+v is not fit to be shown", fault)
		}
	}
	if len(row.Faults) == 0 && phone.Valid(row.Phone) != nil {
		t.Fatalf("a good row has the number %q", row.Phone)
	}
	cells := []string{row.FirstName, row.LastName, row.Email, row.Company, row.State, row.Postcode}
	for _, v := range row.Variables {
		cells = append(cells, v)
	}
	for _, cell := range cells {
		if len(cell) > 64 || !sound(cell) {
			t.Fatalf("a row has the cell %q", cell)
		}
	}
}

// FuzzRoundTrip: no two cells can be written that are read as others, or that a
// spreadsheet runs.
func FuzzRoundTrip(f *testing.F) {
	for _, seed := range [][2]string{{"Jane", "=1"}, {"'", "\"\n"}, {" a ", "\t-1"}, {"a,b", "\r\n"}, {"+12025550123", "''"}} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		if !sound(a) || !sound(b) || len(a) > 4096 || len(b) > 4096 {
			return
		}
		var out bytes.Buffer
		w := sheet.NewWriter(&out, []sheet.Column{{Name: "phone_number", Kind: sheet.Phone}, {Name: "a"}, {Name: "b", Kind: sheet.Number}})
		if err := w.Write([]string{"+15551234567", a, b}); err != nil {
			t.Fatal(err)
		}
		if err := w.Flush(); err != nil {
			t.Fatal(err)
		}
		records, err := csv.NewReader(bytes.NewReader(out.Bytes())).ReadAll()
		if err != nil || len(records) != 2 || len(records[1]) != 3 {
			t.Fatalf("encoding/csv reads %q, %v", records, err)
		}
		if cell := records[1][1]; cell != "" && strings.ContainsRune("=+-@\t\r", rune(cell[0])) {
			t.Fatalf("a spreadsheet takes %q for a formula", cell)
		}
		r, err := sheet.Open(&out, sheet.Options{Sandbox: true, MaxCell: 1 + 4096})
		if err != nil {
			t.Fatal(err)
		}
		row, err := r.Next()
		if err != nil || len(row.Faults) > 0 || row.Variables["a"] != a || row.Variables["b"] != b {
			t.Fatalf("%q and %q are read as %+v, %v", a, b, row, err)
		}
	})
}
