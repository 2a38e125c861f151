package service_test

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/domain/ratetest"
	"github.com/callwright/callwright/internal/service"
	"github.com/callwright/callwright/internal/service/access"
)

func TestRatesInMemory(t *testing.T) {
	ratetest.Exercise(t, func(*testing.T) ratetest.Kit {
		var ahead atomic.Int64
		now := func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }
		return ratetest.Kit{
			Limits: []domain.RateLimits{access.NewRates(now)},
			Pass:   func(_ *testing.T, _ domain.ID, d time.Duration) { ahead.Add(int64(d)) },
		}
	})
}

func TestRequestsPerMinute(t *testing.T) {
	for _, c := range []struct {
		plan            domain.Plan
		own, most, want int
	}{
		{domain.Starter, 0, 0, 60}, {domain.Professional, 0, 0, 300}, {domain.Business, 0, 0, 600}, {domain.Enterprise, 0, 0, 0},
		{domain.Professional, 10, 0, 10}, {domain.Professional, 1000, 0, 300}, {domain.Enterprise, 1000, 0, 1000},
		{domain.Professional, 0, 60, 60}, {domain.Starter, 0, 60, 60}, {domain.Enterprise, 0, 60, 60}, {domain.Professional, 10, 60, 10}, {"", 0, 0, 300},
	} {
		who := &access.Identity{Key: domain.Key{RateLimit: c.own}, Workspace: domain.Workspace{Plan: c.plan}}
		if got := who.RequestsPerMinute(c.most); got != c.want {
			t.Errorf("%+v: %d", c, got)
		}
	}
}

// sharedRates is a database that counts, fails or does not answer.
type sharedRates struct {
	domain.RateLimits
	asked int
	fails bool
	hangs bool
}

func (s *sharedRates) Take(ctx context.Context, key domain.ID, limit int) (domain.Rate, error) {
	s.asked++
	switch {
	case s.hangs:
		<-ctx.Done()
		return domain.Rate{}, ctx.Err()
	case s.fails:
		return domain.Rate{}, errors.New("connection refused")
	}
	return s.RateLimits.Take(ctx, key, limit)
}

// TestRatesWithoutTheirDatabase: while the database that counts is away, requests
// are counted here, without each one waiting for it.
func TestRatesWithoutTheirDatabase(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		shared := &sharedRates{RateLimits: access.NewRates(time.Now)}
		s := service.New(service.Options{Rates: shared, Logger: slog.New(slog.DiscardHandler)})
		who := &access.Identity{Key: domain.Key{ID: domain.NewID(), RateLimit: 3}}
		take := func(passed bool, waits time.Duration, asked int) {
			t.Helper()
			began := time.Now()
			rate, err := s.CountRequest(t.Context(), who, 0)
			if err != nil || rate.Passed != passed || time.Since(began) != waits || shared.asked != asked {
				t.Errorf("%+v, %v after %s, %d asked; want %t after %s, %d asked", rate, err, time.Since(began), shared.asked, passed, waits, asked)
			}
		}
		take(true, 0, 1)
		shared.hangs = true
		take(true, 500*time.Millisecond, 2)
		take(true, 0, 2)
		take(true, 0, 2)
		take(false, 0, 2) // three here
		shared.hangs, shared.fails = false, true
		time.Sleep(2 * time.Second)
		take(false, 0, 3)
		shared.fails = false
		time.Sleep(2 * time.Second)
		take(true, 0, 4)
		take(true, 0, 5)
		take(false, 0, 6)
		// Who goes away is not the database's fault.
		gone, cancel := context.WithCancel(t.Context())
		cancel()
		shared.hangs = true
		if _, err := s.CountRequest(gone, who, 0); !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		shared.hangs = false
		take(false, 0, 8)
	})
}
