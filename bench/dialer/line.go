//go:build linux

package main

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/callwright/callwright/internal/dialer"
	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/queue"
	"github.com/callwright/callwright/internal/service"
	"github.com/callwright/callwright/internal/service/outreach"
	"github.com/callwright/callwright/internal/store"
)

// line is a server without a network: its rules and its database.
type line struct {
	*service.Service
	store  *store.DB
	buffer *store.Buffer
	in     domain.Scope
	agent  domain.ID
	number domain.ID
	epoch  domain.ID
}

// open makes a line whose workspace and trunk carry at most room calls at once.
func open(ctx context.Context, at place, room int) (l *line, err error) {
	l = &line{}
	if l.store, err = store.Open(ctx, store.Options{Dir: at.dir, DSN: at.dsn, Logger: slog.New(slog.DiscardHandler)}); err != nil {
		return nil, err
	}
	l.buffer = store.NewBuffer(l.store, nil)
	// It is a Tuesday at ten in New York: the hours are open. It is one to come, or
	// the node, by the database's clock, would have started after the campaign.
	began, noon := time.Now(), time.Date(2036, 6, 17, 14, 0, 0, 0, time.UTC)
	l.Service = service.New(service.Options{
		Store: l.store, Buffer: l.buffer, CheckFlow: func(raw []byte) ([]byte, error) { return raw, nil }, NoSamples: true,
		Now: func() time.Time { return noon.Add(time.Since(began)) }, Logger: slog.New(slog.DiscardHandler),
	})
	if err := l.furnish(ctx, room); err != nil {
		return nil, errors.Join(err, l.close())
	}
	return l, nil
}

func (l *line) furnish(ctx context.Context, room int) error {
	first, err := l.FirstStart(ctx)
	if err != nil {
		return err
	}
	l.in, l.number = domain.Scope{Workspace: first.Workspace.ID, Mode: domain.Test}, first.Number.ID
	agent, err := l.CreateAgent(ctx, l.in, service.AgentChange{Name: new("Ada"), SystemPrompt: new("You book tables.")}, nil)
	if err != nil {
		return err
	}
	l.agent, l.epoch = agent.ID, domain.NewID()
	if err := l.Join(ctx, domain.Node{Epoch: l.epoch}); err != nil {
		return err
	}
	return l.store.InTx(ctx, domain.LaneAPI, func(ctx context.Context, st *domain.Stores) error {
		w, err := st.Workspaces.Get(ctx, l.in.Workspace)
		if err != nil {
			return err
		}
		w.Plan, w.Timezone = domain.Enterprise, "America/New_York"
		if err := st.Workspaces.Update(ctx, w); err != nil {
			return err
		}
		t, err := st.Trunks.Get(ctx, l.in, first.Trunk.ID)
		if err != nil {
			return err
		}
		t.MaxCalls, t.CallsPerSecond = room, 0
		return st.Trunks.Update(ctx, t)
	})
}

// campaign makes one with n contacts, which keeps the hours and caps of live
// mode.
func (l *line) campaign(ctx context.Context, n, first int) (domain.ID, error) {
	id, err := l.paused(ctx)
	if err != nil {
		return "", err
	}
	if _, err := l.load(ctx, id, n, first); err != nil {
		return "", err
	}
	return id, l.start(ctx, id)
}

// paused makes a campaign without contacts.
func (l *line) paused(ctx context.Context) (domain.ID, error) {
	c, err := l.CreateCampaign(ctx, l.in, outreach.CampaignChange{
		Kind: domain.KindCampaign, Name: new("Tables"), AgentID: &l.agent, PhoneNumberID: &l.number, EnforceRules: new(true),
		State: new(domain.CampaignPaused), Window: new(&domain.DayWindow{From: 9 * 60, To: 20 * 60}), Timezone: new("America/New_York"),
	}, nil)
	if err != nil {
		return "", err
	}
	return c.ID, nil
}

func (l *line) start(ctx context.Context, id domain.ID) error {
	_, err := l.UpdateCampaign(ctx, l.in, domain.KindCampaign, id, outreach.CampaignChange{State: new(domain.CampaignActive)})
	return err
}

// work dials until ctx is done, as many calls at once as there are workers.
func (l *line) work(ctx context.Context, workers int, carry func(context.Context, service.Claimed)) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	q := queue.New(queue.Options[service.Claimed]{
		Name: "attempts", Workers: workers, Handle: carry,
		Claim: func(ctx context.Context, _ time.Time, limit int) ([]service.Claimed, time.Time, error) {
			claimed, next, err := l.ClaimAttempts(ctx, l.epoch, l.Clock(), 15*time.Second, min(limit, 64))
			if !next.IsZero() { // on the clock of this machine
				next = time.Now().Add(next.Sub(l.Clock()))
			}
			return claimed, next, err
		},
	})
	l.store.AfterCommit("attempts", q.Kick)
	d := dialer.New(dialer.Options{Store: l.store, Rules: l.Outreach})
	beside := make(chan error, 2)
	go func() { beside <- d.Run(ctx) }()
	go func() { beside <- l.beat(ctx) }()
	err := q.Run(ctx)
	stop()
	return errors.Join(err, <-beside, <-beside)
}

// beat keeps the line a node.
func (l *line) beat(ctx context.Context) error {
	every := time.NewTicker(2 * time.Second)
	defer every.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-every.C:
			if err := l.Beat(context.WithoutCancel(ctx), l.epoch); err != nil {
				return err
			}
		}
	}
}

func (l *line) close() error {
	l.Service.Close()
	return errors.Join(l.buffer.Close(context.Background()), l.store.Close())
}
