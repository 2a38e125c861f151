package redial_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/callwright/callwright/internal/compliance"
	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/redial"
)

var allResults = []domain.Result{
	domain.ResultHuman, domain.ResultVoicemail, domain.ResultBusy, domain.ResultNoAnswer, domain.ResultDeclined, domain.ResultBlocked,
	domain.ResultInvalid, domain.ResultMoved, domain.ResultTrunk, domain.ResultCongestion, domain.ResultInterrupted, domain.ResultOptOut,
	domain.ResultDoNotCall, domain.ResultDropped, domain.ResultCanceled, "one of tomorrow",
}

// finals end every story.
var finals = []domain.Result{
	domain.ResultHuman, domain.ResultOptOut, domain.ResultDoNotCall, domain.ResultBlocked, domain.ResultInvalid, domain.ResultMoved, domain.ResultCanceled,
}

// leastGap is what has to lie between a charged try and the next one.
var leastGap = map[domain.Result]time.Duration{
	domain.ResultBusy: 30 * time.Minute, domain.ResultNoAnswer: 2 * time.Hour, domain.ResultInterrupted: 2 * time.Hour, domain.ResultDropped: 2 * time.Hour,
	"one of tomorrow": 2 * time.Hour,
}

var zoneNames = []string{
	"America/New_York", "America/Los_Angeles", "America/St_Johns", "Europe/London", "Africa/Cairo", "Africa/Casablanca", "Asia/Kolkata",
	"Asia/Kathmandu", "Australia/Lord_Howe", "Pacific/Chatham", "Pacific/Apia", "UTC",
}

// TestStories has contacts live through whatever may happen to them.
func TestStories(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		p := redial.Policy{MaxAttempts: rapid.IntRange(-1, 12).Draw(r, "most")}
		if rapid.Bool().Draw(r, "explicit") {
			p.Gaps = rapid.SliceOfN(rapid.Custom(func(r *rapid.T) time.Duration {
				return time.Duration(rapid.IntRange(-60, 10_000).Draw(r, "minutes")) * time.Minute
			}), 1, 4).Draw(r, "gaps")
		}
		var places []*time.Location
		for range rapid.IntRange(0, 3).Draw(r, "places") {
			places = append(places, zoneOf(t, rapid.SampledFrom(zoneNames).Draw(r, "zone")))
		}
		most := max(p.MaxAttempts, 1)
		now := time.Unix(rapid.Int64Range(1_767_225_600, 1_861_920_000).Draw(r, "start"), 0).UTC()
		var tries []redial.Try
		for {
			try := redial.Try{At: now, Result: rapid.SampledFrom(allResults).Draw(r, "result")}
			if rapid.IntRange(0, 9).Draw(r, "go on") > 0 && slices.Contains(finals, try.Result) {
				try.Result = domain.ResultCongestion
			}
			rang := rapid.Bool().Draw(r, "rang")
			try.Charged = try.Result.Charged(rang)
			try.RetryAfter = time.Duration(rapid.IntRange(0, 3600).Draw(r, "retry after")) * time.Second
			tries = append(tries, try)
			now = now.Add(time.Duration(rapid.IntRange(0, 7200).Draw(r, "later")) * time.Second)
			d := p.Next(tries, places, now)
			counted := slices.DeleteFunc(slices.Clone(tries), func(t redial.Try) bool { return !t.Charged })
			if len(counted) > most || len(tries) > (most+1)*redial.MaxUncharged {
				r.Fatalf("%d tries, %d of them charged, with %+v", len(tries), len(counted), p)
			}
			if d.Why == "" || d.Done && !d.At.IsZero() || !d.Done && d.Reached {
				r.Fatalf("%+v", d)
			}
			if slices.Contains(finals, try.Result) && (!d.Done || d.Why != string(try.Result)) || len(counted) == most && !d.Done {
				r.Fatalf("%+v after %+v", d, tries)
			}
			if d.Done {
				checkEnd(r, p, tries, d)
				return
			}
			checkWhen(r, p, tries, counted, places, now, d)
			now = d.At.Add(time.Duration(rapid.IntRange(0, 86_400).Draw(r, "wait")) * time.Second)
		}
	})
}

// checkEnd: nobody is given up without a reason.
func checkEnd(r *rapid.T, p redial.Policy, tries []redial.Try, d redial.Decision) {
	var counted, free, declined, dropped int
	talked := false
	for _, t := range tries {
		if t.Charged {
			counted, free = counted+1, 0
			if declined++; t.Result != domain.ResultDeclined {
				declined = 0
			}
		} else {
			free++
		}
		if t.Result == domain.ResultDropped {
			dropped++
		}
		talked = talked || t.Result == domain.ResultHuman || t.Result == domain.ResultVoicemail || t.Result == domain.ResultOptOut
	}
	last := tries[len(tries)-1].Result
	why := slices.Contains(finals, last) || counted >= max(p.MaxAttempts, 1) || free >= redial.MaxUncharged ||
		declined >= 2 || last == domain.ResultDropped && dropped >= 2
	if !why || d.Reached != talked {
		r.Fatalf("%+v after %+v", d, tries)
	}
}

// checkWhen: never too soon, never for the wrong reason.
func checkWhen(r *rapid.T, p redial.Policy, tries, counted []redial.Try, places []*time.Location, now time.Time, d redial.Decision) {
	last := tries[len(tries)-1]
	if d.At.Before(now) || d.Why != string(last.Result) {
		r.Fatalf("%+v at %s after %+v", d, now, tries)
	}
	if !last.Charged && (d.At.Sub(last.At) < time.Minute || d.At.Sub(last.At) < last.RetryAfter) {
		r.Fatalf("%s after %+v", d.At, last)
	}
	if len(counted) == 0 {
		return
	}
	c := counted[len(counted)-1]
	if len(p.Gaps) > 0 {
		if gap := p.Gaps[min(len(counted), len(p.Gaps))-1]; d.At.Before(c.At.Add(gap)) {
			r.Fatalf("%s is within %s of %s", d.At, gap, c.At)
		}
		return
	}
	if d.At.Before(c.At.Add(leastGap[c.Result])) {
		r.Fatalf("%s is too soon after %+v", d.At, c)
	}
	if len(places) == 0 {
		places = []*time.Location{time.UTC}
	}
	for _, z := range places {
		same := d.At.In(z).Format(time.DateOnly) == c.At.In(z).Format(time.DateOnly)
		if same && (c.Result == domain.ResultDeclined || c.Result == domain.ResultVoicemail) {
			r.Fatalf("%s is the day of %+v in %s", d.At, c, z)
		}
	}
	if z := places[0]; len(places) == 1 && slices.Contains([]domain.Result{domain.ResultNoAnswer, domain.ResultVoicemail, domain.ResultInterrupted}, c.Result) &&
		part(d.At.In(z)) == part(c.At.In(z)) {
		r.Fatalf("%s is in the %s again, as %+v in %s", d.At, part(c.At.In(z)), c, z)
	}
}

func part(local time.Time) string {
	switch clock := local.Format("15:04"); {
	case clock < "12:00":
		return "morning"
	case clock < "17:00":
		return "afternoon"
	}
	return "evening"
}

// TestWeeksOfACampaign has five hundred people called as a campaign does it, in
// the time of the clock, with the caps of calls and the hours of the law.
func TestWeeksOfACampaign(t *testing.T) {
	zone := zoneOf(t, "America/New_York")
	book, err := compliance.Current()
	if err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		hours := compliance.Call{Places: []*time.Location{zone}, Rules: book.For("US", "NY"), Ring: 30 * time.Second}
		ends := make(chan string)
		const people = 500
		for i := range people {
			go func() { ends <- pursue(hours, zone, i) }()
		}
		got := map[string]int{}
		for range people {
			got[<-ends]++
		}
		for _, want := range []string{"human", "max-attempts", "declined", "invalid", "congestion"} {
			if got[want] == 0 {
				t.Errorf("nobody ended as %s: %v", want, got)
			}
			delete(got, want)
		}
		if len(got) > 0 {
			t.Errorf("others ended as %v", got)
		}
	})
}

// pursue calls one person until the end and returns why it is, or what is wrong.
func pursue(hours compliance.Call, zone *time.Location, i int) string {
	luck := rand.New(rand.NewPCG(uint64(i), 7))
	pick := []domain.Result{
		domain.ResultNoAnswer, domain.ResultBusy, domain.ResultVoicemail, domain.ResultDeclined, domain.ResultCongestion, domain.ResultHuman,
		domain.ResultInterrupted, domain.ResultNoAnswer, domain.ResultInvalid, domain.ResultDeclined,
	}
	var tries []redial.Try
	var rang []time.Time
	begin := time.Now()
	for {
		at, open := hours.Next(time.Now())
		if !open {
			return "no hour was found"
		}
		if until, why := compliance.DefaultCaps.Next(rang, hours.Places, at); why != "" {
			time.Sleep(time.Until(until))
			continue
		}
		time.Sleep(time.Until(at))
		if clock := time.Now().In(zone).Format("15:04"); clock < "08:00" || clock >= "21:00" {
			return "called at " + clock
		}
		result := pick[luck.IntN(len(pick))]
		if i%50 == 49 {
			result = domain.ResultCongestion
		}
		try := redial.Try{At: time.Now(), Result: result, Charged: result.Charged(false)}
		if tries = append(tries, try); try.Charged {
			if n := len(rang); n > 0 && try.At.Sub(rang[n-1]) < 2*time.Hour {
				return fmt.Sprintf("called again after %s", try.At.Sub(rang[n-1]))
			}
			if n := len(rang); n > 1 && rang[n-2].In(zone).Format(time.DateOnly) == try.At.In(zone).Format(time.DateOnly) {
				return "called three times in a day"
			}
			rang = append(rang, try.At)
		}
		d := redial.Default.Next(tries, hours.Places, time.Now())
		if d.Done {
			if len(rang) > redial.Default.MaxAttempts || time.Since(begin) > 40*24*time.Hour {
				return fmt.Sprintf("%d calls in %s", len(rang), time.Since(begin))
			}
			return d.Why
		}
		time.Sleep(time.Until(d.At))
	}
}
