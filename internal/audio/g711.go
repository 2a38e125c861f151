package audio

import "math/bits"

// The codecs of ITU-T G.711 (RFC 3551 §4.5.14): 8 kHz, one byte a sample.
var (
	PCMU = stateless("PCMU", 0, EncodeULaw, DecodeULaw)
	PCMA = stateless("PCMA", 8, EncodeALaw, DecodeALaw)
)

func stateless(name string, pt uint8, encode encodeFunc, decode decodeFunc) Codec {
	return Codec{
		Name: name, PayloadType: pt, ClockRate: 8000, SampleRate: 8000,
		newEncoder: func() Encoder { return encode },
		newDecoder: func() Decoder { return decode },
	}
}

const (
	ulawBias = 0x84  // added to the magnitude so that each segment starts at a power of two
	ulawClip = 32635 // the largest magnitude that still fits with the bias
)

var (
	ulawSamples = tableOf(ulawSample)
	alawSamples = tableOf(alawSample)
)

// EncodeULaw writes pcm to dst in µ-law, a byte a sample, and returns how many
// it wrote: the shorter of both lengths.
func EncodeULaw(dst []byte, pcm []int16) int {
	n := min(len(dst), len(pcm))
	for i, s := range pcm[:n] {
		dst[i] = ulawByte(s)
	}
	return n
}

// DecodeULaw writes the samples of a µ-law payload to dst and returns how many
// it wrote: the shorter of both lengths.
func DecodeULaw(dst []int16, payload []byte) int {
	n := min(len(dst), len(payload))
	for i, b := range payload[:n] {
		dst[i] = ulawSamples[b]
	}
	return n
}

// EncodeALaw writes pcm to dst in A-law, a byte a sample, and returns how many
// it wrote: the shorter of both lengths.
func EncodeALaw(dst []byte, pcm []int16) int {
	n := min(len(dst), len(pcm))
	for i, s := range pcm[:n] {
		dst[i] = alawByte(s)
	}
	return n
}

// DecodeALaw writes the samples of an A-law payload to dst and returns how many
// it wrote: the shorter of both lengths.
func DecodeALaw(dst []int16, payload []byte) int {
	n := min(len(dst), len(payload))
	for i, b := range payload[:n] {
		dst[i] = alawSamples[b]
	}
	return n
}

func tableOf(decode func(byte) int16) *[256]int16 {
	var t [256]int16
	for i := range t {
		t[i] = decode(byte(i))
	}
	return &t
}

// ulawByte compresses one sample: sign, three bits of segment, four of
// mantissa, all inverted (G.711 table 2).
func ulawByte(s int16) byte {
	m, sign := int(s), 0
	if m < 0 {
		m, sign = -m, 0x80
	}
	m = min(m, ulawClip) + ulawBias
	seg := bits.Len(uint(m)) - 8
	return ^byte(sign | seg<<4 | m>>(seg+3)&0x0f)
}

func ulawSample(b byte) int16 {
	b = ^b
	m := (int(b&0x0f)<<3 + ulawBias) << (b >> 4 & 7)
	if b&0x80 != 0 {
		return int16(ulawBias - m)
	}
	return int16(m - ulawBias)
}

// alawByte compresses one sample: sign, three bits of segment, four of
// mantissa, every other bit inverted (G.711 table 1).
func alawByte(s int16) byte {
	m, mask := int(s)>>3, byte(0xd5)
	if m < 0 {
		m, mask = -m-1, 0x55
	}
	seg := max(bits.Len(uint(m))-5, 0)
	mant := m >> max(seg, 1) & 0x0f
	return byte(seg<<4|mant) ^ mask
}

func alawSample(b byte) int16 {
	b ^= 0x55
	m := int(b&0x0f)<<4 + 8
	if seg := b >> 4 & 7; seg > 0 {
		m = (m + 0x100) << (seg - 1)
	}
	if b&0x80 == 0 {
		return int16(-m)
	}
	return int16(m)
}
