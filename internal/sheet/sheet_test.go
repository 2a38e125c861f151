package sheet_test

import (
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/callwright/callwright/internal/sheet"
)

// rowsOf reads a sheet to its end.
func rowsOf(t *testing.T, text string, o sheet.Options) (header []string, rows []sheet.Row) {
	t.Helper()
	r, err := sheet.Open(strings.NewReader(text), o)
	if err != nil {
		t.Fatalf("%q: %v", text, err)
	}
	for {
		row, err := r.Next()
		if errors.Is(err, io.EOF) {
			return r.Header(), rows
		}
		if err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		rows = append(rows, row)
	}
}

func TestTemplate(t *testing.T) {
	header, rows := rowsOf(t, string(sheet.Template()), sheet.Options{})
	if strings.Join(header, ",") != "phone_number,first_name,last_name,email" || len(rows) != 1 {
		t.Fatalf("%q, %+v", header, rows)
	}
	row := rows[0]
	if row.Phone != "+12025550123" || row.FirstName != "Jane" || row.LastName != "Doe" || row.Email != "jane@example.com" || row.Line != 2 || len(row.Faults) > 0 {
		t.Errorf("%+v", row)
	}
}
