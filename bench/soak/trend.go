//go:build linux

package main

import "math"

// tolerance is by how much something may grow over half a run: a share of what
// there is, and some for the steps in which it is counted.
type tolerance struct{ share, more float64 }

// trend is what became of one thing.
type trend struct {
	Mean   float64 `json:"mean"`   // over the second half
	Growth float64 `json:"growth"` // over the second half, by the line through it
	Limit  float64 `json:"limit"`
	After  float64 `json:"after"` // when all calls were over
	Before float64 `json:"before"`
	Flat   bool    `json:"flat"`
}

// trendOf lays a line through values that were taken at the given times.
func trendOf(at, values []float64, t tolerance) trend {
	half := len(values) / 2
	x, y := at[half:], values[half:]
	slope, mean := line(x, y)
	out := trend{Mean: mean, Limit: t.share*mean + t.more}
	if len(x) > 1 {
		out.Growth = slope * (x[len(x)-1] - x[0])
	}
	out.Flat = out.Growth <= out.Limit
	return out
}

// line is the line of least squares: its slope, and the mean of y.
func line(x, y []float64) (slope, mean float64) {
	var sx, sy float64
	for i := range x {
		sx += x[i]
		sy += y[i]
	}
	n := math.Max(float64(len(x)), 1)
	mx, my := sx/n, sy/n
	var xy, xx float64
	for i := range x {
		xy += (x[i] - mx) * (y[i] - my)
		xx += (x[i] - mx) * (x[i] - mx)
	}
	if xx == 0 {
		return 0, my
	}
	return xy / xx, my
}
