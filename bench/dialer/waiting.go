//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/service"
)

// waiting is what dialing costs beside contacts that wait.
type waiting struct {
	Import     imported `json:"import"` // of the large campaign
	Few        sized    `json:"few"`
	Many       sized    `json:"many"`
	PlanRatio  float64  `json:"planRatio"`
	ClaimRatio float64  `json:"claimRatio"`
}

// sized is a campaign's share: the medians of its plans and claims.
type sized struct {
	Contacts int         `json:"contacts"`
	PlanMs   float64     `json:"planMs"`
	ClaimMs  float64     `json:"claimMs"`
	Plans    []statement `json:"plans"`
}

// measure plans for a small and a large campaign in turn, in one database, and
// claims and ends what was planned. The large one comes out of a file.
func (w *waiting) measure(ctx context.Context, o options, at place) (err error) {
	l, err := open(ctx, at, 0)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, l.close()) }()
	w.Few.Contacts, w.Many.Contacts = o.few, o.many
	few, err := l.campaign(ctx, o.few, 0)
	if err != nil {
		return err
	}
	many, err := l.paused(ctx)
	if err != nil {
		return err
	}
	if err := w.Import.measure(ctx, l, many, o.many, 4_000_000); err != nil {
		return err
	}
	if err := l.start(ctx, many); err != nil {
		return err
	}
	ids := [2]domain.ID{few, many}
	var plans, claims [2][]float64
	for round := range o.plans + 1 { // the first warms up
		for i, id := range ids {
			if i == 0 && (round+1)*64 > o.few { // it is to stay as large as it is
				if id, err = l.campaign(ctx, o.few, round*o.few%4_000_000); err != nil {
					return err
				}
			}
			plan, claim, err := l.once(ctx, id)
			if err != nil {
				return err
			}
			if round > 0 {
				plans[i], claims[i] = append(plans[i], plan), append(claims[i], claim)
			}
		}
	}
	if w.Few.Plans, err = l.plans(ctx, at, few); err != nil {
		return err
	}
	if w.Many.Plans, err = l.plans(ctx, at, many); err != nil {
		return err
	}
	w.Few.PlanMs, w.Many.PlanMs = median(plans[0]), median(plans[1])
	w.Few.ClaimMs, w.Many.ClaimMs = median(claims[0]), median(claims[1])
	w.PlanRatio, w.ClaimRatio = ratio(w.Many.PlanMs, w.Few.PlanMs), ratio(w.Many.ClaimMs, w.Few.ClaimMs)
	return nil
}

// once plans for a campaign, claims what came of it, and ends it.
func (l *line) once(ctx context.Context, id domain.ID) (plan, claim float64, err error) {
	if err := l.prove(ctx); err != nil {
		return 0, 0, err
	}
	began := time.Now()
	if _, err := l.Plan(ctx, id); err != nil {
		return 0, 0, err
	}
	plan = float64(time.Since(began).Microseconds()) / 1000
	began = time.Now()
	claimed, _, err := l.ClaimAttempts(ctx, l.epoch, l.Clock(), time.Minute, 64)
	if err != nil {
		return 0, 0, err
	}
	claim = float64(time.Since(began).Microseconds()) / 1000
	if len(claimed) == 0 {
		return 0, 0, fmt.Errorf("nothing was planned for the campaign %s", id)
	}
	for _, a := range claimed {
		if err := l.FinishCall(ctx, service.Verdict{Call: a.CallID, Attempt: a.Attempt, Reason: domain.EndInvalidNumber, EndedAt: l.Clock()}); err != nil {
			return 0, 0, err
		}
	}
	return plan, claim, nil
}

// prove has the trunk be one that took a call just now: over others a few calls are
// planned at once.
func (l *line) prove(ctx context.Context) error {
	return l.store.InTx(ctx, domain.LaneDial, func(ctx context.Context, st *domain.Stores) error {
		n, err := st.Numbers.Get(ctx, l.in, l.number)
		if err != nil {
			return err
		}
		return st.Breakers.Put(ctx, domain.Breaker{TrunkID: n.TrunkID, WorkspaceID: l.in.Workspace, Mode: l.in.Mode, AliveAt: l.Clock()})
	})
}

func median(all []float64) float64 {
	slices.Sort(all)
	return all[len(all)/2]
}

func ratio(a, b float64) float64 { return math.Round(100*a/b) / 100 }
