package audio

// G722 is ITU-T G.722 at 64 kbit/s (mode 1): sound of 16 kHz split into two
// bands, each coded as differences from what a predictor expects. A byte holds
// two samples; RTP counts it as one unit of a clock of 8 kHz (RFC 3551 §4.5.2).
var G722 = Codec{
	Name: "G722", PayloadType: 9, ClockRate: 8000, SampleRate: 16000,
	newEncoder: func() Encoder { return newG722Encoder() },
	newDecoder: func() Decoder { return newG722Decoder() },
}

func g722Bands() [2]g722Band { return [2]g722Band{{det: 32}, {det: 8}} }

type g722Encoder struct {
	bands [2]g722Band // low, high
	past  [qmfTaps]int
}

func newG722Encoder() *g722Encoder { return &g722Encoder{bands: g722Bands()} }

// Encode takes two samples for each byte; an odd one at the end is left out.
func (e *g722Encoder) Encode(dst []byte, pcm []int16) int {
	n := min(len(dst), len(pcm)/2)
	for i := range n {
		dst[i] = e.pair(int(pcm[2*i]), int(pcm[2*i+1]))
	}
	return n
}

// pair codes two samples. The filters have a gain of 4096; two are added, and
// the bands are coded with 15 bits.
func (e *g722Encoder) pair(first, second int) byte {
	copy(e.past[:], e.past[2:])
	e.past[qmfTaps-2], e.past[qmfTaps-1] = first, second
	var even, odd int
	for i, c := range g722QMF {
		odd += e.past[2*i] * c
		even += e.past[2*i+1] * g722QMF[len(g722QMF)-1-i]
	}
	low, high := &e.bands[0], &e.bands[1]
	l := g722LowCode(limit16((even+odd)>>14-low.s), low.det)
	h := g722HighCode(limit16((even-odd)>>14-high.s), high.det)
	low.low(l >> 2)
	high.high(h)
	return byte(h<<6 | l)
}

// g722LowCode quantises a difference of the lower band to six bits (QUANTL). The
// codes count down from 31 for negative differences and from 61 for others,
// the smallest of them two negative ones apart.
func g722LowCode(diff, det int) int {
	size := diff
	if diff < 0 {
		size = -(diff + 1)
	}
	low, high := 1, len(g722Q6) // the first level above size
	for low < high {
		mid := (low + high) / 2
		if size < g722Q6[mid]*det>>12 {
			high = mid
		} else {
			low = mid + 1
		}
	}
	switch {
	case diff >= 0:
		return 62 - low
	case low <= 2:
		return 64 - low
	}
	return 34 - low
}

// g722HighCode quantises a difference of the higher band to two bits (QUANTH).
func g722HighCode(diff, det int) int {
	size, code := diff, 2
	if diff < 0 {
		size, code = -(diff + 1), 0
	}
	if size < g722HighStep*det>>12 {
		code++
	}
	return code
}

type g722Decoder struct {
	bands [2]g722Band
	past  [qmfTaps]int
}

func newG722Decoder() *g722Decoder { return &g722Decoder{bands: g722Bands()} }

// Decode gives two samples for each byte.
func (d *g722Decoder) Decode(dst []int16, payload []byte) int {
	n := min(len(dst)/2, len(payload))
	for i, code := range payload[:n] {
		dst[2*i], dst[2*i+1] = d.pair(code)
	}
	return 2 * n
}

func (d *g722Decoder) pair(code byte) (first, second int16) {
	low, high := &d.bands[0], &d.bands[1]
	l, h := int(code&63), int(code>>6)
	rlow := min(max(low.s+low.det*g722QM6[l]>>15, -16384), 16383)
	low.low(l >> 2)
	rhigh := high.s
	rhigh = min(max(rhigh+high.high(h), -16384), 16383)
	copy(d.past[:], d.past[2:])
	d.past[qmfTaps-2], d.past[qmfTaps-1] = rlow+rhigh, rlow-rhigh
	var even, odd int
	for i, c := range g722QMF {
		even += d.past[2*i] * c
		odd += d.past[2*i+1] * g722QMF[len(g722QMF)-1-i]
	}
	return int16(limit16(odd >> 11)), int16(limit16(even >> 11))
}
