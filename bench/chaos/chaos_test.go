//go:build linux

package main

import (
	"bytes"
	"net"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/callwright/callwright/internal/failpoint"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestDialingSurvives makes a small run on every database.
func TestDialingSurvives(t *testing.T) {
	o, err := parse([]string{"-short"}, t.Output())
	if err != nil {
		t.Fatal(err)
	}
	o.sqlite = o.database == "" // it has had its turn
	r, err := rage(t.Context(), o, t.Output())
	if err != nil {
		t.Fatal(err)
	}
	if err := r.report(t.Output(), false); err != nil || len(r.Verdicts) == 0 {
		t.Errorf("%d verdicts: %v", len(r.Verdicts), err)
	}
	for _, v := range r.Verdicts {
		if v.Contacts < 80 || v.Campaigns == 0 || v.Campaigns == v.Contacts || v.Dialed < v.Contacts/2 || v.Interrupted == 0 || v.Imported == 0 || v.Orphans.All == 0 || v.Kills != o.kills {
			t.Errorf("this proves little: %+v", v)
		}
		for _, point := range o.at {
			if v.Points[string(point)].Died != o.points {
				t.Errorf("%s: %+v", point, v.Points[string(point)])
			}
		}
	}
}

// TestJudgeSeesFaults gives the judge what must never be.
func TestJudgeSeesFaults(t *testing.T) {
	attempts := []attempt{{id: "a", number: "+1", sip: "one"}, {id: "b", number: "+2", sip: "two"}, {id: "c", number: "+3"}}
	for name, c := range map[string]struct {
		seen       map[string]seen
		duplicates int
	}{
		"all well":             {map[string]seen{"one": {number: "+1", sendings: 1}, "two": {number: "+2", sendings: 1}}, 0},
		"never arrived":        {map[string]seen{"one": {number: "+1", sendings: 1}}, 0},
		"without an intent":    {map[string]seen{"one": {number: "+1", sendings: 1}, "three": {number: "+3", sendings: 1}}, 1},
		"another's intent":     {map[string]seen{"one": {number: "+2", sendings: 1}}, 1},
		"sent anew":            {map[string]seen{"one": {number: "+1", sendings: 2}}, 1},
		"beside a call to it":  {map[string]seen{"one": {number: "+1", sendings: 1, overlaps: 1}}, 1},
		"both, and a stranger": {map[string]seen{"one": {number: "+1", sendings: 2}, "x": {number: "+9", sendings: 1}}, 2},
	} {
		var v verdict
		if v.judgeDials(c.seen, attempts); v.Duplicates != c.duplicates || v.sound() != (c.duplicates == 0) {
			t.Errorf("%s: %d duplicates, %v", name, v.Duplicates, v.Faults)
		}
	}
	twice := verdict{}
	if twice.judgeDials(nil, append(attempts, attempt{id: "d", number: "+1", sip: "one"})); twice.Duplicates != 1 {
		t.Errorf("two attempts with one Call-ID: %+v", twice)
	}
	s := &scene{hooks: &receiver{ends: map[string]map[string]int{"told": {"w1": 2}, "forged": {"w2": 1, "w3": 1}}},
		feed: &feed{next: 4, made: map[string]order{numberOf(0): {call: "told"}, numberOf(1): {call: "forged"}, numberOf(2): {call: "open"}}}}
	var v verdict
	v.judgeCalls(s, []endedCall{
		{id: "told", number: numberOf(0), state: "completed"}, {id: "forged", number: numberOf(1), state: "failed", reason: "interrupted"},
		{id: "open", number: numberOf(2), state: "ringing"}, {id: "waits", number: numberOf(1), state: "failed"}, {id: "silent", number: "+9", state: "failed"},
	}, map[string]string{"waits": "pending"})
	// Lost: the call that rings for ever, the order that nobody took.
	if v.Lost != 2 || v.Duplicates != 1 || v.Untold != 2 || v.Completed != 1 || v.Interrupted != 1 || v.Failed != 2 || v.sound() {
		t.Errorf("%+v", v)
	}
}

// TestJudgeSeesContacts gives the judge contacts of a file in one campaign and of
// another in a batch.
func TestJudgeSeesContacts(t *testing.T) {
	f := &feed{next: 2, made: map[string]order{numberOf(0): {campaign: "k", sheet: true}, numberOf(1): {campaign: "b", sheet: true}}}
	one := contact{number: numberOf(0), state: "completed", call: "1", campaign: "k", of: "campaign", ofState: "completed"}
	two := contact{number: numberOf(1), state: "failed", call: "2", campaign: "b", of: "batch", ofState: "completed"}
	died := contact{number: numberOf(1), state: "failed", campaign: "a", of: "batch", ofState: "cancelled"}
	changed := func(c contact, how func(*contact)) contact { how(&c); return c }
	for name, c := range map[string]struct {
		contacts         []contact
		lost, duplicates int
	}{
		"all well":                    {[]contact{one, two, died}, 0, 0},
		"not there":                   {[]contact{one, died}, 1, 0},
		"waits":                       {[]contact{changed(one, func(c *contact) { c.state = "waiting" }), two}, 1, 0},
		"never called":                {[]contact{changed(one, func(c *contact) { c.call = "" }), two}, 1, 0},
		"there twice":                 {[]contact{one, two, two}, 0, 1},
		"called by a dead batch":      {[]contact{one, two, changed(died, func(c *contact) { c.call = "3" })}, 0, 1},
		"in a batch that was started": {[]contact{one, two, changed(died, func(c *contact) { c.ofState = "completed" })}, 0, 1},
		"in another campaign":         {[]contact{one, two, changed(one, func(c *contact) { c.campaign = "other" })}, 0, 1},
	} {
		var v verdict
		if v.judgeContacts(f, c.contacts); v.Lost != c.lost || v.Duplicates != c.duplicates || v.Campaigns != 2 || v.Imported != 2 {
			t.Errorf("%s: %+v", name, v)
		}
	}
}

// TestProxy cuts a connection and mends it.
func TestProxy(t *testing.T) {
	far, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer far.Close()
	p, through, err := between("postgres://u@" + far.Addr().String() + "/db")
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(through)
	if err != nil || u.Path != "/db" || u.Host == far.Addr().String() {
		t.Fatalf("%s, %v", through, err)
	}
	near, err := net.Dial("tcp", u.Host)
	if err != nil {
		t.Fatal(err)
	}
	defer near.Close()
	conn, err := far.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	heard := func(patience time.Duration) string {
		buf := make([]byte, 16)
		_ = conn.SetReadDeadline(time.Now().Add(patience)) // an open connection takes it
		n, _ := conn.Read(buf)
		return string(buf[:n])
	}
	say := func(text string) {
		if _, err := near.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	say("one")
	if got := heard(10 * time.Second); got != "one" {
		t.Errorf("heard %q", got)
	}
	p.sever()
	say("two")
	if got := heard(200 * time.Millisecond); got != "" {
		t.Errorf("through a cut came %q", got)
	}
	p.heal()
	if got := heard(10 * time.Second); got != "two" {
		t.Errorf("heard %q", got)
	}
	if err := p.close(); err != nil {
		t.Error(err)
	}
}

func TestParseRefuses(t *testing.T) {
	for _, args := range [][]string{{"-at", "nowhere"}, {"-contacts", "0"}, {"-kills", "-1"}, {"-rate", "0"}, {"-nodes", "2"}, {"-nonsense"}} {
		if _, err := parse(args, t.Output()); err == nil {
			t.Errorf("%q is taken", args)
		}
	}
	o, err := parse([]string{"-at", "after-ack,mid-media"}, t.Output())
	if err != nil || len(o.at) != 2 || o.at[1] != failpoint.MidMedia {
		t.Errorf("%v, %v", o.at, err)
	}
	if o, err = parse(nil, t.Output()); err != nil || !slices.Equal(o.at, failpoint.Names()) {
		t.Errorf("without a list the points are %v, %v", o.at, err)
	}
}

// TestReport shows what a reader is shown, and that a broken promise is an error.
func TestReport(t *testing.T) {
	r := &result{Verdicts: []verdict{{Database: "sqlite", Scene: "crashes", Orphans: orphans{All: 3, Byed: 3}, Kills: 7, Points: map[string]*tally{"after-ack": {Died: 25}}}}}
	var out bytes.Buffer
	if err := r.report(&out, false); err != nil || !strings.Contains(out.String(), "duplicates=0 lost=0 orphans_byed=3/3") || !strings.Contains(out.String(), "after-ack") {
		t.Errorf("%v\n%s", err, out.String())
	}
	for _, broken := range []func(*verdict){
		func(v *verdict) { v.Duplicates++ }, func(v *verdict) { v.Lost++ }, func(v *verdict) { v.Untold++ }, func(v *verdict) { v.Orphans.Late++ },
		func(v *verdict) { v.Orphans.Never++ }, func(v *verdict) { v.Points["after-ack"].Missed++ }, func(v *verdict) { v.fault("odd") },
	} {
		v := r.Verdicts[0]
		v.Points = map[string]*tally{"after-ack": {Died: 25}}
		broken(&v)
		if (&result{Verdicts: []verdict{v}}).report(&out, true) == nil {
			t.Errorf("no error: %+v", v)
		}
	}
}

func TestLongestGap(t *testing.T) {
	at := func(s int) time.Time { return time.Unix(int64(s), 0) }
	for want, times := range map[time.Duration][]time.Time{0: {at(3)}, 4 * time.Second: {at(7), at(1), at(2), at(3)}, time.Second: {at(5), at(4)}} {
		if got := longestGap(times); got != want {
			t.Errorf("%v: %s, want %s", times, got, want)
		}
	}
}
