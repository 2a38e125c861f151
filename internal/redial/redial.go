// Package redial decides whether and when somebody who was called is called again,
// by how the tries before ended: a busy line soon, an unanswered phone in another
// part of the day, a number that nobody has never. What failed on our side, or in
// the network, is not counted against them. It works on facts that it is given
// and does no I/O; which hours and how many calls the law allows, others add.
package redial

import (
	"slices"
	"time"

	"github.com/callwright/callwright/internal/domain"
)

// Try is a try that is over.
type Try struct {
	At         time.Time // when it was dialed
	Result     domain.Result
	Charged    bool          // it counts as one of those that somebody may get
	RetryAfter time.Duration // how long the far end asked to wait, 0 for none
}

// Policy says how often and when. The zero Policy is one try.
type Policy struct {
	MaxAttempts int             // charged tries; 0 and 1 are one
	Gaps        []time.Duration // between the charged tries, the last one repeats; nil: by result
}

// Default is the policy of campaigns.
var Default = Policy{MaxAttempts: 3}

// Decision is what becomes of a contact after its last try.
type Decision struct {
	Done    bool      // no further try
	Reached bool      // Done, and somebody, or their voicemail, was reached
	At      time.Time // not Done: when the next try is due, at the soonest
	Why     string    // the last try's result, or WhyMaxAttempts
}

// WhyMaxAttempts is the Why of a Decision that nobody is tried more often.
const WhyMaxAttempts = "max-attempts"

// How long is waited after tries that ended so.
const (
	unansweredGap = 2 * time.Hour
	droppedGap    = 2 * time.Hour
)

// busyGaps are those after one, two, three and more busy lines in a row.
var busyGaps = []time.Duration{30 * time.Minute, time.Hour, 2 * time.Hour}

// Bounds of what results may do.
const (
	maxDeclined   = 2 // in a row
	maxDropped    = 2
	maxUnanswered = 3 // in unansweredSpan
	maxADay       = 2 // unanswered ones, by the wall clock of the place
)

const unansweredSpan = 7 * 24 * time.Hour

// The pause after a try that is not charged begins with the first and doubles up
// to the longest, so that MaxUncharged in a row take more than a day: a trunk that
// is away for a night costs no contact.
const (
	firstPause   = time.Minute
	longestPause = 2 * time.Hour
	MaxUncharged = 20 // in a row, then nobody is tried any more
)

// Next decides after tries, the oldest first. places are the time zones that the
// called party may be in, for the parts of the day and "not on that day"; none is
// UTC. Without tries the first one is due now.
func (p Policy) Next(tries []Try, places []*time.Location, now time.Time) Decision {
	if len(tries) == 0 {
		return Decision{At: now}
	}
	counted := charged(tries)
	if why := p.end(tries, counted); why != "" {
		return Decision{Done: true, Reached: slices.ContainsFunc(tries, reached), Why: why}
	}
	last := tries[len(tries)-1]
	from := now
	if !last.Charged {
		from = later(from, last.At.Add(max(pause(trailing(tries, uncharged)), last.RetryAfter)))
	}
	return Decision{At: p.due(counted, places, from), Why: string(last.Result)}
}

// end returns why there is no further try, or "".
func (p Policy) end(tries, counted []Try) string {
	last := tries[len(tries)-1]
	why := string(last.Result)
	switch last.Result {
	case domain.ResultHuman, domain.ResultOptOut, domain.ResultDoNotCall, domain.ResultBlocked, domain.ResultInvalid,
		domain.ResultMoved, domain.ResultCanceled:
		return why
	case domain.ResultDeclined:
		if trailing(counted, declined) >= maxDeclined {
			return why
		}
	case domain.ResultDropped:
		if count(tries, dropped) >= maxDropped {
			return why
		}
	}
	switch {
	case len(counted) >= max(p.MaxAttempts, 1):
		return WhyMaxAttempts
	case trailing(tries, uncharged) >= MaxUncharged:
		return why
	}
	return ""
}

// due returns when the next try after the charged ones is, from from on.
func (p Policy) due(counted []Try, places []*time.Location, from time.Time) time.Time {
	if len(counted) == 0 {
		return from
	}
	last := counted[len(counted)-1]
	if len(p.Gaps) > 0 {
		return later(from, last.At.Add(p.Gaps[min(len(counted), len(p.Gaps))-1]))
	}
	switch last.Result {
	case domain.ResultBusy:
		return later(from, last.At.Add(busyGaps[min(trailing(counted, busy), len(busyGaps))-1]))
	case domain.ResultDropped:
		return later(from, last.At.Add(droppedGap))
	case domain.ResultDeclined:
		return first(later(from, last.At), places, func(z *time.Location) slot { return slot{zone: z, day: dayOf(last.At, z)} })
	case domain.ResultVoicemail:
		return first(later(from, last.At), places, func(z *time.Location) slot {
			return slot{zone: z, day: dayOf(last.At, z), parts: partsOf(counted, z)}
		})
	}
	from = later(from, last.At.Add(unansweredGap))
	if u := slices.DeleteFunc(slices.Clone(counted), answered); len(u) >= maxUnanswered {
		from = later(from, u[len(u)-maxUnanswered].At.Add(unansweredSpan))
	}
	return first(from, places, func(z *time.Location) slot {
		s := slot{zone: z, parts: partsOf(counted, z)}
		if that := dayOf(last.At, z); count(counted, func(t Try) bool { return dayOf(t.At, z) == that }) >= maxADay {
			s.day = that
		}
		return s
	})
}

// pause is how long is waited after the nth try in a row that is not charged.
func pause(n int) time.Duration {
	wait := firstPause
	for range n - 1 {
		wait = min(2*wait, longestPause)
	}
	return wait
}

func charged(tries []Try) []Try { return slices.DeleteFunc(slices.Clone(tries), uncharged) }

func uncharged(t Try) bool { return !t.Charged }
func busy(t Try) bool      { return t.Result == domain.ResultBusy }
func declined(t Try) bool  { return t.Result == domain.ResultDeclined }
func dropped(t Try) bool   { return t.Result == domain.ResultDropped }
func reached(t Try) bool {
	return t.Result == domain.ResultHuman || t.Result == domain.ResultVoicemail || t.Result == domain.ResultOptOut
}

// answered reports whether the phone was picked up or the line in use.
func answered(t Try) bool {
	return reached(t) || busy(t) || declined(t) || dropped(t)
}

func count(tries []Try, is func(Try) bool) (n int) {
	for _, t := range tries {
		if is(t) {
			n++
		}
	}
	return n
}

// trailing counts the tries at the end that are so.
func trailing(tries []Try, is func(Try) bool) (n int) {
	for i := len(tries) - 1; i >= 0 && is(tries[i]); i-- {
		n++
	}
	return n
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
