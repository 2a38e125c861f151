package sheet_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/callwright/callwright/internal/sheet"
)

// TestNumbers: one cell is one number in E.164, or a fault that says why not.
func TestNumbers(t *testing.T) {
	for cell, want := range map[string]string{
		"+12025550123":                      "+12025550123",
		"'+12025550123":                     "+12025550123",
		" +1 (202) 555-0123 ":               "+12025550123",
		"(+1) 202.555.0123":                 "+12025550123",
		"+1\u00A0202\u2011555\u20130123":    "+12025550123",
		"\u202A+12025550123\u202C\u200B":    "+12025550123",
		"0012025550123":                     "+12025550123",
		"00 44 20 7946 0018":                "+442079460018",
		"+44 (0)20 7946 0018":               "+442079460018",
		"+39 06 12345678":                   "+390612345678",
		"":                                  "is missing",
		"   ":                               "is missing",
		"''+12025550123":                    "not one phone number",
		"12025550123":                       "if it is +12025550123, write it so",
		"(202) 555-0123":                    "no country code",
		"2025550123":                        "no country code",
		"011442079460018":                   "no country code",
		"4.41234E+11":                       "has rounded",
		"4,41234E+11":                       "has rounded",
		"+1.20255e10":                       "has rounded",
		"12025550123.0":                     "made a decimal",
		"+493012345678.0":                   "made a decimal",
		"12025550123,00":                    "made a decimal",
		"+12025550123x5":                    "not one phone number",
		"+12025550123 +12025550124":         "not one phone number",
		"+12025550123/24":                   "not one phone number",
		"++12025550123":                     "not one phone number",
		"1+2025550123":                      "not one phone number",
		"+1 202 555 CALL":                   "not one phone number",
		"+١٢٠٢٥٥٥٠١٢٣":                      "not one phone number",
		"+":                                 "not one phone number",
		"----":                              "not one phone number",
		"n/a":                               "not one phone number",
		"+12025550123 12025550124":          "7 to 15 digits",
		"+0012025550123":                    "7 to 15 digits",
		"000":                               "7 to 15 digits",
		"+123456":                           "7 to 15 digits",
		"+1202555012":                       "assigned",
		"+15551234567":                      "assigned",
		"+9991234567":                       "assigned",
		"+" + strings.Repeat(" ", 80) + "1": "not one phone number",
	} {
		_, rows := rowsOf(t, "phone_number,name\n\""+cell+"\",x\n", sheet.Options{})
		row := rows[0]
		good := strings.HasPrefix(want, "+")
		switch {
		case good && (row.Phone != want || len(row.Faults) > 0):
			t.Errorf("%q is %q, %+v; want %q", cell, row.Phone, row.Faults, want)
		case !good && (row.Phone != "" || len(row.Faults) != 1 || row.Faults[0].Column != "phone_number" || !strings.Contains(row.Faults[0].Reason, want)):
			t.Errorf("%q is %q, %+v; want %q", cell, row.Phone, row.Faults, want)
		}
	}
}

// TestSandboxNumbers are any of the shape of E.164, as they are written.
func TestSandboxNumbers(t *testing.T) {
	for cell, want := range map[string]string{
		"+15551234567": "+15551234567", "+1 500 555 0106": "+15005550106", "00999123456789": "+999123456789", "+4402079460018": "+4402079460018",
		"15551234567": "", "+123456": "", "+1234567890123456": "",
	} {
		_, rows := rowsOf(t, "phone_number\n"+cell+"\n", sheet.Options{Sandbox: true})
		if rows[0].Phone != want || (len(rows[0].Faults) == 0) != (want != "") {
			t.Errorf("%q is %+v", cell, rows[0])
		}
	}
}

// TestFaults: a bad row says what it has wrong and where, and the next one is
// read as if there had been none.
func TestFaults(t *testing.T) {
	long := strings.Repeat("é", 2100) // 4,200 bytes
	for name, c := range map[string]struct {
		row    string
		column string
		value  string
		says   string
		next   int // the line of the next row
	}{
		"too many cells":           {"+12025550123,a,b,c", "", "", "more cells than the header, which has 3", 3},
		"a long cell":              {"+12025550123," + long + ",b", "first_name", strings.Repeat("é", 32), "more than 4096 bytes", 3},
		"a long quoted cell":       {"+12025550123,b,\"" + long + "\n\n\"", "plan", strings.Repeat("é", 32), "more than 4096 bytes", 5},
		"a long number":            {strings.Repeat("1", 5000), "phone_number", strings.Repeat("1", 64), "more than 4096 bytes", 3},
		"a stray quotation mark":   {`+12025550123,"Jane "J" Doe",b`, "first_name", `Jane J" Doe"`, "inside of a cell twice", 3},
		"a quotation mark is lost": {"+12025550123,\"Jane,b\n+12025550124,\"Jim\",b", "first_name", "Jane,b\n+12025550124,Jim\"", "so lines 2 to 3 were not read", 4},
		"NUL":                      {"+12025550123,a\x00b,c", "first_name", "a\x00b", "NUL", 3},
		"Windows-1252":             {"+12025550123,J\xFCrgen,c", "first_name", "J\uFFFDrgen", "not UTF-8", 3},
		"a break in a name":        {"+12025550123,\"a\r\nb\",c", "first_name", "a\r\nb", "line break", 4},
	} {
		_, rows := rowsOf(t, "phone_number,first_name,plan\n"+c.row+"\n+12025550199,Jo,gold\n", sheet.Options{})
		if len(rows) != 2 || len(rows[0].Faults) != 1 {
			t.Errorf("%s: %+v", name, rows)
			continue
		}
		f, next := rows[0].Faults[0], rows[1]
		if f.Line != 2 || rows[0].Line != 2 || f.Column != c.column || f.Value != c.value || !strings.Contains(f.Reason, c.says) {
			t.Errorf("%s: %+v", name, f)
		}
		if next.Line != c.next || next.Phone != "+12025550199" || next.FirstName != "Jo" || next.Variables["plan"] != "gold" || next.Faults != nil {
			t.Errorf("%s: the next row is %+v", name, next)
		}
		if len(f.Value) > 64 || !utf8.ValidString(f.Value) || !strings.HasSuffix(f.Reason, ".") {
			t.Errorf("%s: %q, %q is not fit to be shown", name, f.Value, f.Reason)
		}
	}
}

// TestEachCellIsChecked: a row has all its faults, in the order of the columns.
func TestEachCellIsChecked(t *testing.T) {
	_, rows := rowsOf(t, "timezone,phone_number,email,notes\nMars,123,a\x00,\xFF\n,+12025550123,,\n Europe/Berlin ,+12025550124\n", sheet.Options{})
	var columns []string
	for _, f := range rows[0].Faults {
		columns = append(columns, f.Column)
	}
	if strings.Join(columns, " ") != "timezone phone_number email notes" {
		t.Errorf("the faults are %+v", rows[0].Faults)
	}
	if rows[1].Faults != nil || rows[1].Timezone != "" || rows[2].Faults != nil || rows[2].Timezone != "Europe/Berlin" {
		t.Errorf("%+v", rows[1:])
	}
	if _, there := rows[2].Variables["notes"]; !there {
		t.Error("the variable of a cell that is not there is missing")
	}
}

// TestNeverClosed: what follows a quotation mark that is never closed is not
// taken for rows; the fault says that it is lost.
func TestNeverClosed(t *testing.T) {
	for _, end := range []string{"", "\n", "\r\n", "\r"} {
		_, rows := rowsOf(t, "phone_number,plan\n+12025550123,a\n+12025550124,\"b\n+12025550125,c\n+12025550126,d"+end, sheet.Options{})
		if len(rows) != 2 || len(rows[1].Faults) != 1 || rows[1].Phone != "" || !strings.Contains(rows[1].Faults[0].Reason, "lines 3 to 5 were not read") {
			t.Errorf("%q: %+v", end, rows)
		}
	}
	_, rows := rowsOf(t, "phone_number,plan\n+12025550123,\"a", sheet.Options{})
	if len(rows) != 1 || !strings.Contains(rows[0].Faults[0].Reason, "line 2 was not read") {
		t.Errorf("%+v", rows)
	}
}

// TestCells are those of the last row as they are written, however bad it is.
func TestCells(t *testing.T) {
	r, err := sheet.Open(strings.NewReader("phone_number,first_name,plan\n'+1 202 555 0123,J\xFCrgen\n1,2,3,4\n+12025550123,\"a\n"), sheet.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(r.Cells(), "|"); got != "||" {
		t.Errorf("before the first row: %s", got)
	}
	for _, want := range []string{"'+1 202 555 0123|J\uFFFDrgen|", "1|2|3", "+12025550123|a\n|"} {
		if _, err := r.Next(); err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(r.Cells(), "|"); got != want {
			t.Errorf("the cells are %q, want %q", got, want)
		}
	}
}
