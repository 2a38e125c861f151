package sheet

import (
	"bufio"
	"fmt"
	"io"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/callwright/callwright/internal/phone"
)

// Kind says what the cells of a column are. Cells that are not of their column's
// kind are written as Text.
type Kind int

// The kinds of columns.
const (
	Text   Kind = iota // whatever people wrote: never a formula
	Phone              // numbers in E.164
	Number             // decimal numbers, below zero too
	Time               // instants and durations, such as RFC 3339 has them
)

// Column is one column of a sheet that is written.
type Column struct {
	Name string
	Kind Kind
}

// Writer writes a sheet in UTF-8 with commas (RFC 4180), such that no program
// takes a cell for a formula, and a Reader gets back what was written. It is not
// safe for concurrent use.
type Writer struct {
	out     *bufio.Writer
	columns []Column
	started bool
	line    []byte
}

// NewWriter returns a Writer of the columns, whose names become the first line.
func NewWriter(w io.Writer, columns []Column) *Writer {
	return &Writer{out: bufio.NewWriter(w), columns: columns}
}

// Write writes one row, which has a cell for each column. Errors are w's; they
// may come up later than the row that they are about, with Flush at the latest.
func (w *Writer) Write(cells []string) error {
	if len(cells) != len(w.columns) {
		return fmt.Errorf("a row of %d cells for a sheet of %d columns", len(cells), len(w.columns))
	}
	if err := w.begin(); err != nil {
		return err
	}
	w.line = w.line[:0]
	for i, cell := range cells {
		if !w.columns[i].Kind.raw(cell) {
			cell = disarmed(cell)
		}
		w.append(i, cell)
	}
	return w.end()
}

// Flush writes what is held back, at least the header.
func (w *Writer) Flush() error {
	if err := w.begin(); err != nil {
		return err
	}
	return w.out.Flush()
}

// begin writes the header, once.
func (w *Writer) begin() error {
	if w.started {
		return nil
	}
	w.started = true
	w.line = w.line[:0]
	for i, c := range w.columns {
		w.append(i, disarmed(c.Name))
	}
	return w.end()
}

// append adds the cell of column i to the line.
func (w *Writer) append(i int, cell string) {
	if i > 0 {
		w.line = append(w.line, ',')
	}
	if !needsQuotes(cell) {
		w.line = append(w.line, cell...)
		return
	}
	w.line = append(w.line, '"')
	w.line = append(w.line, strings.ReplaceAll(cell, `"`, `""`)...)
	w.line = append(w.line, '"')
}

func (w *Writer) end() error {
	w.line = append(w.line, '\n')
	_, err := w.out.Write(w.line)
	return err
}

// decimalNumber is a number that no spreadsheet can take for anything else.
var decimalNumber = regexp.MustCompile(`^-?\d+(\.\d+)?([eE][+-]?\d+)?$`)

// raw reports whether a cell is of the kind, and harmless therefore.
func (k Kind) raw(cell string) bool {
	switch k {
	case Phone:
		return phone.Valid(cell) == nil
	case Number:
		return decimalNumber.MatchString(cell)
	}
	return false // instants begin with a digit: as text they stay what they are
}

// disarmed marks a cell as text that a spreadsheet would take for a formula, by
// an apostrophe, as OWASP has it for CSV injection; likewise one that begins with an
// apostrophe itself, so that a Reader strips this one only.
func disarmed(cell string) string {
	cell = strings.ReplaceAll(strings.ToValidUTF8(cell, "\uFFFD"), "\x00", "")
	if cell == "" {
		return cell
	}
	first, _ := utf8.DecodeRuneInString(strings.TrimLeftFunc(cell, func(r rune) bool { return r == ' ' || !unicode.IsPrint(r) }))
	if strings.ContainsRune("\t\r\n'", rune(cell[0])) || strings.ContainsRune("=+-@＝＋－＠", first) {
		return "'" + cell
	}
	return cell
}

// needsQuotes reports whether a cell would be read as something else without
// quotation marks, by any separator.
func needsQuotes(cell string) bool {
	return strings.ContainsAny(cell, ",;|\t\"\r\n") || cell != strings.TrimSpace(cell)
}

// Template returns a sheet to begin with: the columns that have a meaning of
// their own, and a row that shows how to fill them.
func Template() []byte {
	return []byte("phone_number,first_name,last_name,email\n+12025550123,Jane,Doe,jane@example.com\n")
}
