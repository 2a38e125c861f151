package sheet_test

import (
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/sheet"
)

// TestNotASheet: what is wrong with a file as a whole is said at once, in words
// that say what it is.
func TestNotASheet(t *testing.T) {
	many := strings.Repeat("c,", 99)
	for name, c := range map[string]struct{ file, says string }{
		"nothing":           {"", "is empty"},
		"a mark only":       {"\xEF\xBB\xBF", "is empty"},
		"blank lines":       {"\r\n\r\n  \n", "is empty"},
		"empty cells":       {",,,\n;;\n", `it has ";;"`},
		"Excel":             {"PK\x03\x04\x14\x00\x06\x00[Content_Types].xml", ".xlsx"},
		"old Excel":         {"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1", ".xls"},
		"gzip":              {"\x1F\x8B\x08\x00", ".gz"},
		"PDF":               {"%PDF-1.7\n", "PDF"},
		"a page":            {"\n <!DOCTYPE html><html>", "web page"},
		"a page of UTF-8":   {"\xEF\xBB\xBF<html>", "web page"},
		"JSON":              {`[{"phone_number":"+12025550123"}]`, "JSON"},
		"cards":             {"BEGIN:VCARD\nTEL:+12025550123", "address cards"},
		"UTF-32":            {"\xFF\xFE\x00\x00p\x00\x00\x00", "UTF-32"},
		"noise":             {"\x80\x81\xFE\xFF,\x00\x01", "not UTF-8"},
		"zeros":             {strings.Repeat("\x00", 100), "control character"},
		"a header of 1252":  {"phone_number,Stra\xDFe\n", "line 1 of the file, the header, is not UTF-8"},
		"no header":         {"+12025550123,Jane\n", `it has "+12025550123", "Jane"`},
		"no number":         {"a,b,c,d,e,f,g\n", `"e", …`},
		"twice the same":    {"phone_number,plan,plan\n", `columns 2 and 3 of the header, "plan" and "plan", are the same`},
		"the same in other": {"phone_number,first_name,First Name\n", `"first_name" and "First Name", are the same`},
		"two numbers":       {"phone_number,Phone Number\n", "are the same"},
		"which number":      {"phone,mobile\n", `"phone" and "mobile" may both`},
		"no name":           {"phone_number,,plan\n", "column 2 of the header has no name"},
		"no name at last":   {"phone_number,plan,\n", "column 3 of the header has no name"},
		"a break":           {"phone_number,\"a\nb\"\n", "line break"},
		"an open quote":     {"phone_number,\"plan\n+12025550123,gold\n", "quotation mark too many or too few in column 2"},
		"a stray quote":     {"phone_number,\"plan\" b\n", "quotation mark too many or too few in column 2"},
		"wide":              {"phone_number," + many + "c\n", "more than 64 columns"},
		"a long name":       {"phone_number," + strings.Repeat("x", 5000) + "\n", "column 2 of the header has more than 4096 bytes"},
		"a long line":       {strings.Repeat("x", 1<<20), "column 1 of the header has more than 4096 bytes"},
		"another separator": {"sep=:\nphone_number:plan\n", `declares the separator ":"`},
		"only a separator":  {"sep=;\n", "is empty"},
	} {
		_, err := sheet.Open(strings.NewReader(c.file), sheet.Options{})
		var e *domain.Error
		if !errors.As(err, &e) || e.Code != domain.CodeInvalid || e.Field != "file" || !strings.Contains(e.Message, c.says) {
			t.Errorf("%s: %v; want %q", name, err, c.says)
		} else if len(e.Message) > 400 {
			t.Errorf("%s: an error of %d bytes", name, len(e.Message))
		}
	}
}

func TestHeaderOnly(t *testing.T) {
	for _, file := range []string{"phone_number", "phone_number\n", "phone_number\r\n\r\n", "\xEF\xBB\xBFphone_number;plan\n", "sep=;\r\nphone_number;plan\r\n;\r\n"} {
		if header, rows := rowsOf(t, file, sheet.Options{}); header[0] != "phone_number" || len(rows) != 0 {
			t.Errorf("%q: %q, %+v", file, header, rows)
		}
	}
}

// TestSeparators: one is found whatever else is in the header.
func TestSeparators(t *testing.T) {
	for file, columns := range map[string]int{
		"phone_number,plan": 2, "phone_number;plan": 2, "phone_number\tplan": 2, "phone_number|plan": 2,
		"phone_number;a, b;c, d, e, f": 3, "phone_number\ta,b,c\td": 3, `"phone_number","a;b;c;d","e"`: 3,
		"phone_number,\"a;phone;b;c\"": 2, "phone_number,a;phone;b": 2,
		"a,b;phone_number": 2, "plan|phone number|x,y,z,w": 3, "sep=,\nphone_number,a;b;c": 2, "SEP=\t\nphone_number\ta": 2,
		"\"sep=;\"\r\nphone_number;a\r\n": 2, "phone_number": 1, "\n\nphone_number;b": 2,
	} {
		if header, _ := rowsOf(t, file, sheet.Options{}); len(header) != columns {
			t.Errorf("%q has the columns %q", file, header)
		}
	}
}

// TestColumns are found by any way to write their names.
func TestColumns(t *testing.T) {
	for _, header := range []string{
		"phone_number,first_name,last_name,email,company,timezone,state,postcode,Plan B",
		"phoneNumber,firstName,lastName,Email,Company,timeZone,State,postCode,Plan B",
		" Phone Number , First Name,Last Name,E-Mail,COMPANY,Time Zone,STATE,Post Code,\tPlan B ",
		"PHONE-NUMBER,FIRST-NAME,LAST-NAME,E-MAIL,company,TIME_ZONE,state,POST-CODE,'Plan B",
		"phone,first_name,last_name,email,company,timezone,state,postcode,Plan B",
		"Mobile,first_name,last_name,email,company,timezone,state,postcode,Plan B",
		"TO,first_name,last_name,email,company,timezone,state,postcode,Plan B",
		"number,first_name,last_name,email,company,timezone,state,postcode,Plan B",
	} {
		_, rows := rowsOf(t, header+"\n+12025550123,Jane,Doe,j@example.com,Acme,America/New_York,NY,10001,'=x\n", sheet.Options{})
		row := rows[0]
		if row.Phone != "+12025550123" || row.FirstName != "Jane" || row.LastName != "Doe" || row.Email != "j@example.com" || row.Company != "Acme" ||
			row.Timezone != "America/New_York" || row.State != "NY" || row.Postcode != "10001" || len(row.Variables) != 1 || row.Variables["Plan B"] != "=x" || row.Faults != nil {
			t.Errorf("%s: %+v", header, row)
		}
	}
	// Beside phone_number, other names are those of variables.
	_, rows := rowsOf(t, "number,phone_number,to\n12,+12025550123,Rome\n", sheet.Options{})
	if rows[0].Phone != "+12025550123" || rows[0].Variables["number"] != "12" || rows[0].Variables["to"] != "Rome" {
		t.Errorf("%+v", rows[0])
	}
}

func TestLimits(t *testing.T) {
	const file = "phone_number,plan\n+12025550123,gold\n\n+12025550124,1234567890\n"
	for name, c := range map[string]struct {
		o    sheet.Options
		code domain.Code
		rows int
	}{
		"just enough":    {sheet.Options{MaxBytes: int64(len(file)), MaxRows: 2, MaxColumns: 2, MaxCell: 12}, "", 2},
		"a byte too few": {sheet.Options{MaxBytes: int64(len(file)) - 1}, domain.CodeTooLarge, 1},
		"few bytes":      {sheet.Options{MaxBytes: 5}, domain.CodeTooLarge, 0},
		"a row too few":  {sheet.Options{MaxRows: 1}, domain.CodeTooLarge, 1},
		"one column":     {sheet.Options{MaxColumns: 1}, domain.CodeInvalid, 0},
		"short cells":    {sheet.Options{MaxCell: 11}, domain.CodeInvalid, 0},
	} {
		rows := 0
		r, err := sheet.Open(strings.NewReader(file), c.o)
		for err == nil {
			if _, err = r.Next(); err == nil {
				rows++
			}
		}
		if errors.Is(err, io.EOF) {
			err = nil
		}
		if domain.CodeOf(err) != c.code || rows != c.rows {
			t.Errorf("%s: %d rows, %v", name, rows, err)
		}
		if r != nil {
			if _, again := r.Next(); again == nil {
				t.Errorf("%s: it goes on after its end", name)
			}
		}
	}
}

// TestBrokenOff: what keeps a file from being read is never taken for its end.
func TestBrokenOff(t *testing.T) {
	broken := errors.New("the connection is gone")
	const file = "phone_number,plan\r\n+12025550123,\"a\"\"b\"\r\n+12025550124,\"c\nd\"\r\n"
	for size := range len(file) + 1 {
		for name, in := range map[string]io.Reader{
			"that lasts":  io.MultiReader(strings.NewReader(file[:size]), iotest.ErrReader(broken)),
			"that passes": &hiccup{text: file[:size], err: broken},
		} {
			r, err := sheet.Open(in, sheet.Options{})
			for err == nil {
				_, err = r.Next()
			}
			if !errors.Is(err, broken) || domain.CodeOf(err) != domain.CodeInternal {
				t.Errorf("after %d bytes an error %s is %v", size, name, err)
			}
		}
	}
}

// hiccup fails once after its text, and then ends.
type hiccup struct {
	text string
	err  error
}

func (h *hiccup) Read(p []byte) (int, error) {
	if h.text == "" {
		err := h.err
		h.err = io.EOF
		return 0, err
	}
	n := copy(p, h.text)
	h.text = h.text[n:]
	return n, nil
}
