package directory

import (
	"context"
	"time"

	"github.com/uptrace/bun"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/store/row"
)

type agentRow struct {
	bun.BaseModel `bun:"table:agents"`
	head
	Name            string
	IsActive        bool
	Voice           string
	Language        string
	Model           string
	SystemPrompt    string
	FirstMessage    string
	FlowID          domain.ID
	Record          bool
	Variables       row.JSON[map[string]any]
	MaxCallDuration time.Duration
	OptOutKey       string
	Extra           row.JSON[map[string]any]
	Sample          bool
}

var _ record[domain.Agent] = (*agentRow)(nil)

type agents struct {
	*collection[domain.Agent, agentRow, *agentRow]
}

// NewAgents keeps agents.
func NewAgents(db bun.IDB) domain.Agents {
	return agents{newCollection[domain.Agent, agentRow](db, "Agent")}
}

// Use adds up what the triggers of the table calls noted, folded or not.
func (a agents) Use(ctx context.Context, in domain.Scope, ids []domain.ID) (map[domain.ID]domain.AgentUse, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	var rows []struct {
		AgentID domain.ID
		Calls   int64
		Talked  int64
	}
	part := func(table, calls, talked string) *bun.SelectQuery {
		return row.In(a.db.NewSelect().Table(table).ColumnExpr("agent_id, ? AS calls, ? AS talked", bun.Safe(calls), bun.Safe(talked)), in).
			Where("agent_id IN (?)", bun.List(ids))
	}
	parts := part("call_counts", "n", "0").Where("campaign_id = '' AND span = 0").
		UnionAll(part("agent_use", "0", "talked")).
		UnionAll(part("call_changes", "CASE WHEN was = '' THEN n ELSE 0 END", "talked"))
	err := a.db.NewSelect().TableExpr("(?) AS parts", parts).
		ColumnExpr("agent_id, CAST(sum(calls) AS BIGINT) AS calls, CAST(sum(talked) AS BIGINT) AS talked").
		GroupExpr("agent_id").Having("sum(calls) > 0").Scan(ctx, &rows)
	use := make(map[domain.ID]domain.AgentUse, len(rows))
	for _, r := range rows {
		use[r.AgentID] = domain.AgentUse{Calls: int(r.Calls), Talked: time.Duration(r.Talked) * time.Microsecond}
	}
	return use, row.Error(err, "add up the calls of agents")
}

func (r *agentRow) fill(a *domain.Agent) {
	*r = agentRow{
		head: head{
			ID: a.ID, WorkspaceID: a.WorkspaceID, Mode: a.Mode, Version: a.Version,
			CreatedAt: row.At(a.CreatedAt), UpdatedAt: row.At(a.UpdatedAt),
		},
		Name: a.Name, IsActive: a.IsActive, Voice: a.Voice, Language: a.Language, Model: a.Model,
		SystemPrompt: a.SystemPrompt, FirstMessage: a.FirstMessage, FlowID: a.FlowID, Record: a.Record,
		Variables: row.JSON[map[string]any]{V: a.Variables}, MaxCallDuration: a.MaxCallDuration, OptOutKey: a.OptOutKey,
		Extra: row.JSON[map[string]any]{V: a.Extra}, Sample: a.Sample,
	}
}

func (r *agentRow) domain() domain.Agent {
	return domain.Agent{
		ID: r.ID, WorkspaceID: r.WorkspaceID, Mode: r.Mode, Version: r.Version,
		CreatedAt: r.CreatedAt.Time(), UpdatedAt: r.UpdatedAt.Time(),
		Name: r.Name, IsActive: r.IsActive, Voice: r.Voice, Language: r.Language, Model: r.Model,
		SystemPrompt: r.SystemPrompt, FirstMessage: r.FirstMessage, FlowID: r.FlowID, Record: r.Record,
		Variables: r.Variables.V, MaxCallDuration: r.MaxCallDuration, OptOutKey: r.OptOutKey, Extra: r.Extra.V, Sample: r.Sample,
	}
}
