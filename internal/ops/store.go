package ops

import (
	"context"
	"time"

	"github.com/callwright/callwright/internal/domain"
)

// watched is a store whose transactions are timed.
type watched struct {
	domain.Store
	observer domain.Observer
}

// Watch returns a store that tells the observer of each transaction.
func Watch(s domain.Store, observer domain.Observer) domain.Store { return watched{s, observer} }

// InTx runs fn in one transaction.
func (w watched) InTx(ctx context.Context, lane domain.Lane, fn func(ctx context.Context, s *domain.Stores) error) error {
	began := time.Now()
	err := w.Store.InTx(ctx, lane, fn)
	w.observer.Committed(lane, time.Since(began), err)
	return err
}
