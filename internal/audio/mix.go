package audio

import "math"

// Mix adds src to dst sample by sample, as far as both go. Sums that do not fit
// stay at the largest value instead of wrapping round.
func Mix(dst, src []int16) {
	n := min(len(dst), len(src))
	for i, s := range src[:n] {
		dst[i] = saturate(int(dst[i]) + int(s))
	}
}

// Gain multiplies pcm by factor in place, saturating.
func Gain(pcm []int16, factor float32) {
	for i, s := range pcm {
		pcm[i] = clip(float32(s) * factor)
	}
}

// Fade changes the loudness of pcm evenly from one factor to another, in place.
func Fade(pcm []int16, from, to float32) {
	if len(pcm) == 0 {
		return
	}
	step := (to - from) / float32(len(pcm))
	for i, s := range pcm {
		pcm[i] = clip(float32(s) * (from + step*float32(i)))
	}
}

// Level is the loudness of pcm: its root mean square, 0 to 32768.
func Level(pcm []int16) float64 {
	if len(pcm) == 0 {
		return 0
	}
	var sum int64
	for _, s := range pcm {
		sum += int64(s) * int64(s)
	}
	return math.Sqrt(float64(sum) / float64(len(pcm)))
}

func saturate(v int) int16 { return int16(max(min(v, math.MaxInt16), math.MinInt16)) }
