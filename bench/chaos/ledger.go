//go:build linux

package main

import (
	"fmt"
	"net/netip"
	"slices"
	"time"
)

// crashed tells the peer that the server at addr has died: its calls are orphans.
func (p *peer) crashed(addr netip.AddrPort) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, d := range p.dialogs {
		if d.from.AddrPort() == addr && d.stage != over && d.stage != refused {
			if d.revived = (time.Time{}); !d.orphan {
				d.orphan, d.diedAt = true, time.Now()
			}
		}
	}
}

// revived tells the peer that somebody is there since at who has to end the
// orphans of the server at addr.
func (p *peer) revived(addr netip.AddrPort, at time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, d := range p.dialogs {
		if d.orphan && d.from.AddrPort() == addr && d.byeAt.IsZero() {
			d.revived = at
		}
	}
}

// byeLimit is how long after its server was started again an orphan may live, or
// after it was answered if that was later.
// The tests, which share their machine with others, are content with later.
const (
	byeLimit     = 5 * time.Second
	patientLimit = 20 * time.Second
)

// orphans are how the calls of dead servers ended.
type orphans struct {
	All    int     `json:"all"`   // that were answered
	Byed   int     `json:"byed"`  // with a BYE in time
	Late   int     `json:"late"`  // with a BYE, but later
	Never  int     `json:"never"` // without one
	P50Ms  float64 `json:"p50Ms"` // from the restart, or the answer, to the BYE
	P99Ms  float64 `json:"p99Ms"` //
	MaxMs  float64 `json:"maxMs"` //
	left   []string
	Silent int `json:"silent"` // that were never answered: nothing is owed to them
}

// waiting is how many orphans a BYE is still owed to.
func (p *peer) waiting() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := 0
	for _, d := range p.dialogs {
		if d.orphan && (d.stage == answered || d.stage == talking || d.stage == trying && d.script.answers()) {
			n++
		}
	}
	return n
}

func (s script) answers() bool { return s.final == "200 OK" }

// count sums the orphans up.
func (p *peer) count() orphans {
	p.mu.Lock()
	defer p.mu.Unlock()
	var o orphans
	var took []time.Duration
	for _, d := range p.dialogs {
		switch {
		case !d.orphan:
		case d.answeredAt.IsZero():
			o.Silent++
		case d.byeAt.IsZero():
			o.All++
			o.Never++
			o.left = append(o.left, fmt.Sprintf("%s (%s): INVITE at %s, 200 %s later, %d ACKs; its server died %s after the INVITE", d.id, d.script.name,
				d.invitedAt.Format("15:04:05.000"), d.answeredAt.Sub(d.invitedAt).Round(time.Millisecond), d.acks, d.diedAt.Sub(d.invitedAt).Round(time.Millisecond)))
		default:
			o.All++
			since := d.revived
			if d.answeredAt.After(since) {
				since = d.answeredAt
			}
			took = append(took, d.byeAt.Sub(since))
			if took[len(took)-1] > p.limit {
				o.Late++
			} else {
				o.Byed++
			}
		}
	}
	o.P50Ms, o.P99Ms, o.MaxMs = percentile(took, 0.5), percentile(took, 0.99), percentile(took, 1)
	return o
}

// percentile is the time, in milliseconds, that the share does not exceed.
func percentile(all []time.Duration, share float64) float64 {
	if len(all) == 0 {
		return 0
	}
	all = slices.Sorted(slices.Values(all))
	return float64(all[min(len(all)-1, int(share*float64(len(all))))].Microseconds()) / 1000
}

// seen is what the peer knows of one Call-ID.
type seen struct {
	number   string
	sendings int // INVITE transactions; more than one is a second call
	overlaps int
}

// seen is all that came, by Call-ID.
func (p *peer) seen() map[string]seen {
	p.mu.Lock()
	defer p.mu.Unlock()
	all := make(map[string]seen, len(p.dialogs))
	for id, d := range p.dialogs {
		all[id] = seen{number: d.number, sendings: len(d.branches), overlaps: d.overlaps}
	}
	return all
}
