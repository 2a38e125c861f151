package rtp

import (
	"github.com/callwright/callwright/internal/audio"
)

// outVoice turns sound at a leg's rate into payloads of one codec.
type outVoice struct {
	name     string
	encoder  audio.Encoder
	resample *audio.Resampler // nil when leg and codec have one rate
	pcm      []int16          // at the codec's rate
}

func newOutVoice(c audio.Codec, rate int) (*outVoice, error) {
	v := &outVoice{name: c.Name, encoder: c.NewEncoder()}
	if c.SampleRate == rate {
		return v, nil
	}
	var err error
	v.resample, err = audio.NewResampler(rate, c.SampleRate)
	v.pcm = make([]int16, 0, maxFrame)
	return v, err
}

func (v *outVoice) encode(dst []byte, pcm []int16) int {
	if v.resample != nil {
		v.pcm = v.resample.Process(v.pcm[:0], pcm)
		pcm = v.pcm
	}
	return v.encoder.Encode(dst, pcm)
}

// voices turns payloads of any codec into sound at a leg's rate. A sender may
// change its codec from packet to packet (RFC 3264 §5.1).
type voices struct {
	rate   int
	agreed audio.Codec // with its payload type; others are known by static ones
	known  [maxVoices]inVoice
	n      int
	pcm    [maxScale * maxPacket]int16
	scaled []int16
}

// maxVoices is how many codecs a leg has at once.
const maxVoices = 4

// inVoice is one codec of a stream that comes in.
type inVoice struct {
	payloadType uint8
	name        string
	decoder     audio.Decoder
	resample    *audio.Resampler
}

func newVoices(rate int) voices { return voices{rate: rate} }

// decode returns the sound of a packet, none for types that are not known. It
// is valid until the next call.
func (v *voices) decode(p *Packet) []int16 {
	if p.PayloadType == payloadComfortNoise {
		silence := v.pcm[:v.rate/audio.FramesPerSecond]
		clear(silence)
		return silence
	}
	voice := v.voice(p.PayloadType)
	if voice == nil {
		return nil
	}
	n := voice.decoder.Decode(v.pcm[:], p.Payload)
	if voice.resample == nil {
		return v.pcm[:n]
	}
	v.scaled = voice.resample.Process(v.scaled[:0], v.pcm[:n])
	return v.scaled
}

func (v *voices) voice(pt uint8) *inVoice {
	codec := v.agreed
	if codec.PayloadType != pt {
		var ok bool
		if codec, ok = audio.CodecByPayloadType(pt); !ok {
			return nil
		}
	}
	for i := range v.known[:v.n] {
		if known := &v.known[i]; known.payloadType == pt && known.name == codec.Name {
			return known
		}
	}
	if v.n == len(v.known) {
		v.n = 0 // as many changes of codec as nobody makes: begin anew
	}
	voice := inVoice{payloadType: pt, name: codec.Name, decoder: codec.NewDecoder()}
	if codec.SampleRate != v.rate {
		var err error
		if voice.resample, err = audio.NewResampler(codec.SampleRate, v.rate); err != nil {
			return nil
		}
	}
	v.known[v.n] = voice
	v.n++
	return &v.known[v.n-1]
}
