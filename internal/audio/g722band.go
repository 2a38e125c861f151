package audio

// The tables carry the names of ITU-T G.722 §6.2.1.
var (
	g722Q6 = [30]int{
		0, 35, 72, 110, 150, 190, 233, 276, 323, 370, 422, 473, 530, 587, 650,
		714, 786, 858, 940, 1023, 1121, 1219, 1339, 1458, 1612, 1765, 1980, 2195, 2557, 2919,
	}
	g722QM2 = [4]int{-7408, -1616, 7408, 1616}
	g722QM4 = [16]int{
		0, -20456, -12896, -8968, -6288, -4240, -2584, -1200,
		20456, 12896, 8968, 6288, 4240, 2584, 1200, 0,
	}
	g722QM6 = [64]int{
		-136, -136, -136, -136, -24808, -21904, -19008, -16704, -14984, -13512, -12280, -11192, -10232, -9360, -8576, -7856,
		-7192, -6576, -6000, -5456, -4944, -4464, -4008, -3576, -3168, -2776, -2400, -2032, -1688, -1360, -1040, -728,
		24808, 21904, 19008, 16704, 14984, 13512, 12280, 11192, 10232, 9360, 8576, 7856, 7192, 6576, 6000, 5456,
		4944, 4464, 4008, 3576, 3168, 2776, 2400, 2032, 1688, 1360, 1040, 728, 432, 136, -432, -136,
	}
	g722WL  = [8]int{-60, -30, 58, 172, 334, 538, 1198, 3042}
	g722RL4 = [16]int{0, 7, 6, 5, 4, 3, 2, 1, 7, 6, 5, 4, 3, 2, 1, 0}
	g722WH  = [3]int{0, -214, 798}
	g722RH2 = [4]int{2, 1, 2, 1}
	g722ILB = [32]int{
		2048, 2093, 2139, 2186, 2233, 2282, 2332, 2383, 2435, 2489, 2543, 2599, 2656, 2714, 2774, 2834,
		2896, 2960, 3025, 3091, 3158, 3228, 3298, 3371, 3444, 3520, 3597, 3676, 3756, 3838, 3922, 4008,
	}
	// g722QMF is one half of the symmetric quadrature mirror filter.
	g722QMF = [12]int{3, -11, 12, 32, -210, 951, 3876, -805, 362, -156, 53, -11}
)

const (
	g722LowMax   = 18432 // of the lower band's logarithmic scale factor
	g722HighMax  = 22528
	g722LowExp   = 8 // of ILB when the scale factor is made linear
	g722HighExp  = 10
	g722HighStep = 564 // decision level of the higher band, of 4096

	qmfTaps = 24
)

// g722Band is the predictor and scale factor of one band: what encoder and
// decoder have in common (G.722 §6.2.1.3 on).
type g722Band struct {
	nb, det int    // scale factor, logarithmic and linear
	s, sz   int    // prediction, and the part of it that the zeros make
	a       [2]int // poles
	b       [6]int // zeros
	d       [6]int // differences, newest first
	r, p    [2]int // reconstructed signal, and without the poles' part; newest first
}

// scale adapts the scale factor (LOGSCL and SCALEL, LOGSCH and SCALEH).
func (g *g722Band) scale(weight, limit, exponent int) {
	g.nb = min(max(g.nb*127>>7+weight, 0), limit)
	mantissa, shift := g722ILB[g.nb>>6&31], exponent-g.nb>>11
	if shift < 0 {
		g.det = mantissa << -shift << 2
	} else {
		g.det = mantissa >> shift << 2
	}
}

// low takes the four leading bits of the lower band's code.
func (g *g722Band) low(code int) {
	d := g.det * g722QM4[code] >> 15
	g.scale(g722WL[g722RL4[code]], g722LowMax, g722LowExp)
	g.adapt(d)
}

// high takes the higher band's code and returns the difference that it means.
func (g *g722Band) high(code int) int {
	d := g.det * g722QM2[code] >> 15
	g.scale(g722WH[g722RH2[code]], g722HighMax, g722HighExp)
	g.adapt(d)
	return d
}

// adapt takes a quantised difference into the predictor and predicts the next
// sample (block 4: RECONS, PARREC, UPPOL2, UPPOL1, UPZERO, DELAYA, FILTEP,
// FILTEZ, PREDIC).
func (g *g722Band) adapt(d int) {
	r, p := limit16(g.s+d), limit16(g.sz+d)
	g.adaptPoles(p)
	step := 128
	if d == 0 {
		step = 0
	}
	for i, old := range g.d {
		change := -step
		if (d < 0) == (old < 0) {
			change = step
		}
		g.b[i] = limit16(change + g.b[i]*32640>>15)
	}
	copy(g.d[1:], g.d[:5])
	g.d[0] = d
	g.r[0], g.r[1] = r, g.r[0]
	g.p[0], g.p[1] = p, g.p[0]
	poles := limit16(g.a[0]*limit16(2*g.r[0])>>15 + g.a[1]*limit16(2*g.r[1])>>15)
	g.sz = 0
	for i, old := range g.d {
		g.sz += g.b[i] * limit16(2*old) >> 15
	}
	g.sz = limit16(g.sz)
	g.s = limit16(poles + g.sz)
}

// adaptPoles moves the poles by the signs of what was reconstructed: p now and
// g.p before.
func (g *g722Band) adaptPoles(p int) {
	lead := limit16(4 * g.a[0])
	if (p < 0) == (g.p[0] < 0) {
		lead = min(-lead, 32767)
	}
	second := -128
	if (p < 0) == (g.p[1] < 0) {
		second = 128
	}
	second = min(max(second+lead>>7+g.a[1]*32512>>15, -12288), 12288)
	first := -192
	if (p < 0) == (g.p[0] < 0) {
		first = 192
	}
	bound := limit16(15360 - second)
	g.a[0] = min(max(limit16(first+g.a[0]*32640>>15), -bound), bound)
	g.a[1] = second
}

func limit16(v int) int { return min(max(v, -32768), 32767) }
