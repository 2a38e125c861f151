package sheet

import (
	"bufio"
	"bytes"
	"errors"
	"io"
)

// bufferSize is what is held of the file at a time. The header must fit.
const bufferSize = 64 << 10

// flaw is what is wrong with the shape of a record. Of two in one cell the later
// one says more.
type flaw int

const (
	whole   flaw = iota
	long         // a cell is longer than it may be
	crowded      // there are more cells than columns
	stray        // text follows a closing quotation mark
	open         // a quotation mark is never closed
)

// record is one line, or more of them where line breaks are quoted. It is valid
// until the next one is read.
type record struct {
	line, last int // the first and the last line
	cells      []string
	flaw       flaw // of the first cell that has one
	at         int  // which that is
}

// splitter takes text apart into records (RFC 4180). Unlike encoding/csv it
// holds no more than it may whatever comes, goes on after a bad record, and
// takes a carriage return alone as the end of a line. What is in quotation marks
// is never read as a record, not even when they are one too few.
type splitter struct {
	in       *bufio.Reader
	sep      byte
	maxCells int
	maxCell  int
	line     int // that the next byte is in

	rec   record
	count int    // how many cells of it were read, also those that are not kept
	text  []byte // those that are kept, one after the other
	ends  []int  // where in text they end
}

func newSplitter(in *bufio.Reader, sep byte, maxCells, maxCell int) *splitter {
	return &splitter{in: in, sep: sep, maxCells: maxCells, maxCell: maxCell, line: 1}
}

// next returns the next record that is not blank, and io.EOF after the last one.
func (s *splitter) next() (record, error) {
	for {
		end, err := s.record()
		switch {
		case err != nil:
			return record{}, err
		case s.rec.flaw != whole || len(s.text) > 0:
			return s.finished(), nil
		case end == atFile:
			return record{}, io.EOF
		}
	}
}

// finished returns the record with its cells, which share one string.
func (s *splitter) finished() record {
	text, start := string(s.text), 0
	for _, end := range s.ends {
		s.rec.cells = append(s.rec.cells, text[start:end])
		start = end
	}
	return s.rec
}

// ending is what ends a cell.
type ending int

const (
	atCell ending = iota
	atLine
	atFile
)

// record reads cells up to the end of a line.
func (s *splitter) record() (ending, error) {
	s.count, s.text, s.ends = 0, s.text[:0], s.ends[:0]
	s.rec = record{line: s.line, cells: s.rec.cells[:0]}
	for {
		end, err := s.cell()
		if err != nil {
			return end, err
		}
		if s.count < s.maxCells {
			s.ends = append(s.ends, len(s.text))
		}
		s.count++
		if end != atCell {
			return end, nil
		}
	}
}

// cell reads one cell. Spaces around it do not belong to it, but those within
// its quotation marks do.
func (s *splitter) cell() (ending, error) {
	start := len(s.text)
	c, err := s.skipBlanks()
	if err != nil || c != '"' {
		end, err := s.plain(err)
		for len(s.text) > start && s.blank(s.text[len(s.text)-1]) {
			s.text = s.text[:len(s.text)-1]
		}
		return end, err
	}
	if err := s.quoted(); err != nil {
		return atFile, err
	}
	c, err = s.skipBlanks()
	if err == nil && !s.stops(c) {
		s.mark(stray)
	}
	return s.plain(err)
}

// skipBlanks skips spaces, and returns what follows without taking it.
func (s *splitter) skipBlanks() (byte, error) {
	for {
		c, err := s.in.ReadByte()
		if err != nil {
			return 0, err
		}
		if !s.blank(c) {
			return c, s.in.UnreadByte()
		}
	}
}

func (s *splitter) blank(c byte) bool { return c == ' ' || c == '\t' && s.sep != '\t' }

// stops reports whether c ends a cell that is not in quotation marks.
func (s *splitter) stops(c byte) bool { return c == s.sep || c == '\n' || c == '\r' }

// stride is how far the end of a cell is looked for at a time: most cells end
// much earlier, and looking for three bytes one after the other must not take
// long for those.
const stride = 512

// stop returns where the first byte is that ends a cell, len(text) when none does.
func (s *splitter) stop(text []byte) int {
	for _, c := range [...]byte{s.sep, '\n', '\r'} {
		if i := bytes.IndexByte(text, c); i >= 0 {
			text = text[:i]
		}
	}
	return len(text)
}

// plain keeps what comes up to the end of the cell, and takes that end too. It
// is given the error of the read before.
func (s *splitter) plain(err error) (ending, error) {
	for err == nil {
		var window []byte
		if window, err = s.window(); err != nil {
			break
		}
		window = window[:min(len(window), stride)]
		i := s.stop(window)
		s.keep(window[:i])
		if i == len(window) {
			_, err = s.in.Discard(i)
			continue
		}
		c := window[i]
		if _, err = s.in.Discard(i + 1); err != nil {
			break
		}
		if c == s.sep {
			return atCell, nil
		}
		return atLine, s.endLine(c)
	}
	s.rec.last = s.line
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return atFile, err
}

// endLine goes to the next line after its end c was taken: LF, CR, or CR LF.
func (s *splitter) endLine(c byte) error {
	s.rec.last = s.line
	s.line++
	if c != '\r' {
		return nil
	}
	following, err := s.in.Peek(1)
	if err == nil && following[0] == '\n' {
		_, err = s.in.Discard(1)
	}
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}

// quoted keeps what is in quotation marks; the next byte is the opening one.
func (s *splitter) quoted() error {
	_, err := s.in.Discard(1)
	var before byte
	for err == nil {
		var window []byte
		if window, err = s.window(); err != nil {
			break
		}
		i := bytes.IndexByte(window, '"')
		text := window
		if i >= 0 {
			text = window[:i]
		}
		s.keep(text)
		s.line += breaks(text, before)
		if i < 0 {
			before = window[len(window)-1]
			_, err = s.in.Discard(len(window))
			continue
		}
		before = '"'
		if _, err = s.in.Discard(i + 1); err != nil {
			break
		}
		following, peekErr := s.in.Peek(1)
		if errors.Is(peekErr, io.EOF) {
			return nil
		}
		if err = peekErr; err == nil {
			if following[0] != '"' {
				return nil
			}
			s.keep(following)
			_, err = s.in.Discard(1)
		}
	}
	if errors.Is(err, io.EOF) {
		s.mark(open)
		if before == '\n' || before == '\r' {
			s.line-- // nothing is in the last one
		}
		return nil
	}
	return err
}

// breaks counts the ends of lines in text that follows the byte before.
func breaks(text []byte, before byte) int {
	n := bytes.Count(text, lf)
	if bytes.IndexByte(text, '\r') >= 0 {
		n += bytes.Count(text, cr) - bytes.Count(text, crlf)
	}
	if before == '\r' && bytes.HasPrefix(text, lf) {
		n--
	}
	return n
}

var lf, cr, crlf = []byte("\n"), []byte("\r"), []byte("\r\n")

// window returns what is held of the text to come, at least one byte.
func (s *splitter) window() ([]byte, error) {
	if _, err := s.in.Peek(1); err != nil {
		return nil, err
	}
	return s.in.Peek(s.in.Buffered())
}

// keep adds text to the cell, as far as it may have any.
func (s *splitter) keep(text []byte) {
	if s.count >= s.maxCells {
		if len(bytes.TrimSpace(text)) > 0 {
			s.mark(crowded)
		}
		return
	}
	start := 0
	if s.count > 0 {
		start = s.ends[s.count-1]
	}
	if room := s.maxCell - (len(s.text) - start); len(text) > room {
		s.mark(long)
		text = text[:room]
	}
	s.text = append(s.text, text...)
}

// mark notes a flaw of the cell that is being read.
func (s *splitter) mark(f flaw) {
	if s.rec.flaw == whole || s.rec.at == s.count && f > s.rec.flaw {
		s.rec.flaw, s.rec.at = f, s.count
	}
}
