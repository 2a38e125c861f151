package ops

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/callwright/callwright/internal/rtp"
)

// pacing shows the pacer's histogram, which it keeps by itself: nobody may hold
// it up to count.
type pacing struct {
	lateness func() rtp.Lateness
	desc     *prometheus.Desc
}

// Describe sends the one description.
func (p *pacing) Describe(out chan<- *prometheus.Desc) { out <- p.desc }

// Collect reads the histogram.
func (p *pacing) Collect(out chan<- prometheus.Metric) {
	l := p.lateness()
	buckets := make(map[float64]uint64, len(l.Bounds))
	var total uint64
	for i, n := range l.Counts {
		total += n
		if i < len(l.Bounds) {
			buckets[l.Bounds[i].Seconds()] = total
		}
	}
	out <- prometheus.MustNewConstHistogram(p.desc, total, l.Sum.Seconds(), buckets)
}
