package service

import (
	"context"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/service/rule"
)

// Notices returns a page of what the system did on its own, newest first, and
// the number of all.
func (s *Service) Notices(ctx context.Context, in domain.Scope, page domain.Page) ([]domain.Notice, int, error) {
	return rule.Listed(ctx, &s.Kit, in, page, func(st *domain.Stores) domain.Collection[domain.Notice] { return st.Notices })
}

// DeleteNotice deletes a notice that was read.
func (s *Service) DeleteNotice(ctx context.Context, in domain.Scope, id domain.ID, _ int64) error {
	return s.Store.InTx(ctx, domain.LaneAPI, func(ctx context.Context, st *domain.Stores) error {
		return st.Notices.Delete(ctx, in, id)
	})
}
