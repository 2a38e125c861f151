package service

import (
	"bytes"
	"context"
	"crypto/sha256"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/service/rule"
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

// TrunksOf returns the SIP trunks, of all workspaces, that the node of epoch
// keeps up. Those that register belong to one of the nodes, or the carrier's
// calls would go to whichever registered last; the others to every node, for
// each wants to know whether they are there.
func (s *Service) TrunksOf(ctx context.Context, epoch domain.ID) ([]domain.Trunk, error) {
	return rule.View(ctx, &s.Kit, func(ctx context.Context, st *domain.Stores) ([]domain.Trunk, error) {
		all, err := st.Trunks.All(ctx)
		if err != nil {
			return nil, err
		}
		nodes, err := st.Nodes.List(ctx)
		if err != nil {
			return nil, err
		}
		var out []domain.Trunk
		for _, t := range all {
			if t.Carrier == domain.CarrierSIP && (!t.Register || keeper(nodes, t.ID) == epoch) {
				out = append(out, t)
			}
		}
		return out, nil
	})
}

// TrunkHealth tells how the trunks of live mode stand together, as far as this
// process knows: down when none is there, degraded when at least half are not.
// One customer's wrong password is no outage.
func (s *Service) TrunkHealth(ctx context.Context) (domain.Health, error) {
	all, err := rule.View(ctx, &s.Kit, func(ctx context.Context, st *domain.Stores) ([]domain.Trunk, error) { return st.Trunks.All(ctx) })
	if err != nil {
		return domain.HealthUnknown, err
	}
	known, down := 0, 0
	for i := range all {
		if all[i].Carrier != domain.CarrierSIP || all[i].Mode != domain.Live {
			continue
		}
		status, heard := s.TrunkStatus(&all[i])
		if !heard {
			continue
		}
		known++
		if status.State == domain.TrunkFailed || status.State == domain.TrunkDown {
			down++
		}
	}
	switch {
	case known == 0:
		return domain.HealthUnknown, nil
	case down == known:
		return domain.HealthDown, nil
	case down*2 >= known:
		return domain.HealthDegraded, nil
	}
	return domain.HealthUp, nil
}

// keeper chooses the node that keeps a trunk registered: the one with the
// highest hash of both. So each node has its share, and when one comes or goes,
// only its own trunks move.
func keeper(nodes []domain.Node, trunk domain.ID) domain.ID {
	var best domain.ID
	var most [sha256.Size]byte
	for _, n := range nodes {
		sum := sha256.Sum256([]byte(n.Epoch + "/" + trunk))
		if best == "" || bytes.Compare(sum[:], most[:]) > 0 {
			best, most = n.Epoch, sum
		}
	}
	return best
}
