package provider

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/callwright/callwright/internal/audio"
)

// FuzzEvents reads any stream to its end, in bounds, and the same however it is
// cut.
func FuzzEvents(f *testing.F) {
	files, err := filepath.Glob("testdata/*/*.sse")
	if err != nil || len(files) == 0 {
		f.Fatal(files, err)
	}
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw)
	}
	f.Add([]byte("data"))
	f.Add([]byte("data:\n\n:\n\nevent:x\n\ndata: a\r\ndata:b\r\n\r\nid: 1\ndata: c"))
	read := func(t *testing.T, r io.Reader) (all []string) {
		events := newEvents(r)
		for {
			data, err := events.next()
			if err != nil {
				if !errors.Is(err, io.EOF) && !errors.Is(err, errLongLine) && !errors.Is(err, errLongStream) {
					t.Fatal(err)
				}
				return all
			}
			all = append(all, events.name+":"+string(data))
		}
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		whole := read(t, bytes.NewReader(raw))
		pieces := read(t, iotest.OneByteReader(bytes.NewReader(raw)))
		if strings.Join(whole, "\x00") != strings.Join(pieces, "\x00") {
			t.Errorf("%q\nin pieces %q", whole, pieces)
		}
		for _, e := range whole {
			if len(e) > 2*maxEventLine {
				t.Errorf("an event of %d bytes", len(e))
			}
		}
	})
}

// FuzzWords reads any message of the servers that hear: it is words, or an error.
func FuzzWords(f *testing.F) {
	for _, seed := range []string{
		`{"type":"Results","is_final":true,"speech_final":true,"channel":{"alternatives":[{"transcript":"yes"}]}}`,
		`{"type":"Results","channel":{"alternatives":[]}}`, `{"type":"Results","channel":[0,1]}`, `{"type":"UtteranceEnd","channel":[0,1]}`,
		`{"type":"Error","description":"x"}`, `{"partial":"a b"}`, `{"text":"a b"}`, `{"text":""}`, `null`, `7`, `{`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		for _, l := range []listener{&deepgramListener{}, voskListener{}} {
			for range 2 {
				heard, err := l.read(raw)
				for _, h := range heard {
					if h.Text == "" {
						t.Errorf("%T heard nothing in %s", l, raw)
					}
				}
				if err != nil && len(heard) > 0 {
					t.Errorf("%T heard %v and failed with %v", l, heard, err)
				}
			}
		}
	})
}

// FuzzCalls puts any pieces of calls together: what comes out has a name, an id
// and arguments.
func FuzzCalls(f *testing.F) {
	f.Add([]byte(`[{"index":0,"id":"a","function":{"name":"x","arguments":"{"}},{"index":0,"function":{"arguments":"}"}}]`))
	f.Add([]byte(`[{"function":{"name":"x","arguments":{"a":1}}},{"function":{"arguments":null}},{"id":"b"},{"index":-1}]`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		var deltas []callDelta
		if json.Unmarshal(raw, &deltas) != nil {
			return
		}
		var parts callParts
		for _, d := range deltas {
			if parts.add(d) != nil {
				break
			}
		}
		for _, c := range parts.complete() {
			if c.ID == "" || c.Name == "" || len(c.Arguments) == 0 || len(c.Arguments) > 2*maxArguments {
				t.Errorf("%+v of %s", c, raw)
			}
		}
	})
}

// FuzzTrim takes any sound in pieces of any size: what is left is never more than
// came, but for the pause at its end.
func FuzzTrim(f *testing.F) {
	f.Add([]byte{0, 0, 0, 60, 0, 60}, 3)
	f.Add(bytes.Repeat([]byte{0, 60, 0, 0}, 4000), 100)
	f.Fuzz(func(t *testing.T, raw []byte, size int) {
		pcm := make([]int16, len(raw)/2)
		mono(pcm, raw, 1)
		left := 0
		trim := newTrimmer(8000, "Yes.", func(pcm []int16) error {
			left += len(pcm)
			return nil
		})
		size = max(size, 1)
		for rest := pcm; len(rest) > 0; rest = rest[min(size, len(rest)):] {
			if err := trim.write(rest[:min(size, len(rest))]); err != nil {
				t.Fatal(err)
			}
		}
		err := trim.end()
		if err != nil && (!errors.Is(err, errNoSound) || left > 0) {
			t.Errorf("%v after %d samples", err, left)
		}
		if pause := audio.Samples(pauseSentence, 8000); left > len(pcm)+pause {
			t.Errorf("%d samples of %d", left, len(pcm))
		}
	})
}
