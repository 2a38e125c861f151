package sheet_test

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/callwright/callwright/internal/sheet"
)

var update = flag.Bool("update", false, "write what is read of testdata/*.csv into testdata/*.txt")

// TestProgramsSheets reads sheets as programs save them.
func TestProgramsSheets(t *testing.T) {
	files, err := filepath.Glob("testdata/*.csv")
	if err != nil || len(files) < 10 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		got := told(strings.NewReader(string(raw)), sheet.Options{})
		golden := strings.TrimSuffix(file, ".csv") + ".txt"
		if *update {
			if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if got != string(want) {
			t.Errorf("%s reads as\n%s\nwant\n%s", file, got, want)
		}
		// In whichever pieces it comes.
		for name, piecemeal := range map[string]func(io.Reader) io.Reader{
			"single bytes": iotest.OneByteReader, "halves": iotest.HalfReader, "the end with the last": iotest.DataErrReader,
		} {
			if again := told(piecemeal(strings.NewReader(string(raw))), sheet.Options{}); again != got {
				t.Errorf("%s in %s reads as\n%s\nelse as\n%s", file, name, again, got)
			}
		}
	}
}

// told says everything that is read of a sheet.
func told(in io.Reader, o sheet.Options) string {
	r, err := sheet.Open(in, o)
	if err != nil {
		return fmt.Sprintln("error:", err)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "header: %q\n", r.Header())
	for {
		row, err := r.Next()
		if errors.Is(err, io.EOF) {
			return b.String()
		}
		if err != nil {
			fmt.Fprintln(&b, "error:", err)
			return b.String()
		}
		fmt.Fprintf(&b, "%d:", row.Line)
		for _, f := range []struct{ name, value string }{
			{"phone", row.Phone}, {"first", row.FirstName}, {"last", row.LastName}, {"email", row.Email}, {"company", row.Company},
			{"zone", row.Timezone}, {"state", row.State}, {"postcode", row.Postcode},
		} {
			if f.value != "" {
				fmt.Fprintf(&b, " %s=%q", f.name, f.value)
			}
		}
		for _, name := range slices.Sorted(maps.Keys(row.Variables)) {
			fmt.Fprintf(&b, " {%s}=%q", name, row.Variables[name])
		}
		for _, f := range row.Faults {
			fmt.Fprintf(&b, "\n   fault: line %d, %q, %q: %s", f.Line, f.Column, f.Value, f.Reason)
		}
		b.WriteString("\n")
	}
}
