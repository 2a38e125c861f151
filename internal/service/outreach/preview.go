package outreach

import (
	"errors"
	"io"
	"slices"
	"strconv"

	"github.com/callwright/callwright/internal/domain"
)

// SheetCheck says what an import of a sheet would do.
type SheetCheck struct {
	ImportReport                     // Added are the good rows, Duplicates those among them that repeat a number
	Preview      []map[string]string // the cells of the first rows by their headers, bad ones among them
}

// CheckSheet reads a CSV sheet as an import in a mode would, and stores nothing. It
// shows up to preview rows. A sheet that is none is CodeInvalid.
func CheckSheet(r io.Reader, mode domain.Mode, preview int) (*SheetCheck, error) {
	from, err := openSheet(r, mode)
	if err != nil {
		return nil, err
	}
	check := &SheetCheck{ImportReport: ImportReport{Headers: from.Header()}, Preview: []map[string]string{}}
	var numbers []uint64 // a number has at most 15 digits
	for {
		row, err := from.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		check.Rows++
		if len(check.Preview) < preview {
			check.Preview = append(check.Preview, named(check.Headers, from.Cells()))
		}
		n, faults := contactOf(&row)
		if len(faults) > 0 {
			check.refuse(faults)
			continue
		}
		digits, err := strconv.ParseUint(n.Phone[1:], 10, 64)
		if err != nil {
			return nil, err
		}
		numbers = append(numbers, digits)
	}
	slices.Sort(numbers)
	unique := len(slices.Compact(numbers))
	check.Added, check.Duplicates = unique, len(numbers)-unique
	return check, nil
}

// named are the cells of a row by their headers.
func named(headers, cells []string) map[string]string {
	row := make(map[string]string, len(headers))
	for i, name := range headers {
		row[name] = cells[i]
	}
	return row
}
