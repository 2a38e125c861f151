package service

import (
	"context"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/service/rule"
)

// CallRecord is a call with what was said in it, and the names of who talked and
// by what.
type CallRecord struct {
	domain.Call
	AgentName string // "" when the agent was deleted
	FlowName  string // as it was named when the call began; "" for none
	Turns     []domain.Turn
}

// CallRecords returns a page of calls as records, newest first, and the number
// of all that the filter lets through.
func (s *Service) CallRecords(ctx context.Context, in domain.Scope, f domain.CallFilter, page domain.Page) ([]CallRecord, int, error) {
	var total int
	records, err := rule.View(ctx, &s.Kit, func(ctx context.Context, st *domain.Stores) ([]CallRecord, error) {
		calls, n, err := st.Calls.List(ctx, in, f, page)
		if err != nil {
			return nil, err
		}
		total = n
		c := clerk{st: st, in: in, agents: make(map[domain.ID]string), flows: make(map[flowVersion]string)}
		records := make([]CallRecord, len(calls))
		for i := range calls {
			if records[i], err = c.record(ctx, &calls[i]); err != nil {
				return nil, err
			}
		}
		return records, nil
	})
	return records, total, err
}

// CallRecord returns one call as a record.
func (s *Service) CallRecord(ctx context.Context, in domain.Scope, id domain.ID) (*CallRecord, error) {
	return rule.View(ctx, &s.Kit, func(ctx context.Context, st *domain.Stores) (*CallRecord, error) {
		call, err := st.Calls.Get(ctx, in, id)
		if err != nil {
			return nil, err
		}
		c := clerk{st: st, in: in, agents: make(map[domain.ID]string), flows: make(map[flowVersion]string)}
		record, err := c.record(ctx, call)
		return &record, err
	})
}

// clerk writes records; it looks each name up once.
type clerk struct {
	st     *domain.Stores
	in     domain.Scope
	agents map[domain.ID]string
	flows  map[flowVersion]string
}

type flowVersion struct {
	id      domain.ID
	version int64
}

func (c *clerk) record(ctx context.Context, call *domain.Call) (CallRecord, error) {
	r := CallRecord{Call: *call}
	var err error
	if r.Turns, err = c.st.Turns.ByCall(ctx, call.ID); err != nil {
		return r, err
	}
	if r.AgentName, err = c.agent(ctx, call.AgentID); err != nil {
		return r, err
	}
	r.FlowName, err = c.flow(ctx, flowVersion{call.FlowID, call.FlowVersion})
	return r, err
}

func (c *clerk) agent(ctx context.Context, id domain.ID) (string, error) {
	name, known := c.agents[id]
	if known || id == "" {
		return name, nil
	}
	a, err := c.st.Agents.Get(ctx, c.in, id)
	switch {
	case err == nil:
		name = a.Name
	case domain.CodeOf(err) != domain.CodeNotFound:
		return "", err
	}
	c.agents[id] = name
	return name, nil
}

func (c *clerk) flow(ctx context.Context, v flowVersion) (string, error) {
	name, known := c.flows[v]
	if known || v.id == "" {
		return name, nil
	}
	f, err := c.st.Flows.Version(ctx, c.in, v.id, v.version)
	switch {
	case err == nil:
		name = f.Name
	case domain.CodeOf(err) != domain.CodeNotFound:
		return "", err
	}
	c.flows[v] = name
	return name, nil
}
