package blob

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"math"
	"os"
)

// The header of a recording: RIFF, fmt with tag 1 (PCM) and data, 44 bytes in
// all, little endian ("Multimedia Programming Interface and Data Specifications
// 1.0", IBM and Microsoft, 1991).
const (
	headerSize  = 44
	channels    = 2 // caller left, agent right
	sampleBytes = 2
	blockAlign  = channels * sampleBytes
	defaultRate = 8000 // when no header was written: telephone sound
)

// header returns the header for size bytes of sound at rate hertz. A size over
// what 32 bits hold is written as the most they hold; players read on to the end.
func header(rate uint32, size int64) []byte {
	data := min(size, math.MaxUint32-headerSize)
	le := binary.LittleEndian
	b := append(make([]byte, 0, headerSize), "RIFF"...)
	b = le.AppendUint32(b, uint32(data)+headerSize-8)
	b = append(b, "WAVEfmt "...)
	b = le.AppendUint32(b, 16)
	b = le.AppendUint16(b, 1)
	b = le.AppendUint16(b, channels)
	b = le.AppendUint32(b, rate)
	b = le.AppendUint32(b, rate*blockAlign)
	b = le.AppendUint16(b, blockAlign)
	b = le.AppendUint16(b, sampleBytes*8)
	b = append(b, "data"...)
	return le.AppendUint32(b, uint32(data))
}

// rateOf returns the sample rate that a header says, or the default where there
// is none.
func rateOf(head []byte) uint32 {
	if len(head) < headerSize || !bytes.Equal(head[:4], []byte("RIFF")) || !bytes.Equal(head[8:16], []byte("WAVEfmt ")) {
		return defaultRate
	}
	rate := binary.LittleEndian.Uint32(head[24:])
	if rate < 8000 || rate > 192_000 {
		return defaultRate
	}
	return rate
}

// repair sets the header of a stereo recording to the sound that is there and
// cuts off half a sample at its end. A recording in order is left alone.
func repair(file *os.File) error {
	head := make([]byte, headerSize)
	n, err := file.ReadAt(head, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	end, err := file.Seek(0, io.SeekEnd)
	if err != nil {
		return err
	}
	size := max(end-headerSize, 0) / blockAlign * blockAlign
	want := header(rateOf(head[:n]), size)
	if bytes.Equal(head, want) && end == headerSize+size {
		return nil
	}
	if _, err := file.WriteAt(want, 0); err != nil {
		return err
	}
	if err := file.Truncate(headerSize + size); err != nil {
		return err
	}
	return file.Sync()
}
