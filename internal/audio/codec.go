package audio

import "strings"

// Codec is a telephone codec.
type Codec struct {
	Name        string // the name in SDP: PCMU, PCMA, G722
	PayloadType uint8  // the static RTP payload type (RFC 3551 §6)
	ClockRate   int    // hertz, of its RTP timestamps
	SampleRate  int    // hertz, of the sound
	newEncoder  func() Encoder
	newDecoder  func() Decoder
}

// Encoder turns one stream of PCM into payloads. It may remember the past of
// the stream.
type Encoder interface {
	// Encode writes the payload for pcm into dst and returns its length in bytes.
	// It encodes no more than dst has room for, and does not allocate.
	Encode(dst []byte, pcm []int16) int
}

// Decoder turns the payloads of one stream back into PCM.
type Decoder interface {
	// Decode writes the samples of payload into dst and returns their number. It
	// decodes no more than dst has room for, and does not allocate.
	Decode(dst []int16, payload []byte) int
}

var codecs = [...]Codec{PCMU, PCMA, G722}

// CodecByName returns the codec with an SDP name, in any case of letters
// (RFC 8866 §6.6), and whether there is one.
func CodecByName(name string) (Codec, bool) {
	for _, c := range codecs {
		if strings.EqualFold(c.Name, name) {
			return c, true
		}
	}
	return Codec{}, false
}

// CodecByPayloadType returns the codec with a static payload type (RFC 3551 §6)
// and whether there is one.
func CodecByPayloadType(pt uint8) (Codec, bool) {
	for _, c := range codecs {
		if c.PayloadType == pt {
			return c, true
		}
	}
	return Codec{}, false
}

// NewEncoder begins a stream. The zero Codec's encoder gives empty payloads.
func (c Codec) NewEncoder() Encoder {
	if c.newEncoder == nil {
		return encodeFunc(func([]byte, []int16) int { return 0 })
	}
	return c.newEncoder()
}

// NewDecoder begins a stream. The zero Codec's decoder gives no samples.
func (c Codec) NewDecoder() Decoder {
	if c.newDecoder == nil {
		return decodeFunc(func([]int16, []byte) int { return 0 })
	}
	return c.newDecoder()
}

// encodeFunc and decodeFunc are coders that remember nothing.
type (
	encodeFunc func(dst []byte, pcm []int16) int
	decodeFunc func(dst []int16, payload []byte) int
)

func (f encodeFunc) Encode(dst []byte, pcm []int16) int     { return f(dst, pcm) }
func (f decodeFunc) Decode(dst []int16, payload []byte) int { return f(dst, payload) }
