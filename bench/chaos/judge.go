//go:build linux

package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
)

// verdict is what a run came to.
type verdict struct {
	Database   string  `json:"database"`
	Scene      string  `json:"scene"` // crashes, partition
	Contacts   int     `json:"contacts"`
	Calls      int     `json:"calls"`      // in the database
	Campaigns  int     `json:"campaigns"`  // how many of the contacts were those of campaigns and batches
	Imported   int     `json:"imported"`   // and of those, how many came in files
	Abandoned  int     `json:"abandoned"`  // batches that were cancelled because their import had died
	Dialed     int     `json:"dialed"`     // INVITE dialogs that the far ends saw
	Duplicates int     `json:"duplicates"` // INVITEs that should not have been
	Lost       int     `json:"lost"`       // orders without a call, and calls without an end
	Untold     int     `json:"untold"`     // ends without their webhook, or with two
	Pending    int     `json:"pending"`    // ends whose webhook waits for its next try
	Orphans    orphans `json:"orphans"`
	// Interrupted calls ended because their process did; Failed ones otherwise.
	Interrupted int `json:"interrupted"`
	Completed   int `json:"completed"`
	Failed      int `json:"failed"`

	ReadyP50Ms float64 `json:"readyP50Ms"` // from the start of a process to being ready
	ReadyMaxMs float64 `json:"readyMaxMs"`

	Kills     int               `json:"kills"` // at random times
	Points    map[string]*tally `json:"points,omitempty"`
	Partition *partition        `json:"partition,omitempty"`

	Faults  []string `json:"faults,omitempty"` // the first of what went wrong
	Seconds float64  `json:"seconds"`
}

// tally counts deaths at one point.
type tally struct {
	Died    int `json:"died"`
	Missed  int `json:"missed"` // processes that never came there
	Orphans int `json:"orphans"`
}

// faultsShown is how many faults are described.
const faultsShown = 20

func (v *verdict) fault(format string, args ...any) {
	if len(v.Faults) < faultsShown {
		v.Faults = append(v.Faults, fmt.Sprintf(format, args...))
	}
}

// sound reports whether all promises were kept.
func (v *verdict) sound() bool {
	missed := 0
	for _, t := range v.Points {
		missed += t.Missed
	}
	return v.Duplicates == 0 && v.Lost == 0 && v.Untold == 0 && v.Orphans.Late == 0 && v.Orphans.Never == 0 && missed == 0 && len(v.Faults) == 0
}

// attempt is a row of the database.
type attempt struct{ id, call, number, state, sip string }

// endedCall is what became of a call. The sample calls of the test mode are none.
type endedCall struct{ id, number, state, reason string }

func readCalls(ctx context.Context, db *sql.DB) (calls []endedCall, err error) {
	rows, err := db.QueryContext(ctx, "SELECT id, to_number, state, end_reason FROM calls WHERE mode = 'live'")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var c endedCall
		if err := rows.Scan(&c.id, &c.number, &c.state, &c.reason); err != nil {
			return nil, err
		}
		calls = append(calls, c)
	}
	return calls, rows.Err()
}

func readAttempts(ctx context.Context, db *sql.DB) (all []attempt, err error) {
	rows, err := db.QueryContext(ctx, "SELECT id, call_id, number, state, sip_call_id FROM attempts")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var a attempt
		if err := rows.Scan(&a.id, &a.call, &a.number, &a.state, &a.sip); err != nil {
			return nil, err
		}
		all = append(all, a)
	}
	return all, rows.Err()
}

// readPairs reads a query of two columns.
func readPairs(ctx context.Context, db *sql.DB, query string) (pairs map[string]string, err error) {
	rows, err := db.QueryContext(ctx, query)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	pairs = map[string]string{}
	for rows.Next() {
		var key, value string
		if err := rows.Scan(&key, &value); err != nil {
			return nil, err
		}
		pairs[key] = value
	}
	return pairs, rows.Err()
}

// judge compares what was ordered, what the database holds, what the far ends
// saw and what the receiver was told.
func (s *scene) judge(ctx context.Context, v *verdict) error {
	calls, err := readCalls(ctx, s.db)
	if err != nil {
		return err
	}
	attempts, err := readAttempts(ctx, s.db)
	if err != nil {
		return err
	}
	pending, err := readPairs(ctx, s.db, "SELECT call_id, state FROM deliveries WHERE state = 'pending'")
	if err != nil {
		return err
	}
	contacts, err := readContacts(ctx, s.db)
	if err != nil {
		return err
	}
	if v.Abandoned, err = v.judgeCampaigns(ctx, s.db); err != nil {
		return err
	}
	v.Pending = len(pending)
	v.Contacts, _ = s.feed.ordered()
	v.Calls, v.Orphans = len(calls), s.peer.count()
	for _, left := range v.Orphans.left {
		v.fault("nobody hung up %s", left)
	}
	v.judgeCalls(s, calls, pending)
	v.judgeContacts(s.feed, contacts)
	v.judgeDials(s.peer.seen(), attempts)
	s.feed.mu.Lock()
	defer s.feed.mu.Unlock()
	for _, odd := range s.feed.odd {
		v.fault("%s", odd)
	}
	if !v.sound() {
		for i, n := range s.nodes {
			fmt.Fprintf(s.progress, "the end of the log of node %d:\n%s\n", i+1, n.server.Log())
		}
	}
	return nil
}

func (v *verdict) judgeCalls(s *scene, calls []endedCall, pending map[string]string) {
	of := map[string][]string{} // calls by number
	for _, c := range calls {
		of[c.number] = append(of[c.number], c.id)
		switch {
		case c.state == "completed":
			v.Completed++
		case c.state != "failed":
			v.Lost++
			v.fault("call %s to %s is %s for ever", c.id, c.number, c.state)
			continue
		case c.reason == "interrupted":
			v.Interrupted++
		default:
			v.Failed++
		}
		if n := s.hooks.told(c.id); n > 1 || n == 0 && pending[c.id] == "" {
			v.Untold++
			v.fault("that call %s is over was told under %d webhook-ids", c.id, n)
		}
	}
	s.feed.mu.Lock()
	defer s.feed.mu.Unlock()
	for i := range s.feed.next {
		number := numberOf(i)
		order, accepted := s.feed.made[number]
		switch ids := of[number]; {
		case order.campaign != "": // judgeContacts looks at it
		case !accepted || !slices.Contains(ids, order.call):
			v.Lost++
			v.fault("the order for %s (accepted: %v, as %s) has the calls %v", number, accepted, order.call, ids)
		case len(ids) > 1:
			v.Duplicates++
			v.fault("the order for %s became %d calls: %v", number, len(ids), ids)
		}
	}
}

// judgeDials looks for INVITEs that no attempt stands for, and attempts that
// stand for two.
func (v *verdict) judgeDials(seen map[string]seen, attempts []attempt) {
	by := map[string]attempt{} // by Call-ID
	for _, a := range attempts {
		if a.sip == "" {
			continue
		}
		if other, taken := by[a.sip]; taken {
			v.Duplicates++
			v.fault("attempts %s and %s have one Call-ID", a.id, other.id)
		}
		by[a.sip] = a
	}
	v.Dialed = len(seen)
	for id, what := range seen {
		a, known := by[id]
		switch {
		case !known:
			v.Duplicates++
			v.fault("an INVITE for %s under %s has no intent", what.number, id)
		case a.number != what.number:
			v.Duplicates++
			v.fault("an INVITE for %s has the intent of %s", what.number, a.number)
		case what.sendings > 1:
			v.Duplicates++
			v.fault("%d INVITEs for %s under %s", what.sendings, what.number, id)
		case what.overlaps > 0:
			v.Duplicates++
			v.fault("%s was called while a call to it was under way", what.number)
		}
	}
}
