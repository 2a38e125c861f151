package sheet

import (
	"bufio"
	"bytes"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/callwright/callwright/internal/domain"
)

// field is what of a contact a column has.
type field int

const (
	variable field = iota
	phoneField
	firstName
	lastName
	email
	company
	timezone
	state
	postcode
)

// fields are the columns with a meaning, by their plain names.
var fields = map[string]field{
	"phonenumber": phoneField, "firstname": firstName, "lastname": lastName, "email": email,
	"company": company, "timezone": timezone, "state": state, "postcode": postcode,
}

// phoneNames are the plain names of the column of phone numbers in a sheet that
// has no phone_number.
var phoneNames = map[string]bool{"phone": true, "number": true, "mobile": true, "to": true}

// plainName returns the name of a column as it is compared: First Name, first-name
// and firstName are one.
func plainName(name string) string {
	return strings.Map(func(r rune) rune {
		if r == '_' || r == '-' || unicode.IsSpace(r) {
			return -1
		}
		return unicode.ToLower(r)
	}, name)
}

// column is one column of a sheet.
type column struct {
	name  string // as it is written
	field field
}

// separators are what columns may be separated by, the likeliest first.
const separators = ",;\t|"

// nameOf says which separator it is.
func nameOf(sep byte) string {
	return map[byte]string{',': "comma", ';': "semicolon", '\t': "tab", '|': "bar"}[sep]
}

// separator tells what the columns of a sheet are separated by from its first
// bytes: what it declares, else what of its first line makes it a header.
func separator(in *bufio.Reader, o Options) (byte, error) {
	head, _ := in.Peek(bufferSize) // an error comes up again where it happened
	if sep, err := declared(head); sep != 0 || err != nil {
		return sep, err
	}
	line := firstLine(head)
	best, most := byte(','), 0
	for _, sep := range []byte(separators) {
		if bytes.IndexByte(line, sep) < 0 {
			continue
		}
		s := newSplitter(bufio.NewReader(bytes.NewReader(head)), sep, o.MaxColumns, o.MaxCell)
		if rec, err := s.next(); err == nil {
			if score := likelihood(rec.cells, o); score > most {
				best, most = sep, score
			}
		}
	}
	return best, nil
}

// firstLine returns the first line of text that is not empty, without what is in
// quotation marks.
func firstLine(text []byte) []byte {
	var bare []byte
	quoted := false
	for part := range bytes.SplitSeq(text, []byte(`"`)) {
		if !quoted {
			bare = append(bare, part...)
		}
		quoted = !quoted
	}
	bare = bytes.TrimLeft(bare, "\r\n")
	if end := bytes.IndexAny(bare, "\r\n"); end >= 0 {
		return bare[:end]
	}
	return bare
}

// likelihood is the higher the more the cells look like a header: first of all
// by a column of phone numbers, then by how many they are.
func likelihood(cells []string, o Options) int {
	has := 0
	for _, c := range cells {
		switch name := plainName(unmarked(c)); {
		case fields[name] == phoneField:
			has = 2
		case phoneNames[name]:
			has = max(has, 1)
		}
	}
	return has*o.MaxColumns + len(cells)
}

// declaration begins the first line of a sheet that tells Excel its separator.
const declaration = "sep="

// declared returns the separator that a sheet declares, or 0.
func declared(head []byte) (byte, error) {
	line, _, _ := strings.Cut(string(head[:min(len(head), maxShown)]), "\n")
	line = strings.Trim(line, "\r\"")
	if len(line) < len(declaration) || !strings.EqualFold(line[:len(declaration)], declaration) {
		return 0, nil
	}
	sep := line[len(declaration):]
	if len(sep) != 1 || !strings.Contains(separators, sep) {
		return 0, domain.Invalid("file", "line 1 of the file declares the separator %q: use a comma, semicolon, tab or bar", cut(sep))
	}
	return sep[0], nil
}

// declares reports whether the record is such a line.
func declares(rec record) bool {
	return rec.line == 1 && len(rec.cells) > 0 && strings.HasPrefix(strings.ToLower(rec.cells[0]), declaration)
}

// unmarked strips the apostrophe that marks a cell as text.
func unmarked(cell string) string { return strings.TrimPrefix(cell, "'") }

// columnsOf reads the header.
func columnsOf(head record, o Options) ([]column, error) {
	if err := misshapenHeader(head, o); err != nil {
		return nil, err
	}
	columns := make([]column, 0, len(head.cells))
	seen := make(map[string]int, len(head.cells))
	for i, cell := range head.cells {
		c := column{name: strings.TrimSpace(unmarked(cell))}
		switch {
		case !utf8.ValidString(c.name):
			return nil, domain.Invalid("file", `line %d of the file, the header, is not UTF-8: save the file as "CSV UTF-8"`, head.line)
		case c.name == "":
			return nil, domain.Invalid("file", "column %d of the header has no name: name it, or delete the column", i+1)
		case strings.ContainsFunc(c.name, unicode.IsControl):
			return nil, domain.Invalid("file", "the name %q of column %d contains a line break or another control character: remove it", cut(c.name), i+1)
		}
		c.field = fields[plainName(c.name)]
		same := c.name
		if c.field != variable {
			same = plainName(c.name)
		}
		if before, twice := seen[same]; twice {
			return nil, domain.Invalid("file", "columns %d and %d of the header, %q and %q, are the same: rename or delete one", before+1, i+1, cut(columns[before].name), cut(c.name))
		}
		seen[same] = i
		columns = append(columns, c)
	}
	return columns, choosePhone(columns, seen)
}

// misshapenHeader refuses a header whose cells cannot be told apart.
func misshapenHeader(head record, o Options) error {
	switch head.flaw {
	case long:
		return domain.Invalid("file", "column %d of the header has more than %d bytes: the first line must name the columns, separated by commas", head.at+1, o.MaxCell)
	case crowded:
		return domain.Invalid("file", "the header has more than %d columns: delete those that calls do not need", o.MaxColumns)
	case stray, open:
		return domain.Invalid("file", "line %d of the file, the header, has a quotation mark too many or too few in column %d", head.line, head.at+1)
	}
	return nil
}

// choosePhone finds the column of phone numbers: phone_number, else the only
// one that may be it.
func choosePhone(columns []column, seen map[string]int) error {
	if _, named := seen["phonenumber"]; named {
		return nil
	}
	found := -1
	for i, c := range columns {
		if !phoneNames[plainName(c.name)] {
			continue
		}
		if found >= 0 {
			return domain.Invalid("file", "the columns %q and %q may both have the phone number to call: name that which has it phone_number", cut(columns[found].name), cut(c.name))
		}
		found = i
	}
	if found < 0 {
		return domain.Invalid("file", "the first line of the file must name the columns, of which phone_number is one: it has %s", listed(columns))
	}
	columns[found].field = phoneField
	return nil
}

// listed repeats the names of the first columns.
func listed(columns []column) string {
	var names []string
	for i, c := range columns {
		if i == 5 {
			names = append(names, "…")
			break
		}
		names = append(names, strconv.Quote(cut(c.name)))
	}
	return strings.Join(names, ", ")
}
