package siptest

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/callwright/callwright/internal/audio"
	"github.com/callwright/callwright/internal/audio/audiotest"
)

// toneLength is how long a phone can speak; then it ends its call.
const toneLength = 90 * time.Second

// writeWAV writes the tone that a phone speaks.
func writeWAV(t testing.TB, name string, rate int, hertz float64) {
	t.Helper()
	if hertz == 0 {
		hertz = 440
	}
	pcm := audio.Sine(rate, hertz, 12000, toneLength)
	data := make([]byte, audio.WAVHeaderSize+2*len(pcm))
	head := audio.WAVHeader(rate, 1, int64(2*len(pcm)))
	copy(data, head[:])
	audio.PutPCM(data[audio.WAVHeaderSize:], pcm)
	if err := os.WriteFile(name, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

// Heard returns what the phone has decoded so far in its latest call, and the
// rate of it in hertz; nothing before the first packet.
func (b *Baresip) Heard() (pcm []int16, rate int) {
	b.t.Helper()
	names, err := filepath.Glob(filepath.Join(b.dir, "*-dec.wav"))
	if err != nil || len(names) == 0 {
		return nil, 0
	}
	data, err := os.ReadFile(slices.Max(names)) // their names begin with the time
	if err != nil || len(data) < audio.WAVHeaderSize {
		return nil, 0
	}
	// The lengths in the header are those of the end of the call.
	rate = int(binary.LittleEndian.Uint32(data[24:]))
	for data = data[audio.WAVHeaderSize:]; len(data) > 1; data = data[2:] {
		pcm = append(pcm, int16(binary.LittleEndian.Uint16(data)))
	}
	return pcm, rate
}

// HearTone waits until the last fifth of a second that the phone heard is a
// tone of that frequency.
func (b *Baresip) HearTone(hertz float64, timeout time.Duration) {
	b.t.Helper()
	rate, share := 0, 0.0
	for deadline := time.Now().Add(timeout); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		var pcm []int16
		if pcm, rate = b.Heard(); rate == 0 || len(pcm) < rate/5 {
			continue
		}
		if share = audiotest.Strength(pcm[len(pcm)-rate/5:], rate, hertz); share > 0.8 {
			return
		}
	}
	b.t.Fatalf("baresip %s does not hear %.0f Hz within %v; the last share of it was %.2f at %d Hz", b.Addr, hertz, timeout, share, rate)
}
