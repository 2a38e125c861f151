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

// NewVoice encodes the caller's sound with a codec of G.711.
func NewVoice(codec audio.Codec) *Voice {
	v := &Voice{Codec: codec}
	pcm := make([]int16, len(voiceULaw))
	audio.DecodeULaw(pcm, voiceULaw)
	v.Speech = v.encode(pcm)
	r := rand.New(rand.NewPCG(1, 1))
	room := make([]int16, 50*audio.FrameSize(codec.ClockRate))
	for i := range room {
		room[i] = int16(r.NormFloat64() * roomNoise)
	}
	v.Room = v.encode(room)
	return v
}

func (v *Voice) encode(pcm []int16) [][]byte {
	var out [][]byte
	step := audio.FrameSize(v.Codec.ClockRate)
	for ; len(pcm) >= step; pcm = pcm[step:] {
		payload := make([]byte, 2*step)
		out = append(out, payload[:v.Codec.Encode(payload, pcm[:step])])
	}
	return out
}

// loudLevel is the amplitude from which a sample counts as sound of the agent.
const loudLevel = 800

// Loud reports whether a payload holds more than silence. It looks at every
// eighth sample.
func (v *Voice) Loud(payload []byte) bool {
	var one [1]int16
	for i := 0; i < len(payload); i += 8 {
		v.Codec.Decode(one[:], payload[i:i+1])
		if one[0] > loudLevel || one[0] < -loudLevel {
			return true
		}
	}
	return false
}
