package provider

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
)

// Bounds of a stream of events. No honest answer comes near.
const (
	maxEventLine   = 256 << 10
	maxEventStream = 4 << 20
)

var (
	errLongLine   = fmt.Errorf("it sent a line of more than %d kB", maxEventLine>>10)
	errLongStream = fmt.Errorf("it sent more than %d MB for one answer", maxEventStream>>20)
)

// events reads a stream of server-sent events (HTML Living Standard, section
// 9.2.6): its comments are dropped, and so are events without data. Unlike a
// browser it also delivers an event that the end of the stream cuts off before
// its empty line: several servers end that way.
type events struct {
	lines *bufio.Reader
	left  int64
	name  string // of the event that next delivered; "" is "message"
}

func newEvents(r io.Reader) *events {
	return &events{lines: bufio.NewReaderSize(r, 4<<10), left: maxEventStream}
}

// next returns the data of the next event, io.EOF at the end.
func (e *events) next() ([]byte, error) {
	var data []byte
	name, found := "", false
	for {
		line, err := e.line()
		if err != nil && (!errors.Is(err, io.EOF) || len(line) == 0) {
			if errors.Is(err, io.EOF) && found {
				e.name = name
				return data, nil
			}
			return nil, err
		}
		if len(line) == 0 {
			if found && len(data) > 0 {
				e.name = name
				return data, nil
			}
			data, name, found = nil, "", false
			continue
		}
		field, value, _ := bytes.Cut(line, []byte(":"))
		value = bytes.TrimPrefix(value, []byte(" "))
		switch string(field) {
		case "event":
			name = string(value)
		case "data":
			if found {
				data = append(data, '\n')
			}
			data, found = append(data, value...), true
			if len(data) > maxEventLine {
				return nil, errLongLine
			}
		}
	}
}

// line returns the next line without its end, and io.EOF with a last one that
// has none.
func (e *events) line() ([]byte, error) {
	var line []byte
	for {
		part, err := e.lines.ReadSlice('\n')
		if e.left -= int64(len(part)); e.left < 0 {
			return nil, errLongStream
		}
		if len(line)+len(part) > maxEventLine {
			return nil, errLongLine
		}
		line = append(line, part...)
		if errors.Is(err, bufio.ErrBufferFull) {
			continue
		}
		return bytes.TrimRight(line, "\r\n"), err
	}
}
