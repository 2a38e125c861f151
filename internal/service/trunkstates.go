package service

import (
	"context"

	"github.com/callwright/callwright/internal/domain"
)

// AttachTrunks tells who knows how trunks stand. It is called once, before the
// first request is served; without it nobody does.
func (s *Service) AttachTrunks(t domain.TrunkStates) { s.trunks = t }

// TrunkStatus tells how a trunk stands, false when this process does not know.
// Who asks has read the trunk, which is what entitles to its status.
func (s *Service) TrunkStatus(t *domain.Trunk) (domain.TrunkStatus, bool) {
	if s.trunks == nil {
		return domain.TrunkStatus{}, false
	}
	return s.trunks.TrunkStatus(t.ID)
}

// SIPTrunks returns the SIP trunks of all workspaces, for who keeps them up.
func (s *Service) SIPTrunks(ctx context.Context) ([]domain.Trunk, error) {
	return view(ctx, s, func(ctx context.Context, st *domain.Stores) ([]domain.Trunk, error) {
		all, err := st.Trunks.All(ctx)
		if err != nil {
			return nil, err
		}
		var out []domain.Trunk
		for _, t := range all {
			if t.Carrier == domain.CarrierSIP {
				out = append(out, t)
			}
		}
		return out, nil
	})
}
