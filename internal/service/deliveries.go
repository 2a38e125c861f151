package service

import (
	"context"
	"time"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/service/rule"
)

// Deliveries returns a page of what was sent to one endpoint, newest first, and
// how many the filter has in all.
func (s *Service) Deliveries(ctx context.Context, in domain.Scope, endpoint domain.ID, f domain.DeliveryFilter, page domain.Page) (list []domain.Delivery, total int, err error) {
	err = s.Store.View(ctx, func(ctx context.Context, st *domain.Stores) error {
		if _, err := st.Endpoints.Get(ctx, in, endpoint); err != nil {
			return err
		}
		list, total, err = st.Deliveries.ByEndpoint(ctx, in, endpoint, f, page)
		return err
	})
	return list, total, err
}

// DeliveryDetail is a delivery with all its tries.
type DeliveryDetail struct {
	domain.Delivery
	Tries []domain.Try
}

// Delivery returns one delivery to an endpoint.
func (s *Service) Delivery(ctx context.Context, in domain.Scope, endpoint, id domain.ID) (*DeliveryDetail, error) {
	return rule.View(ctx, &s.Kit, func(ctx context.Context, st *domain.Stores) (*DeliveryDetail, error) {
		d, err := deliveryTo(ctx, st, in, endpoint, id)
		if err != nil {
			return nil, err
		}
		tries, err := st.Deliveries.Tries(ctx, id)
		return &DeliveryDetail{Delivery: *d, Tries: tries}, err
	})
}

func deliveryTo(ctx context.Context, st *domain.Stores, in domain.Scope, endpoint, id domain.ID) (*domain.Delivery, error) {
	if _, err := st.Endpoints.Get(ctx, in, endpoint); err != nil {
		return nil, err
	}
	d, err := st.Deliveries.Get(ctx, in, id)
	if err == nil && d.EndpointID != endpoint {
		return nil, domain.NotFound("Delivery", id)
	}
	return d, err
}

// ResendDelivery sends one delivery again, also one that arrived: the same bytes
// under the same webhook-id, with the schedule from its start.
func (s *Service) ResendDelivery(ctx context.Context, in domain.Scope, endpoint, id domain.ID, once *rule.Once[domain.Delivery]) (*domain.Delivery, error) {
	return rule.Effect(ctx, &s.Kit, in, once, func(ctx context.Context, st *domain.Stores) (*domain.Delivery, error) {
		d, err := deliveryTo(ctx, st, in, endpoint, id)
		if err != nil {
			return nil, err
		}
		if d.State == domain.DeliveryPending {
			return nil, domain.Errorf(domain.CodeConflict, "the delivery is still waiting to be sent; there is nothing to send again")
		}
		if err := receives(ctx, st, in, endpoint); err != nil {
			return nil, err
		}
		if _, err := st.Deliveries.Resend(ctx, in, domain.Resend{Endpoint: endpoint, ID: id, Now: s.Clock()}); err != nil {
			return nil, err
		}
		return st.Deliveries.Get(ctx, in, id)
	})
}

// receives refuses what an endpoint that is switched off would not get.
func receives(ctx context.Context, st *domain.Stores, in domain.Scope, endpoint domain.ID) error {
	e, err := st.Endpoints.Get(ctx, in, endpoint)
	if err != nil {
		return err
	}
	if !e.IsActive {
		return domain.Errorf(domain.CodeConflict, "the endpoint is not active; switch it on first")
	}
	return nil
}

// Resent is how many deliveries were sent again.
type Resent struct {
	Count int
}

// resendBatch is how many deliveries one transaction makes wait again.
const resendBatch = 500

// ResendFailed sends again all deliveries to an endpoint that failed and were
// made at since or later, in steps that each hold the database for a moment
// only.
func (s *Service) ResendFailed(ctx context.Context, in domain.Scope, endpoint domain.ID, since time.Time) (*Resent, error) {
	now := s.Clock()
	total := &Resent{}
	for {
		var n int
		err := s.Store.InTx(ctx, domain.LaneBackground, func(ctx context.Context, st *domain.Stores) error {
			if err := receives(ctx, st, in, endpoint); err != nil {
				return err
			}
			var err error
			n, err = st.Deliveries.Resend(ctx, in, domain.Resend{Endpoint: endpoint, Since: since, Now: now, Limit: resendBatch})
			return err
		})
		if err != nil {
			return nil, err
		}
		total.Count += n
		if n < resendBatch {
			return total, nil
		}
	}
}
