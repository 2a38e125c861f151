package outreach

import (
	"time"

	"github.com/callwright/callwright/internal/domain"
)

type redialTry struct {
	At         time.Time
	Result     domain.Result
	Charged    bool
	RetryAfter time.Duration
}

type redialPolicy struct {
	MaxAttempts int
	Gaps        []time.Duration
}

type decision struct {
	Done, Reached bool
	At            time.Time
	Why           string
}

func (p redialPolicy) Next(tries []redialTry, _ []*time.Location, now time.Time) decision {
	last := tries[len(tries)-1]
	if last.Result == domain.ResultHuman || last.Result == domain.ResultVoicemail {
		return decision{Done: true, Reached: true}
	}
	if len(tries) >= max(1, p.MaxAttempts) {
		return decision{Done: true, Why: "max-attempts"}
	}
	return decision{At: now.Add(2 * time.Hour)}
}

func stopgapCaps(tried []time.Time, _ []*time.Location, at time.Time) (time.Time, string) {
	if next := tried[len(tried)-1].Add(2 * time.Hour); next.After(at) {
		return next, "cap_gap"
	}
	return at, ""
}
