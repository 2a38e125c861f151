package sheet

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/callwright/callwright/internal/phone"
)

// set puts a cell of the column where it belongs in the row. It returns what is
// wrong with it, or "".
func (c column) set(row *Row, cell string, sandbox bool) (reason string) {
	value := unmarked(cell)
	switch {
	case !utf8.ValidString(value):
		return `The cell is not UTF-8: save the file as "CSV UTF-8".`
	case strings.IndexByte(value, 0) >= 0:
		return `The cell contains a NUL byte: type the cell anew, or save the file as "CSV UTF-8".`
	}
	switch c.field {
	case variable:
		row.Variables[c.name] = value
		return ""
	case company:
		row.Company = value
		return ""
	case phoneField:
		row.Phone, reason = number(value, sandbox)
		return reason
	case timezone:
		row.Timezone, reason = zone(strings.TrimSpace(value))
		return reason
	}
	if strings.ContainsFunc(value, unicode.IsControl) {
		return "The cell contains a line break or another control character: remove it, or look for a quotation mark that is missing."
	}
	switch c.field {
	case firstName:
		row.FirstName = value
	case lastName:
		row.LastName = value
	case email:
		row.Email = strings.TrimSpace(value)
	case state:
		row.State = strings.TrimSpace(value)
	case postcode:
		row.Postcode = strings.TrimSpace(value)
	}
	return ""
}

// zone checks the name of a time zone, of which there may be none.
func zone(name string) (zone, reason string) {
	if name == "" {
		return "", ""
	}
	if _, err := phone.Zone(name); err != nil {
		return "", "The time zone is not one of the IANA database: write it as America/New_York, or leave the cell empty."
	}
	return name, ""
}
