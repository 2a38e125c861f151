package speech

import "math"

// Shapes of the network at 8 kHz: 32 samples of what was before and 256 new ones
// make four spectra, which four convolutions bring to one vector of 128; a
// recurrent cell remembers, and one number comes out.
const (
	sileroContext = 32
	sileroChunk   = 256
	sileroPad     = 32 // reflected at the end
	sileroWindow  = 128
	sileroStep    = 64
	sileroBins    = sileroWindow/2 + 1
	sileroTimes   = (sileroContext+sileroChunk+sileroPad-sileroWindow)/sileroStep + 1
	sileroCell    = 128
	taps          = 3 // of each convolution
)

// sileroNet is the network's weights, laid out so that all work is products of
// rows with one stretch of memory. It is never changed and shared by all calls.
type sileroNet struct {
	basis   []float32 // [2*sileroBins][sileroWindow]: cosines, then sines
	convs   [4]sileroConv
	cell    []float32 // [4*sileroCell][2*sileroCell]: of the input, then of the state
	cellAdd []float32 // [4*sileroCell]
	out     []float32 // [sileroCell]
	outAdd  float32
}

// sileroConv is a convolution over time of three taps with padding. Its rows are
// [tap][channel], as time after time lies in memory.
type sileroConv struct {
	in, out int
	stride  int
	weights []float32 // [out][taps*in]
	add     []float32 // [out]
}

func newSileroNet(t tensors) (*sileroNet, error) {
	n := &sileroNet{}
	var err error
	take := func(name string, size int) []float32 {
		values, failed := t.take(name, size)
		if failed != nil && err == nil {
			err = failed
		}
		return values
	}
	n.basis = take("stft.forward_basis_buffer", 2*sileroBins*sileroWindow)
	shapes := [4]sileroConv{{in: sileroBins, out: 128, stride: 1}, {in: 128, out: 64, stride: 2}, {in: 64, out: 64, stride: 2}, {in: 64, out: sileroCell, stride: 1}}
	for i, c := range shapes {
		name := "encoder." + string(rune('0'+i)) + ".reparam_conv."
		weights := take(name+"weight", c.out*c.in*taps)
		c.add = take(name+"bias", c.out)
		if err != nil {
			return nil, err
		}
		c.weights = tapsFirst(weights, c.out, c.in)
		n.convs[i] = c
	}
	input, state := take("decoder.rnn.weight_ih", 4*sileroCell*sileroCell), take("decoder.rnn.weight_hh", 4*sileroCell*sileroCell)
	add, more := take("decoder.rnn.bias_ih", 4*sileroCell), take("decoder.rnn.bias_hh", 4*sileroCell)
	n.out = take("decoder.decoder.2.weight", sileroCell)
	last := take("decoder.decoder.2.bias", 1)
	if err != nil {
		return nil, err
	}
	n.outAdd = last[0]
	for row := range 4 * sileroCell {
		n.cell = append(n.cell, input[row*sileroCell:][:sileroCell]...)
		n.cell = append(n.cell, state[row*sileroCell:][:sileroCell]...)
		n.cellAdd = append(n.cellAdd, add[row]+more[row])
	}
	return n, nil
}

// tapsFirst turns [out][in][tap] into [out][tap][in].
func tapsFirst(weights []float32, out, in int) []float32 {
	turned := make([]float32, len(weights))
	for o := range out {
		for c := range in {
			for k := range taps {
				turned[(o*taps+k)*in+c] = weights[(o*in+c)*taps+k]
			}
		}
	}
	return turned
}

// sileroScratch is the memory of one run. The layers' inputs have a row of zeros
// before the first time and after the last.
type sileroScratch struct {
	signal [sileroContext + sileroChunk + sileroPad]float32
	bins   [2 * sileroBins]float32
	in0    [(sileroTimes + 2) * sileroBins]float32
	in1    [(sileroTimes + 2) * 128]float32
	in2    [(2 + 2) * 64]float32
	in3    [(1 + 2) * 64]float32
	joined [2 * sileroCell]float32 // the cell's input, and what it said last
	gates  [4 * sileroCell]float32
	memory [sileroCell]float32
}

// run takes the signal that lies in s and returns the probability of speech.
func (n *sileroNet) run(s *sileroScratch) float32 {
	const end = sileroContext + sileroChunk
	for i := range sileroPad {
		s.signal[end+i] = s.signal[end-2-i]
	}
	for t := range sileroTimes {
		products(s.bins[:], n.basis, s.signal[t*sileroStep:][:sileroWindow])
		row := s.in0[(t+1)*sileroBins:][:sileroBins]
		for k := range row {
			re, im := s.bins[k], s.bins[sileroBins+k]
			row[k] = float32(math.Sqrt(float64(re*re + im*im)))
		}
	}
	n.convs[0].run(s.in1[128:], s.in0[:], sileroTimes)
	n.convs[1].run(s.in2[64:], s.in1[:], 2)
	n.convs[2].run(s.in3[64:], s.in2[:], 1)
	n.convs[3].run(s.joined[:sileroCell], s.in3[:], 1)
	products(s.gates[:], n.cell, s.joined[:])
	return n.remember(s)
}

// run writes the outputs at so many times; negative ones become zero.
func (c *sileroConv) run(out, in []float32, times int) {
	for t := range times {
		row := out[t*c.out:][:c.out]
		products(row, c.weights, in[t*c.stride*c.in:][:taps*c.in])
		for i := range row {
			row[i] = max(row[i]+c.add[i], 0)
		}
	}
}

// remember is the recurrent cell (a long short-term memory: gates for input,
// forgetting, new memory and output) and the number that comes out.
func (n *sileroNet) remember(s *sileroScratch) float32 {
	var gates [4]*[sileroCell]float32
	for g := range gates {
		gates[g] = (*[sileroCell]float32)(s.gates[g*sileroCell:])
	}
	sum := n.outAdd
	for i := range sileroCell {
		in, forget := gates[0][i]+n.cellAdd[i], gates[1][i]+n.cellAdd[sileroCell+i]
		fresh, out := gates[2][i]+n.cellAdd[2*sileroCell+i], gates[3][i]+n.cellAdd[3*sileroCell+i]
		s.memory[i] = logistic(forget)*s.memory[i] + logistic(in)*hyperbolic(fresh)
		said := logistic(out) * hyperbolic(s.memory[i])
		s.joined[sileroCell+i] = said
		sum += max(said, 0) * n.out[i]
	}
	return logistic(sum)
}

func logistic(x float32) float32 { return float32(1 / (1 + math.Exp(-float64(x)))) }

// hyperbolic is the hyperbolic tangent.
func hyperbolic(x float32) float32 { return 2*logistic(2*x) - 1 }
