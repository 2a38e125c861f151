package redial_test

import (
	"testing"
	"time"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/phone"
	"github.com/callwright/callwright/internal/redial"
)

func zoneOf(t testing.TB, name string) *time.Location {
	t.Helper()
	z, err := phone.Zone(name)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

func local(t testing.TB, clock string, z *time.Location) time.Time {
	t.Helper()
	at, err := time.ParseInLocation("2006-01-02 15:04", clock, z)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

// said is a try at a time of the called place, charged as its result says for a
// phone that did not ring.
type said struct {
	at     string
	result domain.Result
}

// TestNext has one row for each rule. Times are those of New York; the 23rd of
// November 2026 is a Monday.
func TestNext(t *testing.T) {
	york := zoneOf(t, "America/New_York")
	const (
		human, voicemail, busy, silent, declined = domain.ResultHuman, domain.ResultVoicemail, domain.ResultBusy, domain.ResultNoAnswer, domain.ResultDeclined
		congestion, dropped, crash               = domain.ResultCongestion, domain.ResultDropped, domain.ResultInterrupted
	)
	often := redial.Policy{MaxAttempts: 9}
	twice := redial.Policy{MaxAttempts: 9, Gaps: []time.Duration{time.Hour, 26 * time.Hour}}
	for name, c := range map[string]struct {
		policy redial.Policy
		tries  []said
		want   string // when, or how it ends
	}{
		"human":                 {often, []said{{"2026-11-23 10:00", human}}, "reached human"},
		"opt-out":               {often, []said{{"2026-11-23 10:00", domain.ResultOptOut}}, "reached opt-out"},
		"on the list":           {often, []said{{"2026-11-23 10:00", domain.ResultDoNotCall}}, "done do-not-call"},
		"blocked":               {often, []said{{"2026-11-23 10:00", domain.ResultBlocked}}, "done blocked"},
		"invalid":               {often, []said{{"2026-11-23 10:00", domain.ResultInvalid}}, "done invalid"},
		"moved":                 {often, []said{{"2026-11-23 10:00", domain.ResultMoved}}, "done moved"},
		"canceled":              {often, []said{{"2026-11-23 10:00", domain.ResultCanceled}}, "done canceled"},
		"busy":                  {often, []said{{"2026-11-23 10:00", busy}}, "2026-11-23 10:30"},
		"busy again":            {often, []said{{"2026-11-23 10:00", busy}, {"2026-11-23 10:30", busy}}, "2026-11-23 11:30"},
		"busy on":               {often, []said{{"2026-11-23 10:00", busy}, {"2026-11-23 10:30", busy}, {"2026-11-23 11:30", busy}}, "2026-11-23 13:30"},
		"busy for good":         {redial.Default, []said{{"2026-11-23 10:00", busy}, {"2026-11-23 10:30", busy}, {"2026-11-23 11:30", busy}}, "done max-attempts"},
		"busy not in a row":     {often, []said{{"2026-11-23 10:00", busy}, {"2026-11-23 14:00", silent}, {"2026-11-23 18:00", busy}}, "2026-11-23 18:30"},
		"no answer":             {often, []said{{"2026-11-23 10:10", silent}}, "2026-11-23 12:10"},
		"no answer early":       {often, []said{{"2026-11-23 08:00", silent}}, "2026-11-23 12:00"},
		"no answer at noon":     {often, []said{{"2026-11-23 12:00", silent}}, "2026-11-23 17:00"},
		"no answer at night":    {often, []said{{"2026-11-23 20:00", silent}}, "2026-11-24 00:00"},
		"no answer twice":       {often, []said{{"2026-11-23 10:00", silent}, {"2026-11-23 13:00", silent}}, "2026-11-24 17:00"},
		"no answer thrice":      {often, []said{{"2026-11-23 10:00", silent}, {"2026-11-23 13:00", silent}, {"2026-11-24 18:00", silent}}, "2026-11-30 10:00"},
		"no answer, then moved": {often, []said{{"2026-11-23 10:00", silent}, {"2026-11-23 13:00", domain.ResultMoved}}, "done moved"},
		"crash":                 {often, []said{{"2026-11-23 10:10", crash}}, "2026-11-23 12:10"},
		"declined":              {often, []said{{"2026-11-23 10:00", declined}}, "2026-11-24 00:00"},
		"declined twice":        {often, []said{{"2026-11-23 10:00", declined}, {"2026-11-24 10:00", declined}}, "done declined"},
		"declined not in a row": {often, []said{{"2026-11-23 10:00", declined}, {"2026-11-24 10:00", busy}, {"2026-11-25 10:00", declined}}, "2026-11-26 00:00"},
		"declined in two parts": {often, []said{{"2026-11-23 10:00", declined}, {"2026-11-24 10:00", congestion}, {"2026-11-25 10:00", declined}}, "done declined"},
		"voicemail":             {often, []said{{"2026-11-23 10:00", voicemail}}, "2026-11-24 12:00"},
		"voicemail at night":    {often, []said{{"2026-11-23 18:00", voicemail}}, "2026-11-24 00:00"},
		"voicemail to the end":  {redial.Policy{}, []said{{"2026-11-23 10:00", voicemail}}, "reached max-attempts"},
		"voicemail before":      {redial.Policy{MaxAttempts: 2}, []said{{"2026-11-23 10:00", voicemail}, {"2026-11-24 12:00", busy}}, "reached max-attempts"},
		"dropped":               {often, []said{{"2026-11-23 10:00", dropped}}, "2026-11-23 12:00"},
		"dropped twice":         {often, []said{{"2026-11-23 10:00", dropped}, {"2026-11-23 12:00", busy}, {"2026-11-23 13:00", dropped}}, "done dropped"},
		"one try":               {redial.Policy{}, []said{{"2026-11-23 10:00", busy}}, "done max-attempts"},
		"one try, uncharged":    {redial.Policy{}, []said{{"2026-11-23 10:00", congestion}}, "2026-11-23 10:01"},
		"uncharged":             {often, []said{{"2026-11-23 10:00", congestion}, {"2026-11-23 10:01", domain.ResultTrunk}}, "2026-11-23 10:03"},
		"uncharged after busy":  {often, []said{{"2026-11-23 10:00", busy}, {"2026-11-23 10:30", congestion}}, "2026-11-23 10:31"},
		"uncharged, part over":  {often, []said{{"2026-11-23 14:00", silent}, {"2026-11-23 23:59", congestion}}, "2026-11-24 00:00"},
		"first gap":             {twice, []said{{"2026-11-23 10:00", silent}}, "2026-11-23 11:00"},
		"second gap":            {twice, []said{{"2026-11-23 10:00", silent}, {"2026-11-23 11:00", declined}}, "2026-11-24 13:00"},
		"gap repeats":           {twice, []said{{"2026-11-23 10:00", silent}, {"2026-11-23 11:00", busy}, {"2026-11-24 13:00", voicemail}}, "2026-11-25 15:00"},
		"gap, declined twice":   {twice, []said{{"2026-11-23 10:00", declined}, {"2026-11-23 11:00", declined}}, "done declined"},
		"gap, invalid":          {twice, []said{{"2026-11-23 10:00", domain.ResultInvalid}}, "done invalid"},
		"gap, uncharged":        {twice, []said{{"2026-11-23 10:00", busy}, {"2026-11-23 11:00", congestion}}, "2026-11-23 11:01"},
	} {
		tries := make([]redial.Try, len(c.tries))
		for i, s := range c.tries {
			tries[i] = redial.Try{At: local(t, s.at, york), Result: s.result, Charged: s.result.Charged(false)}
		}
		d := c.policy.Next(tries, []*time.Location{york}, tries[len(tries)-1].At.Add(time.Second))
		got := d.At.In(york).Format("2006-01-02 15:04")
		switch {
		case d.Reached:
			got = "reached " + d.Why
		case d.Done:
			got = "done " + d.Why
		}
		if got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

// TestNextElsewhere has parties that may be in several zones.
func TestNextElsewhere(t *testing.T) {
	york, angeles, kolkata := zoneOf(t, "America/New_York"), zoneOf(t, "America/Los_Angeles"), zoneOf(t, "Asia/Kolkata")
	p := redial.Policy{MaxAttempts: 5}
	for name, c := range map[string]struct {
		at     string // in New York
		result domain.Result
		places []*time.Location
		want   string
	}{
		"part of both":    {"2026-11-23 13:00", domain.ResultNoAnswer, []*time.Location{york, angeles}, "2026-11-23 17:00"}, // 10 and 14 o'clock there
		"day of both":     {"2026-11-23 23:30", domain.ResultDeclined, []*time.Location{york, angeles}, "2026-11-24 03:00"},
		"nowhere is UTC":  {"2026-11-23 10:00", domain.ResultDeclined, nil, "2026-11-23 19:00"},
		"half hours":      {"2026-11-23 10:00", domain.ResultDeclined, []*time.Location{kolkata}, "2026-11-23 13:30"},
		"the clocks back": {"2026-10-31 23:50", domain.ResultVoicemail, []*time.Location{york}, "2026-11-01 00:00"},
		"clocks forward":  {"2027-03-13 20:00", domain.ResultNoAnswer, []*time.Location{york}, "2027-03-14 00:00"},
	} {
		at := local(t, c.at, york)
		d := p.Next([]redial.Try{{At: at, Result: c.result, Charged: true}}, c.places, at)
		if got := d.At.In(york).Format("2006-01-02 15:04"); d.Done || got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

// TestNoPartIsClear: in three zones of one number everything was tried. The day
// is kept clear of all the same.
func TestNoPartIsClear(t *testing.T) {
	places := []*time.Location{zoneOf(t, "UTC"), zoneOf(t, "Asia/Tokyo"), zoneOf(t, "America/Los_Angeles")}
	at := time.Date(2026, 11, 23, 13, 0, 0, 0, time.UTC) // afternoon, evening, morning
	var tries []redial.Try
	for range 2 {
		tries = append(tries, redial.Try{At: at, Result: domain.ResultVoicemail, Charged: true})
		at = at.Add(6 * time.Hour) // evening, morning, morning
	}
	last := tries[1].At
	d := redial.Policy{MaxAttempts: 5}.Next(tries, places, last)
	for _, z := range places {
		if d.At.In(z).YearDay() == last.In(z).YearDay() {
			t.Errorf("%s is the day of %s in %s", d.At, last, z)
		}
	}
	if d.Done || d.At.Sub(last) > 48*time.Hour {
		t.Errorf("%+v after %s", d, last)
	}
}

func TestRetryAfterIsHeeded(t *testing.T) {
	at := time.Date(2026, 11, 23, 13, 0, 0, 0, time.UTC)
	try := redial.Try{At: at, Result: domain.ResultCongestion, RetryAfter: 17 * time.Minute}
	if d := redial.Default.Next([]redial.Try{try}, nil, at); !d.At.Equal(at.Add(17 * time.Minute)) {
		t.Errorf("%+v", d)
	}
	if d := redial.Default.Next([]redial.Try{try}, nil, at.Add(time.Hour)); !d.At.Equal(at.Add(time.Hour)) {
		t.Errorf("long after it: %+v", d)
	}
	if d := redial.Default.Next(nil, nil, at); d.Done || !d.At.Equal(at) {
		t.Errorf("before the first try: %+v", d)
	}
}

// TestUnchargedIsBounded: a trunk that is away for a day costs no contact, one
// that never comes back does not hold them forever.
func TestUnchargedIsBounded(t *testing.T) {
	start := time.Date(2026, 11, 23, 13, 0, 0, 0, time.UTC)
	now := start
	var tries []redial.Try
	for range 1000 {
		tries = append(tries, redial.Try{At: now, Result: domain.ResultCongestion})
		d := redial.Default.Next(tries, nil, now)
		if d.Done {
			if len(tries) != redial.MaxUncharged || d.Reached || d.Why != "congestion" || now.Sub(start) < 24*time.Hour {
				t.Errorf("given up after %d tries in %s: %+v", len(tries), now.Sub(start), d)
			}
			return
		}
		now = d.At
	}
	t.Error("it never ends")
}
