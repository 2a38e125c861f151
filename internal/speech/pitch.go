package speech

import "math"

// The pitch is looked for at 2 kHz: 40 ms of sound against itself 2.5 to 16 ms
// before, which is a voice of 62 to 400 Hz.
const (
	pitchDecimate = vadRate / 2000
	pitchWindow   = 80
	pitchShortest = 5
	pitchLongest  = 32
	pitchHistory  = pitchWindow + pitchLongest
)

// pitchMeter tells how periodic the newest sound is.
type pitchMeter struct {
	sum      float32
	have     int
	next     int
	history  [pitchHistory]float32 // a ring; next is its oldest sample
	straight [pitchHistory]float32
}

func (m *pitchMeter) push(x float32) {
	m.sum += x
	if m.have++; m.have < pitchDecimate {
		return
	}
	m.history[m.next] = m.sum
	m.next = (m.next + 1) % pitchHistory
	m.sum, m.have = 0, 0
}

// strength is the highest normalised correlation over all lags: near 1 for a
// vowel, below 0.35 for noise.
func (m *pitchMeter) strength() float32 {
	n := copy(m.straight[:], m.history[m.next:])
	copy(m.straight[n:], m.history[:m.next])
	now := m.straight[pitchLongest:]
	var energy float32
	for _, x := range now {
		energy += x * x
	}
	var best, past float32
	for _, x := range m.straight[pitchLongest-pitchShortest:][:pitchWindow] {
		past += x * x
	}
	for lag := pitchShortest; ; lag++ {
		then := m.straight[pitchLongest-lag:][:len(now)]
		var product float32
		for i, x := range now {
			product += x * then[i]
		}
		if product > 0 && past > 0 {
			best = max(best, product*product/(energy*past+1))
		}
		if lag == pitchLongest {
			break
		}
		// The window moves back by one: a sample comes in, one falls out.
		in, out := m.straight[pitchLongest-lag-1], then[len(then)-1]
		past += in*in - out*out
	}
	return float32(math.Sqrt(float64(best)))
}
