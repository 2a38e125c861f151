package service

import (
	"context"

	"github.com/callwright/callwright/internal/domain"
)

// SampleNumber is the number that test mode has from the start.
const SampleNumber = "+15005550100"

// FirstStart tells what a start found or made.
type FirstStart struct {
	Workspace *domain.Workspace
	Created   bool // this was the first start: all of the below were made now
	Trunk     *domain.Trunk
	Number    *domain.PhoneNumber
	Agent     *domain.Agent // the sample agent, unless there are to be no samples
}

// FirstStart makes what an empty store needs to be used: a workspace and, in
// test mode, a trunk to the simulated phones with one number on it and sample
// data. On a store that has a workspace it changes nothing.
func (s *Service) FirstStart(ctx context.Context) (*FirstStart, error) {
	var made *FirstStart
	err := s.Store.InTx(ctx, domain.LaneAPI, func(ctx context.Context, st *domain.Stores) error {
		made = &FirstStart{}
		w, err := st.Workspaces.First(ctx)
		if err == nil {
			made.Workspace = w
			return nil
		}
		if domain.CodeOf(err) != domain.CodeNotFound {
			return err
		}
		now := s.Clock()
		made.Created = true
		made.Workspace = &domain.Workspace{
			ID: domain.NewID(), Name: "My workspace", Plan: domain.Professional, Timezone: "UTC", CreatedAt: now,
		}
		made.Trunk = &domain.Trunk{
			ID: domain.NewID(), WorkspaceID: made.Workspace.ID, Mode: domain.Test,
			Name: "Sandbox", Carrier: domain.CarrierSandbox, Transport: "udp", RealtimeText: true,
			SRTP: "off", Codecs: []string{"PCMU", "PCMA"},
			CallsPerSecond: sandboxCallsPerSecond, MaxCalls: defaultMaxCalls,
			Version: 1, CreatedAt: now, UpdatedAt: now,
		}
		made.Number = &domain.PhoneNumber{
			ID: domain.NewID(), WorkspaceID: made.Workspace.ID, Mode: domain.Test,
			Number: SampleNumber, TrunkID: made.Trunk.ID, Version: 1, CreatedAt: now, UpdatedAt: now,
		}
		if err := st.Workspaces.Create(ctx, made.Workspace); err != nil {
			return err
		}
		if err := st.Trunks.Create(ctx, made.Trunk); err != nil {
			return err
		}
		if s.noSamples {
			return st.Numbers.Create(ctx, made.Number)
		}
		return s.samples(ctx, st, made)
	})
	if err != nil {
		return nil, err
	}
	return made, nil
}
