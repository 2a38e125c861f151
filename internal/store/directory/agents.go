package directory

import (
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
	Extra           row.JSON[map[string]any]
}

var _ record[domain.Agent] = (*agentRow)(nil)

// NewAgents keeps agents.
func NewAgents(db bun.IDB) domain.Collection[domain.Agent] {
	return newCollection[domain.Agent, agentRow](db, "Agent")
}

func (r *agentRow) fill(a *domain.Agent) {
	*r = agentRow{
		head: head{
			ID: a.ID, WorkspaceID: a.WorkspaceID, Mode: a.Mode, Version: a.Version,
			CreatedAt: row.At(a.CreatedAt), UpdatedAt: row.At(a.UpdatedAt),
		},
		Name: a.Name, IsActive: a.IsActive, Voice: a.Voice, Language: a.Language, Model: a.Model,
		SystemPrompt: a.SystemPrompt, FirstMessage: a.FirstMessage, FlowID: a.FlowID, Record: a.Record,
		Variables: row.JSON[map[string]any]{V: a.Variables}, MaxCallDuration: a.MaxCallDuration,
		Extra: row.JSON[map[string]any]{V: a.Extra},
	}
}

func (r *agentRow) domain() domain.Agent {
	return domain.Agent{
		ID: r.ID, WorkspaceID: r.WorkspaceID, Mode: r.Mode, Version: r.Version,
		CreatedAt: r.CreatedAt.Time(), UpdatedAt: r.UpdatedAt.Time(),
		Name: r.Name, IsActive: r.IsActive, Voice: r.Voice, Language: r.Language, Model: r.Model,
		SystemPrompt: r.SystemPrompt, FirstMessage: r.FirstMessage, FlowID: r.FlowID, Record: r.Record,
		Variables: r.Variables.V, MaxCallDuration: r.MaxCallDuration, Extra: r.Extra.V,
	}
}
