//go:build linux

package main

import (
	"context"
	"database/sql"
	"errors"
)

// contact is a row of a campaign or batch.
type contact struct{ number, state, call, campaign, of, ofState string }

func readContacts(ctx context.Context, db *sql.DB) (all []contact, err error) {
	rows, err := db.QueryContext(ctx, `SELECT r.phone, r.state, r.call_id, c.id, c.kind, c.state
		FROM recipients r JOIN campaigns c ON c.id = r.campaign_id WHERE c.mode = 'live'`)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var c contact
		if err := rows.Scan(&c.number, &c.state, &c.call, &c.campaign, &c.of, &c.ofState); err != nil {
			return nil, err
		}
		all = append(all, c)
	}
	return all, rows.Err()
}

// judgeContacts looks whether each contact is once in the campaign or batch that
// its order became, was called and is finished, and in no other but batches that
// were never started.
func (v *verdict) judgeContacts(f *feed, contacts []contact) {
	of := map[string][]contact{} // by number
	for _, c := range contacts {
		of[c.number] = append(of[c.number], c)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for i := range f.next {
		number := numberOf(i)
		order := f.made[number]
		if order.campaign == "" {
			continue
		}
		v.Campaigns++
		if order.sheet {
			v.Imported++
		}
		there := 0
		for _, c := range of[number] {
			switch {
			case c.campaign != order.campaign && (c.of != "batch" || c.ofState != "cancelled" || c.call != ""):
				v.Duplicates++
				v.fault("the contact %s of %s is in %s %s too, which is %s", number, order.campaign, c.of, c.campaign, c.ofState)
			case c.campaign != order.campaign:
			case c.state != "completed" && c.state != "failed" || c.call == "":
				v.Lost++
				v.fault("the contact %s of %s %s is %s for ever; its call: %q", number, c.of, c.campaign, c.state, c.call)
				there++
			default:
				there++
			}
		}
		switch {
		case there == 0:
			v.Lost++
			v.fault("the contact %s of %s is not there", number, order.campaign)
		case there > 1:
			v.Duplicates++
			v.fault("the contact %s of %s is there %d times", number, order.campaign, there)
		}
	}
}

// judgeCampaigns looks whether the counts of each campaign and batch are those of
// its contacts, and returns how many batches died before they began.
func (v *verdict) judgeCampaigns(ctx context.Context, db *sql.DB) (abandoned int, err error) {
	rows, err := db.QueryContext(ctx, `SELECT c.id, c.kind = 'batch' AND c.state = 'cancelled',
		coalesce(n.waiting, 0), coalesce(n.active, 0), coalesce(n.completed, 0), coalesce(n.failed, 0),
		coalesce(r.waiting, 0), coalesce(r.active, 0), coalesce(r.completed, 0), coalesce(r.failed, 0)
		FROM campaigns c
		LEFT JOIN (SELECT campaign_id, CAST(sum(waiting) AS BIGINT) AS waiting, CAST(sum(active) AS BIGINT) AS active,
			CAST(sum(completed) AS BIGINT) AS completed, CAST(sum(failed) AS BIGINT) AS failed
			FROM campaign_counts GROUP BY campaign_id) n ON n.campaign_id = c.id
		LEFT JOIN (SELECT campaign_id, sum(CASE WHEN state = 'waiting' THEN 1 ELSE 0 END) AS waiting,
			sum(CASE WHEN state = 'active' THEN 1 ELSE 0 END) AS active, sum(CASE WHEN state = 'completed' THEN 1 ELSE 0 END) AS completed,
			sum(CASE WHEN state = 'failed' THEN 1 ELSE 0 END) AS failed
			FROM recipients GROUP BY campaign_id) r ON r.campaign_id = c.id
		WHERE c.mode = 'live'`)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var id string
		var died bool
		var counted, there [4]int
		if err := rows.Scan(&id, &died, &counted[0], &counted[1], &counted[2], &counted[3], &there[0], &there[1], &there[2], &there[3]); err != nil {
			return 0, err
		}
		if died {
			abandoned++
		}
		if counted != there {
			v.fault("campaign %s counts %v contacts that wait, are called, completed and failed; it has %v", id, counted, there)
		}
	}
	return abandoned, rows.Err()
}
