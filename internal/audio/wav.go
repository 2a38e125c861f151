package audio

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
)

// WAVHeaderSize is the length in bytes of the header WAVHeader builds.
const WAVHeaderSize = 44

// ErrWAV says that a file is not a WAV file that can be read: 16-bit PCM.
var ErrWAV = errors.New("audio: not a 16-bit PCM WAV file")

const (
	formatPCM        = 1
	formatExtensible = 0xfffe
	maxFormatChunk   = 1 << 10 // what is longer is not a format
	maxWAVChannels   = 16
	maxWAVRate       = 192000
)

// WAVHeader builds the header of a 16-bit PCM WAV file whose dataBytes of sound
// follow it (RIFF, fmt tag 1). Sizes that do not fit 32 bits become 0xFFFFFFFF,
// which readers take as "to the end of the file".
func WAVHeader(rate, channels int, dataBytes int64) [WAVHeaderSize]byte {
	var h [WAVHeaderSize]byte
	le := binary.LittleEndian
	copy(h[0:], "RIFF")
	le.PutUint32(h[4:], clampSize(dataBytes+WAVHeaderSize-8))
	copy(h[8:], "WAVEfmt ")
	le.PutUint32(h[16:], 16)
	le.PutUint16(h[20:], formatPCM)
	le.PutUint16(h[22:], uint16(channels))
	le.PutUint32(h[24:], uint32(rate))
	le.PutUint32(h[28:], uint32(rate*channels*2))
	le.PutUint16(h[32:], uint16(channels*2))
	le.PutUint16(h[34:], 16)
	copy(h[36:], "data")
	le.PutUint32(h[40:], clampSize(dataBytes))
	return h
}

func clampSize(n int64) uint32 { return uint32(max(min(n, math.MaxUint32), 0)) }

// WAVFormat is what the header of a WAV file says.
type WAVFormat struct {
	Rate      int   // hertz
	Channels  int   // interleaved
	DataBytes int64 // of sound; −1 when it lasts to the end of the file
}

// ReadWAVHeader reads the header of a 16-bit PCM WAV file and leaves r at the
// first byte of its sound. Chunks it does not know are skipped. A data chunk of
// size 0 or 0xFFFFFFFF, as programs write that cannot go back, lasts to the end
// of the file. Anything else is ErrWAV, or the error of r.
func ReadWAVHeader(r io.Reader) (WAVFormat, error) {
	var riff [12]byte
	if _, err := io.ReadFull(r, riff[:]); err != nil {
		return WAVFormat{}, wavError("the header", err)
	}
	if string(riff[:4]) != "RIFF" || string(riff[8:]) != "WAVE" {
		return WAVFormat{}, fmt.Errorf("%w: it does not begin with RIFF and WAVE", ErrWAV)
	}
	var format WAVFormat
	for {
		var head [8]byte
		if _, err := io.ReadFull(r, head[:]); err != nil {
			return WAVFormat{}, wavError("a chunk header", err)
		}
		size := int64(binary.LittleEndian.Uint32(head[4:]))
		switch string(head[:4]) {
		case "fmt ":
			var err error
			if format, err = readFormat(r, size); err != nil {
				return WAVFormat{}, err
			}
		case "data":
			if format.Rate == 0 {
				return WAVFormat{}, fmt.Errorf("%w: data comes before fmt", ErrWAV)
			}
			format.DataBytes = size
			if size == 0 || size == math.MaxUint32 {
				format.DataBytes = -1
			}
			return format, nil
		default:
			if _, err := io.CopyN(io.Discard, r, size+size&1); err != nil {
				return WAVFormat{}, wavError("a chunk", err)
			}
		}
	}
}

func readFormat(r io.Reader, size int64) (WAVFormat, error) {
	if size < 16 || size > maxFormatChunk {
		return WAVFormat{}, fmt.Errorf("%w: a fmt chunk of %d bytes", ErrWAV, size)
	}
	chunk := make([]byte, size+size&1)
	if _, err := io.ReadFull(r, chunk); err != nil {
		return WAVFormat{}, wavError("the fmt chunk", err)
	}
	le := binary.LittleEndian
	tag := le.Uint16(chunk)
	if tag == formatExtensible && size >= 26 {
		tag = le.Uint16(chunk[24:]) // the sub-format's GUID begins with the tag
	}
	channels, rate, width := int(le.Uint16(chunk[2:])), int64(le.Uint32(chunk[4:])), le.Uint16(chunk[14:])
	if tag != formatPCM || width != 16 {
		return WAVFormat{}, fmt.Errorf("%w: format %#x with %d bits", ErrWAV, tag, width)
	}
	if channels < 1 || channels > maxWAVChannels || rate < 1 || rate > maxWAVRate {
		return WAVFormat{}, fmt.Errorf("%w: %d channels at %d Hz", ErrWAV, channels, rate)
	}
	return WAVFormat{Rate: int(rate), Channels: channels}, nil
}

func wavError(where string, err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("%w: it ends within %s", ErrWAV, where)
	}
	return fmt.Errorf("audio: reading %s of a WAV file: %w", where, err)
}

// ReadWAV reads a whole 16-bit PCM WAV file as mono (channels are averaged) and
// returns its sound and rate. Sound that ends before its header says so is
// taken as it is. Memory grows with what r has, not with what the header says;
// a caller that does not trust r limits it.
func ReadWAV(r io.Reader) (pcm []int16, rate int, err error) {
	format, err := ReadWAVHeader(r)
	if err != nil {
		return nil, 0, err
	}
	if format.DataBytes >= 0 {
		r = io.LimitReader(r, format.DataBytes)
	}
	data, err := io.ReadAll(r)
	if err != nil {
		return nil, 0, wavError("the sound", err)
	}
	step := 2 * format.Channels
	pcm = make([]int16, len(data)/step)
	for i := range pcm {
		sum := 0
		for c := range format.Channels {
			sum += int(int16(binary.LittleEndian.Uint16(data[i*step+2*c:])))
		}
		pcm[i] = int16(sum / format.Channels)
	}
	return pcm, format.Rate, nil
}

// PutPCM writes samples to dst as little-endian bytes, two a sample, and
// returns how many bytes it wrote.
func PutPCM(dst []byte, pcm []int16) int {
	n := min(len(dst)/2, len(pcm))
	for i, s := range pcm[:n] {
		binary.LittleEndian.PutUint16(dst[2*i:], uint16(s))
	}
	return 2 * n
}
