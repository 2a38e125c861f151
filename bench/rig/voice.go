//go:build linux

package rig

import (
	_ "embed"
	"math/rand/v2"

	"github.com/callwright/callwright/internal/audio"
)

// voiceULaw is one second of speech (flite's voice slt) at 8 kHz, µ-law.
//
//go:embed voice.ulaw
var voiceULaw []byte

// roomNoise is the RMS of what a caller's line carries between words.
const roomNoise = 12

// PCMU is the codec of most lines.
var PCMU = audio.PCMU

// Voice is what a caller says, as payloads of 20 ms: quiet frames of a room and
// frames of one utterance. Its slices are shared and must not be changed.
type Voice struct {
	Codec  audio.Codec
	Speech [][]byte
	Room   [][]byte
}

// voiceRate is that of the embedded sound, in hertz.
const voiceRate = 8000

// NewVoice encodes the caller's sound with a codec.
func NewVoice(codec audio.Codec) (*Voice, error) {
	v := &Voice{Codec: codec}
	pcm := make([]int16, len(voiceULaw))
	audio.DecodeULaw(pcm, voiceULaw)
	pcm, err := audio.ResampleAll(pcm, voiceRate, codec.SampleRate)
	if err != nil {
		return nil, err
	}
	v.Speech = v.encode(pcm)
	r := rand.New(rand.NewPCG(1, 1))
	room := make([]int16, 50*audio.FrameSize(codec.SampleRate))
	for i := range room {
		room[i] = int16(r.NormFloat64() * roomNoise)
	}
	v.Room = v.encode(room)
	return v, nil
}

func (v *Voice) encode(pcm []int16) [][]byte {
	var out [][]byte
	step, encoder := audio.FrameSize(v.Codec.SampleRate), v.Codec.NewEncoder()
	for ; len(pcm) >= step; pcm = pcm[step:] {
		payload := make([]byte, 2*step)
		out = append(out, payload[:encoder.Encode(payload, pcm[:step])])
	}
	return out
}

// loudLevel is the amplitude from which a sample counts as sound of the agent.
const loudLevel = 800

// Loud reports whether a payload holds more than silence. Of codecs that
// remember nothing it looks at every eighth sample; of others it decodes the
// packet by itself, which is wrong for its beginning only.
func (v *Voice) Loud(payload []byte) bool {
	var pcm [2 * 160]int16
	decoder, part, step := v.Codec.NewDecoder(), 1, 8
	if v.Codec.SampleRate != v.Codec.ClockRate {
		part, step = len(payload), len(payload)
	}
	for i := 0; i < len(payload); i += step {
		n := decoder.Decode(pcm[:], payload[i:min(i+part, len(payload))])
		for _, s := range pcm[:n] {
			if s > loudLevel || s < -loudLevel {
				return true
			}
		}
	}
	return false
}
