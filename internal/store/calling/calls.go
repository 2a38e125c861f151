// Package calling keeps what happens on the phone: calls, the attempts to place
// them, their turns, and the nodes that carry them.
package calling

import (
	"context"
	"slices"
	"strconv"
	"time"

	"github.com/uptrace/bun"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/store/row"
)

type callRow struct {
	bun.BaseModel `bun:"table:calls"`

	ID            domain.ID `bun:",pk"`
	WorkspaceID   domain.ID
	Mode          domain.Mode
	Direction     domain.Direction
	State         domain.CallState
	EndReason     domain.EndReason
	AgentID       domain.ID
	FlowID        domain.ID
	FlowVersion   int64
	PhoneNumberID domain.ID
	CampaignID    domain.ID
	RecipientID   domain.ID
	ContactID     domain.ID
	KeyID         domain.ID
	From          string `bun:"from_number"`
	To            string `bun:"to_number"`
	Record        bool
	MaxDuration   time.Duration
	Variables     row.JSON[map[string]any]
	Captured      row.JSON[map[string]any]
	Extra         row.JSON[map[string]any]
	Callback      row.JSON[*domain.Callback]
	Notes         row.JSON[[]string]
	Voice         string
	Model         string
	Recording     string
	SIPCallID     string `bun:"sip_call_id"`
	Analysis      row.JSON[*domain.Analysis]
	Cost          domain.Money
	Version       int64
	CreatedAt     row.Micros
	DialedAt      row.Micros
	RingingAt     row.Micros
	AnsweredAt    row.Micros
	EndedAt       row.Micros
}

func newCallRow(c *domain.Call) *callRow {
	return &callRow{
		ID: c.ID, WorkspaceID: c.WorkspaceID, Mode: c.Mode, Direction: c.Direction, State: c.State, EndReason: c.EndReason,
		AgentID: c.AgentID, FlowID: c.FlowID, FlowVersion: c.FlowVersion, PhoneNumberID: c.PhoneNumberID,
		CampaignID: c.CampaignID, RecipientID: c.RecipientID, ContactID: c.ContactID, From: c.From, To: c.To, Record: c.Record, MaxDuration: c.MaxDuration,
		Variables: row.JSON[map[string]any]{V: c.Variables}, Captured: row.JSON[map[string]any]{V: c.Captured}, Extra: row.JSON[map[string]any]{V: c.Extra},
		Notes: row.JSON[[]string]{V: c.Notes}, Voice: c.Voice, Model: c.Model, Recording: c.Recording,
		Callback: row.JSON[*domain.Callback]{V: c.Callback}, SIPCallID: c.SIPCallID, Analysis: row.JSON[*domain.Analysis]{V: c.Analysis}, Version: c.Version,
		KeyID: c.KeyID, Cost: c.Cost,
		CreatedAt: row.At(c.CreatedAt), DialedAt: row.At(c.DialedAt), RingingAt: row.At(c.RingingAt),
		AnsweredAt: row.At(c.AnsweredAt), EndedAt: row.At(c.EndedAt),
	}
}

func (r *callRow) domain() domain.Call {
	return domain.Call{
		ID: r.ID, WorkspaceID: r.WorkspaceID, Mode: r.Mode, Direction: r.Direction, State: r.State, EndReason: r.EndReason,
		AgentID: r.AgentID, FlowID: r.FlowID, FlowVersion: r.FlowVersion, PhoneNumberID: r.PhoneNumberID,
		CampaignID: r.CampaignID, RecipientID: r.RecipientID, ContactID: r.ContactID, From: r.From, To: r.To, Record: r.Record, MaxDuration: r.MaxDuration,
		Variables: r.Variables.V, Captured: r.Captured.V, Extra: r.Extra.V, Notes: r.Notes.V, Voice: r.Voice, Model: r.Model,
		Callback: r.Callback.V, Recording: r.Recording, SIPCallID: r.SIPCallID, Analysis: r.Analysis.V, Version: r.Version,
		KeyID: r.KeyID, Cost: r.Cost,
		CreatedAt: r.CreatedAt.Time(), DialedAt: r.DialedAt.Time(), RingingAt: r.RingingAt.Time(),
		AnsweredAt: r.AnsweredAt.Time(), EndedAt: r.EndedAt.Time(),
	}
}

type calls struct {
	db    bun.IDB
	seal  *row.Seal
	known map[domain.ID]*callRow // as the transaction has read or written them
}

// NewCalls keeps calls, within one transaction.
func NewCalls(db bun.IDB, seal *row.Seal) domain.Calls {
	return &calls{db: db, seal: seal, known: make(map[domain.ID]*callRow)}
}

// Create stores new calls.
func (c *calls) Create(ctx context.Context, calls ...*domain.Call) error {
	for some := range slices.Chunk(calls, rowsAtOnce) {
		rows := make([]*callRow, len(some))
		for i, call := range some {
			rows[i] = newCallRow(call)
			if err := rows[i].close(c.seal); err != nil {
				return err
			}
		}
		_, err := c.db.NewInsert().Model(&rows).Exec(ctx)
		if err := row.Created(err, "Call with id "+string(some[0].ID)+among(len(some))+" already exists"); err != nil {
			return err
		}
	}
	return nil
}

// rowsAtOnce is how many rows are stored with one statement.
const rowsAtOnce = 500

// among follows the first of n objects in the error of a statement for all of them.
func among(n int) string {
	if n == 1 {
		return ""
	}
	return ", or one of the " + strconv.Itoa(n-1) + " that were to be stored with it,"
}

// Get returns a call of a scope.
func (c *calls) Get(ctx context.Context, in domain.Scope, id domain.ID) (*domain.Call, error) {
	call, err := c.ByID(ctx, id)
	if err == nil && (call.WorkspaceID != in.Workspace || call.Mode != in.Mode) {
		return nil, domain.NotFound("Call", id)
	}
	return call, err
}

// ByID returns a call of any workspace.
func (c *calls) ByID(ctx context.Context, id domain.ID) (*domain.Call, error) {
	r := new(callRow)
	if err := row.ToChange(c.db, c.db.NewSelect().Model(r).Where("id = ?", id)).Scan(ctx); err != nil {
		return nil, row.Found(err, domain.NotFound("Call", id))
	}
	row.Hold(c.db, "call", string(id))
	c.known[id] = r
	list, err := opened([]callRow{*r}, c.seal)
	if err != nil {
		return nil, err
	}
	return &list[0], nil
}

// ByIDs returns calls of any workspace.
func (c *calls) ByIDs(ctx context.Context, ids []domain.ID) ([]domain.Call, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	var rows []callRow
	if err := c.db.NewSelect().Model(&rows).Where("id IN (?)", bun.List(ids)).Scan(ctx); err != nil {
		return nil, row.Error(err, "read calls")
	}
	return opened(rows, c.seal)
}

// List returns a page of calls, newest first, and how many the filter has in
// all. A cursor that names no call gives no calls.
func (c *calls) List(ctx context.Context, in domain.Scope, f domain.CallFilter, page domain.Page) ([]domain.Call, int, error) {
	total, err := c.total(ctx, in, f)
	if err != nil {
		return nil, 0, err
	}
	if page.After != "" {
		page.Offset = 0
	}
	if page.Offset >= total {
		return []domain.Call{}, total, nil
	}
	list, err := c.page(ctx, in, f, page)
	return list, total, row.Error(err, "list calls")
}

// fixed is what a call is about: it stays as it was created.
var fixed = []string{"id", "workspace_id", "mode", "direction", "key_id", "created_at", "version"}

// Update stores a call, or of one that the transaction has read what is not as it
// was.
func (c *calls) Update(ctx context.Context, call *domain.Call) error {
	r := newCallRow(call)
	if err := r.close(c.seal); err != nil {
		return err
	}
	q := c.db.NewUpdate().Model(r)
	if before := c.known[call.ID]; before == nil {
		q = q.ExcludeColumn(fixed...).Column("version")
	} else {
		changed, err := row.Difference(c.db, before, r, fixed)
		if err != nil {
			return row.Error(err, "update call")
		}
		q = q.Column(append(changed, "version")...)
	}
	var version int64
	err := q.Value("version", "version + 1").
		Where("id = ?", call.ID).
		Where("state NOT IN ('completed', 'failed') OR state = ?", call.State).
		Returning("version").Scan(ctx, &version)
	if err == nil {
		call.Version = version
		if c.known[call.ID] != nil {
			c.known[call.ID] = r
		}
		return nil
	}
	known, failed := c.ByID(ctx, call.ID)
	if failed != nil {
		return failed
	}
	return row.Found(err, domain.Errorf(domain.CodeConflict, "Call with id %s has already ended as %s", call.ID, known.State))
}

// Active counts calls that were dialed or answered and are not over.
func (c *calls) Active(ctx context.Context, in domain.Scope, most int) (int, error) {
	return row.CountTo(ctx, c.db, most, row.In(c.db.NewSelect().Model((*callRow)(nil)), in).
		Where("state IN ('dialing', 'ringing', 'in-progress')"), "calls", string(in.Workspace), string(in.Mode))
}
