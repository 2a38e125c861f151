package service_test

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/service"
	"github.com/callwright/callwright/internal/service/access"
	"github.com/callwright/callwright/internal/store"
	"github.com/callwright/callwright/internal/store/storetest"
)

// TestKeyUse: what keys are used for is written when it is flushed, and shown.
func TestKeyUse(t *testing.T) {
	k := newKit(t)
	key, secret, err := k.CreateKey(t.Context(), access.NewKey{Workspace: k.first.Workspace.ID, Name: "k"})
	k.ok(err)
	began := k.now()
	use := func(status int, from string, fault domain.KeyFault) {
		k.NoteUse(access.KeyUse{Key: key, Mode: domain.Live, From: netip.MustParseAddr(from), Status: status, Fault: fault})
	}
	use(200, "10.0.0.7", "")
	use(304, "10.0.0.7", "")
	k.pass(time.Minute)
	use(403, "10.0.0.8", domain.FaultScope)
	use(403, "10.9.9.9", domain.FaultAddress)
	use(500, "2001:db8::1", "")
	k.NoteUse(access.KeyUse{Key: key, Mode: domain.Test, Status: 200}) // from nobody knows where
	k.ok(k.FlushUses(t.Context()))
	_, err = k.RevokeKey(t.Context(), key.WorkspaceID, key.ID)
	k.ok(err)
	k.pass(time.Minute)
	for range 2 {
		_, err = k.VerifyKey(t.Context(), secret, home)
		k.code(err, domain.CodeUnauthorized)
	}
	_, err = k.VerifyKey(t.Context(), secret[:len(secret)-7]+"0000000", home) // not the key: nothing is noted of it
	k.code(err, domain.CodeUnauthorized)
	k.ok(k.FlushUses(t.Context()))

	got, err := k.Key(t.Context(), k.prod, key.ID)
	k.ok(err)
	if want := began.Add(time.Minute); !got.LastUsedAt.Equal(want) {
		t.Errorf("last use %s, want %s", got.LastUsedAt, want)
	}
	var addresses, failures []string
	for _, a := range got.Addresses {
		addresses = append(addresses, fmt.Sprint(a.Address, " ", a.FirstAt.Sub(began), " ", a.LastAt.Sub(began)))
	}
	for _, f := range got.Failures {
		failures = append(failures, fmt.Sprint(f.Fault, " ", f.Count, " ", f.LastAddress, " ", f.LastAt.Sub(began)))
	}
	if want := "[10.0.0.8 1m0s 1m0s 2001:db8::1 1m0s 1m0s 10.0.0.7 0s 0s]"; fmt.Sprint(addresses) != want {
		t.Errorf("addresses %v", addresses)
	}
	if want := "[address 1 10.9.9.9 1m0s revoked 2 10.0.0.7 2m0s scope 1 10.0.0.8 1m0s]"; fmt.Sprint(failures) != want {
		t.Errorf("failures %v", failures)
	}
	for in, want := range map[domain.Scope]domain.UsageCounts{
		k.prod: {Requests: 5, Successes: 1, Redirects: 1, ClientErrors: 2, ServerErrors: 1}, k.test: {Requests: 1, Successes: 1},
	} {
		report, err := k.Usage(t.Context(), in, time.Time{}, time.Time{}, key.ID, domain.Page{Limit: 50})
		k.ok(err)
		var sum domain.UsageCounts // it may be midnight in between
		for _, day := range report.Days {
			sum.Add(day.UsageCounts)
		}
		if sum != want {
			t.Errorf("%s: %+v, want %+v", in.Mode, sum, want)
		}
	}
}

// TestUsageReports: which days a report covers.
func TestUsageReports(t *testing.T) {
	k := newKit(t)
	day := func(text string) time.Time {
		at, err := time.Parse(time.DateOnly, text)
		k.ok(err)
		return at
	}
	for _, c := range []struct{ from, to, first, last string }{
		{"2025-02-01", "2025-02-01", "2025-02-01", "2025-02-01"}, {"", "2025-03-02", "2025-02-01", "2025-03-02"},
		{"2024-01-01", "2024-12-31", "2024-01-01", "2024-12-31"}, {"2025-02-02", "2025-02-01", "", ""}, {"2023-12-31", "2024-12-31", "", ""},
	} {
		var from, to time.Time
		if c.from != "" {
			from = day(c.from)
		}
		to = day(c.to).Add(23*time.Hour + 59*time.Minute)
		report, err := k.Usage(t.Context(), k.prod, from, to, "", domain.Page{Limit: 50})
		if c.first == "" {
			k.code(err, domain.CodeInvalid)
			continue
		}
		k.ok(err)
		if string(report.From) != c.first || string(report.To) != c.last {
			t.Errorf("%s to %s covers %s to %s", c.from, c.to, report.From, report.To)
		}
	}
	report, err := k.Usage(t.Context(), k.prod, time.Time{}, time.Time{}, "", domain.Page{Limit: 50})
	k.ok(err)
	if report.To != domain.DayOf(k.now()) || report.From != domain.DayOf(k.now().AddDate(0, 0, -29)) {
		t.Errorf("%+v", report)
	}
}

// TestUsesSurviveAnOutage: what cannot be written is written later, once.
func TestUsesSurviveAnOutage(t *testing.T) {
	db, err := store.Open(t.Context(), store.Options{Dir: storetest.Dir(t), DSN: storetest.URL(t)})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	}()
	down := &broken{Store: db}
	s := service.New(service.Options{Store: down, CheckFlow: func(raw []byte) ([]byte, error) { return raw, nil }})
	first, err := s.FirstStart(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	in := domain.Scope{Workspace: first.Workspace.ID, Mode: domain.Live}
	keys := make([]*domain.Key, 250) // more than go into one transaction
	for i := range keys {
		keys[i] = &domain.Key{ID: domain.NewID(), WorkspaceID: in.Workspace}
	}
	note := func(n int) {
		var wg sync.WaitGroup
		for range n {
			wg.Go(func() {
				for i, key := range keys {
					s.NoteUse(access.KeyUse{Key: key, Mode: domain.Live, From: netip.AddrFrom4([4]byte{10, 0, 0, byte(i)}), Status: 200})
				}
			})
		}
		wg.Wait()
	}
	note(4)
	down.after.Store(2) // one batch gets through
	if err := s.FlushUses(t.Context()); domain.CodeOf(err) != domain.CodeUnavailable {
		t.Errorf("flushed into nothing: %v", err)
	}
	note(3)
	down.after.Store(0)
	if err := s.FlushUses(t.Context()); err != nil {
		t.Fatal(err)
	}
	report, err := s.Usage(t.Context(), in, time.Time{}, time.Time{}, "", domain.Page{Limit: 500})
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range report.Rows {
		if row.Requests != 7 && len(report.Days) == 1 {
			t.Fatalf("%+v, want 7 requests", row)
		}
	}
	if report.Total < len(keys) {
		t.Errorf("usage of %d keys, want %d", report.Total, len(keys))
	}
}

// broken is a store whose writes fail from a number on; 0 is never.
type broken struct {
	domain.Store
	after atomic.Int64
}

func (b *broken) InTx(ctx context.Context, lane domain.Lane, fn func(context.Context, *domain.Stores) error) error {
	if n := b.after.Load(); n > 0 && !b.after.CompareAndSwap(n, max(n-1, 1)) || n == 1 {
		return domain.Unavailable(time.Second, errors.New("gone"), "the database cannot be used")
	}
	return b.Store.InTx(ctx, lane, fn)
}
