package audio

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"math"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
)

func wavFile(rate, channels int, dataBytes int64, samples ...int16) []byte {
	h := WAVHeader(rate, channels, dataBytes)
	body := make([]byte, 2*len(samples))
	PutPCM(body, samples)
	return append(h[:], body...)
}

// chunked builds a file chunk by chunk, as other programs write them.
func chunked(chunks ...[]byte) []byte {
	return append([]byte("RIFF\x00\x00\x00\x00WAVE"), bytes.Join(chunks, nil)...)
}

func chunk(id string, body []byte) []byte {
	c := binary.LittleEndian.AppendUint32([]byte(id), uint32(len(body)))
	c = append(c, body...)
	return append(c, make([]byte, len(body)%2)...)
}

func TestReadWAV(t *testing.T) {
	header := WAVHeader(16000, 1, 4)
	format := header[20:36]
	extensible := append(bytes.Clone(format), make([]byte, 24)...)
	binary.LittleEndian.PutUint16(extensible, formatExtensible)
	binary.LittleEndian.PutUint16(extensible[24:], formatPCM)
	sound := []byte{1, 0, 2, 0}
	tests := []struct {
		name string
		file []byte
		want []int16
		rate int
	}{
		{"our own", wavFile(8000, 1, 6, 1, -2, 3), []int16{1, -2, 3}, 8000},
		{"stereo becomes mono", wavFile(8000, 2, 8, 10, 20, -4, -8), []int16{15, -6}, 8000},
		{"size unknown", wavFile(8000, 1, math.MaxUint32, 5, 6), []int16{5, 6}, 8000},
		{"size never set", wavFile(8000, 1, 0, 5, 6), []int16{5, 6}, 8000},
		{"shorter than it says", wavFile(8000, 1, 100, 5, 6), []int16{5, 6}, 8000},
		{"something after the sound", wavFile(8000, 1, 2, 5, 6), []int16{5}, 8000},
		{"chunks before, odd ones too", chunked(chunk("LIST", []byte("abc")), chunk("fmt ", format),
			chunk("fact", make([]byte, 4)), chunk("data", sound)), []int16{1, 2}, 16000},
		{"extensible", chunked(chunk("fmt ", extensible), chunk("data", sound)), []int16{1, 2}, 16000},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			pcm, rate, err := ReadWAV(iotest.OneByteReader(bytes.NewReader(tt.file)))
			if err != nil || rate != tt.rate || !slices.Equal(pcm, tt.want) {
				t.Errorf("got %v at %d Hz, %v; want %v at %d Hz", pcm, rate, err, tt.want, tt.rate)
			}
		})
	}
}

func TestReadWAVRefuses(t *testing.T) {
	ulaw := WAVHeader(8000, 1, 0)
	binary.LittleEndian.PutUint16(ulaw[20:], 7)
	rate0 := WAVHeader(0, 1, 0)
	tests := map[string][]byte{
		"nothing":         {},
		"not RIFF":        []byte("OggS00000000000000000000"),
		"cut off":         wavFile(8000, 1, 0)[:30],
		"only RIFF":       []byte("RIFF\x00\x00\x00\x00WAVE"),
		"µ-law":           ulaw[:],
		"no rate":         rate0[:],
		"data before fmt": chunked(chunk("data", make([]byte, 4))),
		"endless fmt":     append(chunked([]byte("fmt ")), 0xff, 0xff, 0xff, 0xff),
		"chunk cut off":   append(chunked([]byte("LIST")), 0xff, 0xff, 0xff, 0xff, 1, 2),
	}
	for name, file := range tests {
		if _, _, err := ReadWAV(bytes.NewReader(file)); !errors.Is(err, ErrWAV) {
			t.Errorf("%s: err = %v", name, err)
		}
	}
	broken := errors.New("disk on fire")
	if _, _, err := ReadWAV(io.MultiReader(strings.NewReader("RIFF"), iotest.ErrReader(broken))); !errors.Is(err, broken) {
		t.Errorf("the reader's own error is lost: %v", err)
	}
}

func TestWAVHeaderClampsSize(t *testing.T) {
	h := WAVHeader(8000, 2, 1<<40)
	if got := binary.LittleEndian.Uint32(h[40:]); got != math.MaxUint32 {
		t.Errorf("size %#x", got)
	}
	f, err := ReadWAVHeader(bytes.NewReader(h[:]))
	if err != nil || f != (WAVFormat{Rate: 8000, Channels: 2, DataBytes: -1}) {
		t.Errorf("read back %+v, %v", f, err)
	}
}

func FuzzReadWAV(f *testing.F) {
	f.Add(wavFile(8000, 1, 6, 1, -2, 3))
	f.Add(wavFile(44100, 2, 0, 1, 2, 3, 4))
	f.Add(chunked(chunk("LIST", []byte("abc"))))
	f.Add([]byte("RIFF"))
	f.Fuzz(func(t *testing.T, file []byte) {
		pcm, rate, err := ReadWAV(bytes.NewReader(file))
		if err == nil && (rate <= 0 || 2*len(pcm) > len(file)) {
			t.Errorf("%d samples at %d Hz out of %d bytes", len(pcm), rate, len(file))
		}
	})
}
