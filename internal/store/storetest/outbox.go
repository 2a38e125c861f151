package storetest

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/callwright/callwright/internal/domain"
)

// eventsSequence proves that the events of a call are numbered without a gap
// when many goroutines append.
func eventsSequence(_ *testing.T, b *bench) {
	in, _ := scopes()
	call, other := domain.NewID(), domain.NewID()
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			err := b.try(func(ctx context.Context, s *domain.Stores) error {
				for _, id := range []domain.ID{call, other, call, ""} {
					ev := domain.Event{
						ID: domain.NewID(), WorkspaceID: in.Workspace, Mode: in.Mode, Type: domain.EventCallEnded, CallID: id, At: clock(),
					}
					if err := s.Events.Append(ctx, &ev); err != nil {
						return err
					}
					if ev.Sequence < 1 || (id == "" && ev.Sequence != 1) {
						b.Errorf("event of call %q got the sequence %d", id, ev.Sequence)
					}
				}
				return nil
			})
			if err != nil {
				b.Error(err)
			}
		})
	}
	wg.Wait()
	b.read(func(ctx context.Context, s *domain.Stores) error {
		for id, want := range map[domain.ID]int{call: 40, other: 20, "": 0} {
			events, err := s.Events.ByCall(ctx, id)
			if err != nil {
				return err
			}
			b.same(len(events), want)
			for i := range events {
				b.same(events[i].Sequence, i+1)
			}
		}
		return nil
	})
}

// eventsTogether appends several events with one another.
func eventsTogether(_ *testing.T, b *bench) {
	in, _ := scopes()
	call := domain.NewID()
	several := func(about domain.ID, n int) (evs []*domain.Event) {
		for range n {
			evs = append(evs, &domain.Event{
				ID: domain.NewID(), WorkspaceID: in.Workspace, Mode: in.Mode, Type: domain.EventCallEnded, CallID: about, At: clock(),
			})
		}
		return evs
	}
	var made []*domain.Event
	b.write(func(ctx context.Context, s *domain.Stores) error {
		made = nil
		for _, n := range []int{3, 0, 1, 2} {
			made = append(made, several(call, n)...)
			if err := s.Events.Append(ctx, made[len(made)-n:]...); err != nil {
				return err
			}
		}
		of := several("", 2)
		err := s.Events.Append(ctx, of...)
		b.same([]int64{of[0].Sequence, of[1].Sequence}, []int64{1, 1})
		return err
	})
	b.read(func(ctx context.Context, s *domain.Stores) error {
		got, err := s.Events.ByCall(ctx, call)
		for i := range got {
			b.same(&got[i], made[i])
			b.same(got[i].Sequence, i+1)
		}
		b.same(len(got), len(made))
		return err
	})
	b.wantCode(b.try(func(ctx context.Context, s *domain.Stores) error {
		return s.Events.Append(ctx, append(several(call, 1), several(domain.NewID(), 1)...)...)
	}), domain.CodeInternal, "not about the same call")
}

func deliveries(_ *testing.T, b *bench) {
	in, others := scopes()
	now := clock()
	endpoint, call := domain.NewID(), domain.NewID()
	made := make([]domain.Delivery, 3)
	for i := range made {
		made[i] = domain.Delivery{
			ID: domain.NewID(), WorkspaceID: in.Workspace, Mode: in.Mode, EventID: domain.NewID(), EventType: domain.EventCallEnded,
			EndpointID: endpoint, CallID: call, Body: []byte("{\"\\u0000\":\"é'\x00\"}"), State: domain.DeliveryPending,
			NextAt: now.Add(time.Duration(i) * time.Second), CreatedAt: now,
		}
	}
	b.write(func(ctx context.Context, s *domain.Stores) error {
		return s.Deliveries.Create(ctx, &made[0], &made[1], &made[2])
	})
	claim := func(at time.Time, busy ...domain.ID) (got []domain.Delivery, next time.Time) {
		b.Helper()
		b.write(func(ctx context.Context, s *domain.Stores) (err error) {
			got, next, err = s.Deliveries.Claim(ctx, at, time.Minute, 9, busy...)
			return err
		})
		return got, next
	}
	got, next := claim(now, domain.NewID(), endpoint) // a busy endpoint's are passed over
	b.same([]any{len(got), next}, []any{0, time.Time{}})
	got, next = claim(now, domain.NewID())
	want := made[0]
	want.Attempt, want.LeaseUntil = 1, now.Add(time.Minute)
	b.same(got, []domain.Delivery{want})
	b.same(next, now.Add(time.Second))

	// A failed try gives up its lease and comes back at NextAt.
	failed := got[0]
	failed.NextAt, failed.StatusCode, failed.Error, failed.Response, failed.LatencyMs = now.Add(30*time.Second), 500, "no", "oops\x00", 12
	stale := failed
	stale.Attempt, stale.State = 0, domain.DeliveryDelivered
	log := domain.Try{DeliveryID: failed.ID, Number: 1, At: now, StatusCode: 500, LatencyMs: 12, Error: "no", Request: "POST /", Response: "oops"}
	b.write(func(ctx context.Context, s *domain.Stores) error {
		return s.Deliveries.Finish(ctx, domain.Tried{Delivery: failed, Try: log}, domain.Tried{Delivery: stale, Try: domain.Try{DeliveryID: failed.ID, Number: 7}})
	})
	failed.LeaseUntil, failed.Response = time.Time{}, "oops\ufffd"
	b.read(func(ctx context.Context, s *domain.Stores) error {
		got, err := s.Deliveries.Get(ctx, in, failed.ID)
		if err != nil {
			return err
		}
		b.same(*got, failed)
		for _, other := range others {
			_, err := s.Deliveries.Get(ctx, other, failed.ID)
			b.wantCode(err, domain.CodeNotFound, "Delivery with id "+string(failed.ID))
			list, total, err := s.Deliveries.ByEndpoint(ctx, other, endpoint, domain.DeliveryFilter{}, domain.Page{})
			b.same([]any{len(list), total, err}, []any{0, 0, nil})
		}
		page, total, err := s.Deliveries.ByEndpoint(ctx, in, endpoint, domain.DeliveryFilter{}, domain.Page{Limit: 1, Offset: 1})
		b.same(page, []domain.Delivery{made[1]})
		b.same(total, 3)
		list, err2 := s.Deliveries.ByCall(ctx, in, call)
		b.same([]any{len(list), list[2].ID, err, err2}, []any{3, made[2].ID, nil, nil})
		return nil
	})
	got, next = claim(now.Add(30 * time.Second))
	b.same([]any{len(got), got[0].ID, got[2].ID, got[2].Attempt}, []any{3, made[1].ID, made[0].ID, int64(2)})
	b.same(next, now.Add(90*time.Second))
	tried := make([]domain.Tried, len(got))
	for i := range got {
		got[i].State, got[i].FinishedAt = domain.DeliveryFailed, now
		tried[i] = domain.Tried{Delivery: got[i], Try: domain.Try{DeliveryID: got[i].ID, Number: got[i].Attempt, At: now, Error: "no"}}
	}
	b.write(func(ctx context.Context, s *domain.Stores) error { return s.Deliveries.Finish(ctx, tried...) })
	none, next := claim(now.Add(time.Hour))
	b.same([]any{len(none), next}, []any{0, time.Time{}})
	logged(b, in, endpoint, log)
	resend(b, in, others, endpoint, failed.ID, now)
}

// logged proves that tries are kept, and that deliveries can be found.
func logged(b *bench, in domain.Scope, endpoint domain.ID, log domain.Try) {
	b.Helper()
	now := log.At
	b.read(func(ctx context.Context, s *domain.Stores) error {
		tries, err := s.Deliveries.Tries(ctx, log.DeliveryID)
		b.same([]any{len(tries), tries[0], tries[1].Number, err}, []any{2, log, int64(2), nil})
		for _, f := range []struct {
			filter domain.DeliveryFilter
			want   int
		}{
			{domain.DeliveryFilter{State: domain.DeliveryFailed}, 3}, {domain.DeliveryFilter{State: domain.DeliveryDelivered}, 0},
			{domain.DeliveryFilter{EventType: domain.EventCallFailed}, 0}, {domain.DeliveryFilter{CreatedMin: now}, 3},
			{domain.DeliveryFilter{CreatedMin: now.Add(time.Second)}, 0},
		} {
			rows, total, err := s.Deliveries.ByEndpoint(ctx, in, endpoint, f.filter, domain.Page{})
			b.same([]any{len(rows), total, err}, []any{f.want, f.want, nil})
		}
		return nil
	})
}

// resend proves that failed deliveries can be made to wait again, and only
// those of the endpoint and the scope.
func resend(b *bench, in domain.Scope, others []domain.Scope, endpoint, one domain.ID, now time.Time) {
	b.Helper()
	again := func(in domain.Scope, r domain.Resend) (n int) {
		b.Helper()
		r.Now = now
		b.write(func(ctx context.Context, s *domain.Stores) (err error) {
			n, err = s.Deliveries.Resend(ctx, in, r)
			return err
		})
		return n
	}
	b.same(again(others[0], domain.Resend{Endpoint: endpoint, Limit: 9}), 0)
	b.same(again(in, domain.Resend{Endpoint: domain.NewID(), Limit: 9}), 0)
	b.same(again(in, domain.Resend{Endpoint: endpoint, Since: now.Add(time.Second), Limit: 9}), 0)
	b.read(func(ctx context.Context, s *domain.Stores) error {
		before, err := s.Deliveries.Get(ctx, in, one)
		b.same([]any{before.State, before.Resent, err}, []any{domain.DeliveryFailed, int64(0), nil})
		return err
	})
	var left, next int
	b.write(func(ctx context.Context, s *domain.Stores) (err error) {
		if left, err = s.Deliveries.Resend(ctx, in, domain.Resend{Endpoint: endpoint, ID: one, Now: now}); err != nil {
			return err
		}
		next, err = s.Deliveries.Resend(ctx, in, domain.Resend{Endpoint: endpoint, Limit: 1, Now: now})
		return err
	})
	b.same([]int{left, next}, []int{1, 1})
	b.read(func(ctx context.Context, s *domain.Stores) error {
		after, err := s.Deliveries.Get(ctx, in, one)
		b.same([]any{after.State, after.Resent, after.Round(), after.FinishedAt, err}, []any{domain.DeliveryPending, int64(2), 0, time.Time{}, nil})
		return err
	})
	b.same(again(in, domain.Resend{Endpoint: endpoint, ID: one}), 0) // it waits already
}

// failing proves that an endpoint's time of failing is noted once.
func failing(_ *testing.T, b *bench) {
	now := clock()
	a, other := domain.NewID(), domain.NewID()
	b.write(func(ctx context.Context, s *domain.Stores) error {
		if err := s.Endpoints.Failing(ctx, a, now); err != nil {
			return err
		}
		return s.Endpoints.Failing(ctx, a, now.Add(time.Hour))
	})
	read := func() (since map[domain.ID]time.Time) {
		b.read(func(ctx context.Context, s *domain.Stores) (err error) {
			since, err = s.Endpoints.FailingSince(ctx, a, other)
			return err
		})
		return since
	}
	b.same(read(), map[domain.ID]time.Time{a: now})
	b.write(func(ctx context.Context, s *domain.Stores) error { return s.Endpoints.Failing(ctx, a, time.Time{}) })
	b.same(len(read()), 0)
}

func jobs(_ *testing.T, b *bench) {
	in, _ := scopes()
	now := clock()
	job := domain.Job{
		ID: domain.NewID(), WorkspaceID: in.Workspace, Mode: in.Mode, Kind: domain.JobAnalysis, Subject: domain.NewID(),
		State: domain.JobPending, NextAt: now, CreatedAt: now,
	}
	other := job
	other.ID, other.Kind = domain.NewID(), "other"
	b.write(func(ctx context.Context, s *domain.Stores) error {
		if err := s.Jobs.Create(ctx, &other); err != nil {
			return err
		}
		return s.Jobs.Create(ctx, &job)
	})
	claim := func(at time.Time) (got []domain.Job, next time.Time) {
		b.Helper()
		b.write(func(ctx context.Context, s *domain.Stores) (err error) {
			got, next, err = s.Jobs.Claim(ctx, domain.JobAnalysis, at, time.Minute, 9)
			return err
		})
		return got, next
	}
	got, next := claim(now)
	job.Attempt, job.LeaseUntil = 1, now.Add(time.Minute)
	b.same(got, []domain.Job{job})
	b.same(next, now.Add(time.Minute))
	got, _ = claim(now.Add(time.Minute))
	b.same([]any{len(got), got[0].Attempt}, []any{1, int64(2)})
	job.State = domain.JobDone // by the first claim: too late
	b.write(func(ctx context.Context, s *domain.Stores) error { return s.Jobs.Finish(ctx, job) })
	got, _ = claim(now.Add(2 * time.Minute))
	b.same([]any{len(got), got[0].Attempt}, []any{1, int64(3)})
	got[0].State, got[0].Error = domain.JobFailed, "gave up"
	b.write(func(ctx context.Context, s *domain.Stores) error { return s.Jobs.Finish(ctx, got...) })
	got, next = claim(now.Add(time.Hour))
	b.same([]any{len(got), next}, []any{0, time.Time{}})
}
