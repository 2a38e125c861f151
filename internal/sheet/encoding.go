package sheet

import (
	"bufio"
	"bytes"
	"errors"
	"io"

	"golang.org/x/text/encoding/unicode"

	"github.com/callwright/callwright/internal/domain"
)

// source lets so many bytes of a file through, and fails when more come. Its
// errors are final.
type source struct {
	in   io.Reader
	most int64 // 0: any number
	read int64
	err  error
}

func (s *source) Read(p []byte) (int, error) {
	if s.err != nil {
		return 0, s.err
	}
	left := s.most - s.read
	if s.most > 0 && int64(len(p)) > left {
		p = p[:left+1] // one more tells whether the file ends here
	}
	n, err := s.in.Read(p)
	if s.most > 0 && int64(n) > left {
		n = int(left)
		err = domain.Errorf(domain.CodeTooLarge, "the file has more than %d bytes: split it", s.most).For("", "file")
	}
	s.read, s.err = s.read+int64(n), err
	return n, err
}

// headSize is how much of a file tells what it is.
const headSize = 1 << 10

// Byte order marks (Unicode 17.0 section 23.8).
var (
	mark8    = []byte("\xEF\xBB\xBF")
	mark16LE = []byte("\xFF\xFE")
	mark16BE = []byte("\xFE\xFF")
	mark32LE = []byte("\xFF\xFE\x00\x00")
	mark32BE = []byte("\x00\x00\xFE\xFF")
)

// decode returns the text of a file in UTF-8, without a byte order mark.
func decode(r io.Reader) (io.Reader, error) {
	in := bufio.NewReaderSize(r, headSize)
	head, err := in.Peek(headSize)
	if err != nil && !errors.Is(err, io.EOF) && len(head) == 0 {
		return nil, err
	}
	if err := foreign(head); err != nil {
		return nil, err
	}
	marked := 0
	order, wide := guess16(head)
	switch {
	case bytes.HasPrefix(head, mark8):
		marked, wide = len(mark8), false
	case bytes.HasPrefix(head, mark16LE):
		marked, wide, order = len(mark16LE), true, unicode.LittleEndian
	case bytes.HasPrefix(head, mark16BE):
		marked, wide, order = len(mark16BE), true, unicode.BigEndian
	}
	if _, err := in.Discard(marked); err != nil {
		return nil, err
	}
	if !wide {
		return in, nil
	}
	return unicode.UTF16(order, unicode.IgnoreBOM).NewDecoder().Reader(in), nil
}

// guess16 tells UTF-16 without a byte order mark: the first line of a sheet is
// mostly ASCII, of which UTF-16 has every other byte zero.
func guess16(head []byte) (order unicode.Endianness, wide bool) {
	var zeros [2]int
	pairs := min(len(head), 64) / 2
	for i, c := range head[:2*pairs] {
		if c == 0 {
			zeros[i%2]++
		}
	}
	most := pairs * 3 / 4
	switch {
	case pairs < 2:
		return unicode.LittleEndian, false
	case zeros[1] > most && zeros[0] == 0:
		return unicode.LittleEndian, true
	case zeros[0] > most && zeros[1] == 0:
		return unicode.BigEndian, true
	}
	return unicode.LittleEndian, false
}

// signatures are how files begin that people send instead of a sheet.
var signatures = []struct{ begin, is string }{
	{"PK\x03\x04", "a workbook (.xlsx, .ods, .numbers) or another zip archive"},
	{"\xd0\xcf\x11\xe0", "a workbook of old Excel (.xls)"},
	{"\x1f\x8b", "compressed (.gz)"},
	{"%PDF-", "a PDF document"},
	{`{\rtf`, "an RTF document"},
	{"<", "a web page or XML"},
	{"{", "JSON"},
	{"[", "JSON"},
	{"BEGIN:VCARD", "address cards (.vcf)"},
	{"\x89PNG", "an image"},
	{"\xff\xd8\xff", "an image"},
	{"GIF8", "an image"},
}

// foreign says what a file is that is no sheet.
func foreign(head []byte) error {
	if bytes.HasPrefix(head, mark32LE) || bytes.HasPrefix(head, mark32BE) {
		return domain.Invalid("file", `the file is text in UTF-32: save it as "CSV UTF-8"`)
	}
	begin := bytes.TrimSpace(bytes.TrimPrefix(head, mark8))
	for _, s := range signatures {
		if bytes.HasPrefix(begin, []byte(s.begin)) {
			return domain.Invalid("file", `the file is %s, not CSV: open it in a spreadsheet and save it as "CSV UTF-8"`, s.is)
		}
	}
	return nil
}
