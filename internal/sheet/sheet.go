// Package sheet reads and writes lists of contacts as the programs that people
// keep them in save them: CSV (RFC 4180), and what Excel, LibreOffice, Numbers
// and databases make of it. It streams: what it holds does not depend on what
// comes.
package sheet

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/callwright/callwright/internal/domain"
)

// Options are the limits of a sheet, and where its numbers are to be called.
type Options struct {
	MaxBytes   int64 // of the file as it was sent; 0: none
	MaxRows    int   // without the header and blank lines; 0: none
	MaxColumns int   // 0: 64
	MaxCell    int   // bytes of one cell in UTF-8; 0: 4096
	Sandbox    bool  // any number of E.164's shape is one; else its plan must have it
}

// What a sheet may have unless its Options say otherwise.
const (
	maxColumns = 64
	maxCell    = 4096
)

// Row is one line of a sheet.
type Row struct {
	Line      int    // of the file, 1 is the first: where the row begins
	Phone     string // in E.164, in its one form
	FirstName string
	LastName  string
	Email     string // as it was written: whether it is an address is not checked
	Company   string
	Timezone  string // IANA name
	State     string // as it was written
	Postcode  string
	Variables map[string]string // the other columns, by their header; each is there, if empty
	Faults    []Fault           // empty for a good row; a bad row may lack any field
}

// Fault says what is wrong with a row.
type Fault struct {
	Line   int
	Column string // its header, or "" when the whole row is at fault
	Value  string // what the cell has, at most 64 bytes of it
	Reason string // a sentence for people, which says what to do
}

// Reader reads a sheet row by row. It is not safe for concurrent use.
type Reader struct {
	split   *splitter
	columns []column
	header  []string
	opts    Options
	rows    int
	cells   []string // of the last row, valid until the next one is read
	err     error
}

// Open reads the header of a sheet. Its separator is what the header is
// separated by: comma, semicolon, tab or bar. Its text is UTF-8, or UTF-16. An
// error about what was sent is a domain.Error of the field "file": CodeTooLarge
// for MaxBytes, else CodeInvalid. Errors of r are wrapped.
func Open(r io.Reader, o Options) (*Reader, error) {
	if o.MaxColumns <= 0 {
		o.MaxColumns = maxColumns
	}
	if o.MaxCell <= 0 {
		o.MaxCell = maxCell
	}
	decoded, err := decode(&source{in: r, most: o.MaxBytes})
	if err != nil {
		return nil, reading(err)
	}
	in := bufio.NewReaderSize(decoded, bufferSize)
	s := newSplitter(in, ',', o.MaxColumns, o.MaxCell)
	if s.sep, err = separator(in, o); err != nil {
		return nil, reading(err)
	}
	head, err := s.next()
	if err == nil && declares(head) {
		head, err = s.next()
	}
	switch {
	case errors.Is(err, io.EOF):
		return nil, domain.Invalid("file", "the file is empty: its first line must name the columns, of which phone_number is one")
	case err != nil:
		return nil, reading(err)
	}
	columns, err := columnsOf(head, o)
	if err != nil {
		return nil, err
	}
	s.maxCells = len(columns)
	reader := &Reader{split: s, columns: columns, opts: o}
	for _, c := range columns {
		reader.header = append(reader.header, c.name)
	}
	return reader, nil
}

// Header returns the names of the columns as they are written, in their order.
func (r *Reader) Header() []string { return slices.Clone(r.header) }

// Next returns the next row that is not blank, and io.EOF after the last one. A
// bad row is no error: it has Faults, and the rest goes on. Other errors are as
// Open's, CodeTooLarge also for MaxRows; they are final.
func (r *Reader) Next() (Row, error) {
	if r.err != nil {
		return Row{}, r.err
	}
	rec, err := r.split.next()
	switch {
	case errors.Is(err, io.EOF):
		r.err = io.EOF
	case err != nil:
		r.err = reading(err)
	case r.opts.MaxRows > 0 && r.rows == r.opts.MaxRows:
		r.err = domain.Errorf(domain.CodeTooLarge, "the file has more than %d rows: split it", r.opts.MaxRows).For("", "file")
	}
	if r.err != nil {
		return Row{}, r.err
	}
	r.rows++
	r.cells = rec.cells
	return r.row(rec), nil
}

// Cells returns the cells of the row that Next returned last as they are
// written, one for each column of the Header, also of a bad row: to show them.
func (r *Reader) Cells() []string {
	cells := make([]string, len(r.header))
	for i, cell := range r.cells[:min(len(r.cells), len(cells))] {
		cells[i] = strings.ToValidUTF8(cell, "\uFFFD")
	}
	return cells
}

// row makes a row of a record.
func (r *Reader) row(rec record) Row {
	row := Row{Line: rec.line, Variables: make(map[string]string, max(0, len(r.columns)-1))}
	if fault, bad := r.misshapen(rec); bad {
		row.Faults = []Fault{fault}
		return row
	}
	for i, c := range r.columns {
		value := ""
		if i < len(rec.cells) {
			value = rec.cells[i]
		}
		if reason := c.set(&row, value, r.opts.Sandbox); reason != "" {
			row.Faults = append(row.Faults, Fault{Line: rec.line, Column: c.name, Value: cut(value), Reason: reason})
		}
	}
	return row
}

// misshapen tells of what makes it doubtful which cell is whose.
func (r *Reader) misshapen(rec record) (Fault, bool) {
	fault := Fault{Line: rec.line}
	if rec.at < len(r.columns) {
		fault.Column = r.columns[rec.at].name
	}
	if rec.at < len(rec.cells) {
		fault.Value = cut(rec.cells[rec.at])
	}
	switch rec.flaw {
	case whole:
		return Fault{}, false
	case open:
		fault.Reason = fmt.Sprintf("A quotation mark is opened here and never closed, so %s not read: close it, or remove it, and send what follows again.", lines(rec))
	case stray:
		fault.Reason = "Text follows the closing quotation mark: write quotation marks inside of a cell twice."
		if rec.last > rec.line {
			fault.Reason = fmt.Sprintf("Text follows the closing quotation mark, so %s not read: close the quotation mark in the line where it opens, and write those inside of a cell twice.", lines(rec))
		}
	case long:
		fault.Reason = fmt.Sprintf("The cell has more than %d bytes: shorten it, or close its quotation mark if that is missing.", r.opts.MaxCell)
	case crowded:
		fault.Column = ""
		fault.Reason = fmt.Sprintf("The row has more cells than the header, which has %d: put quotation marks around a cell that contains a %s.", len(r.columns), nameOf(r.split.sep))
	}
	return fault, true
}

// lines says which lines a record has.
func lines(rec record) string {
	if rec.line == rec.last {
		return fmt.Sprintf("line %d was", rec.line)
	}
	return fmt.Sprintf("lines %d to %d were", rec.line, rec.last)
}

// maxShown is how many bytes of a cell a fault repeats.
const maxShown = 64

// cut returns the beginning of a cell, fit to be shown.
func cut(value string) string {
	value = strings.ToValidUTF8(value, "\uFFFD")
	if len(value) <= maxShown {
		return value
	}
	end := maxShown
	for !utf8.RuneStart(value[end]) {
		end--
	}
	return value[:end]
}

// reading says where an error of the input came up, unless it speaks for itself.
func reading(err error) error {
	var own *domain.Error
	if errors.As(err, &own) {
		return err
	}
	return fmt.Errorf("reading the file: %w", err)
}
