package storetest

import (
	"context"
	"testing"
	"time"

	"github.com/callwright/callwright/internal/domain"
)

// talks tells when somebody was last talked with at a number: not a machine, not
// nobody, not somebody else.
func talks(t *testing.T, b *bench) {
	in, others := scopes()
	at := clock()
	const number = "+15005550161"
	called := func(in domain.Scope, to string, ago time.Duration, state domain.CallState, reason domain.EndReason, kind domain.AttemptKind) {
		c := callOf(in, at)
		c.State, c.EndReason, c.EndedAt = state, reason, at.Add(-ago)
		a := attemptOf(in, to, at)
		a.CallID, a.Kind, a.State, a.DialedAt, a.EndedAt = c.ID, kind, domain.AttemptEnded, at.Add(-ago-time.Minute), at.Add(-ago)
		b.write(func(ctx context.Context, s *domain.Stores) error {
			call, attempt := c, a
			if err := s.Calls.Create(ctx, &call); err != nil {
				return err
			}
			return s.Attempts.Create(ctx, &attempt)
		})
	}
	talked := func(in domain.Scope, since time.Duration, want time.Time) {
		t.Helper()
		b.write(func(ctx context.Context, s *domain.Stores) error {
			got, err := s.Tries.Talked(ctx, in, number, at.Add(-since))
			if err == nil && !got.Equal(want) {
				t.Errorf("talked at %s, want %s", got, want)
			}
			return err
		})
	}
	const week = 7 * 24 * time.Hour
	talked(in, week, time.Time{})
	called(in, number, time.Hour, domain.CallCompleted, domain.EndVoicemail, domain.AttemptDial)
	called(in, number, time.Hour, domain.CallFailed, domain.EndBusy, domain.AttemptDial)
	called(in, number, time.Hour, domain.CallCompleted, domain.EndFlow, domain.AttemptTransfer)
	called(in, "+15005550162", time.Hour, domain.CallCompleted, domain.EndFlow, domain.AttemptDial)
	talked(in, week, time.Time{})
	called(in, number, 3*time.Hour, domain.CallCompleted, domain.EndFlow, domain.AttemptDial)
	called(in, number, 2*time.Hour, domain.CallCompleted, domain.EndCallerHangup, domain.AttemptDial)
	talked(in, week, at.Add(-2*time.Hour))
	talked(in, time.Hour, time.Time{})
	for _, other := range others {
		talked(other, week, time.Time{})
	}
}
