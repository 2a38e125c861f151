package native

import (
	"context"
	"net/http"

	"github.com/callwright/callwright/internal/api/wire"
	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/service"
)

// PhoneNumber is a number of the workspace's own.
type PhoneNumber struct {
	ID        domain.ID    `json:"id"`
	Number    string       `json:"number" doc:"E.164."`
	TrunkID   domain.ID    `json:"trunkId"`
	AgentID   *domain.ID   `json:"agentId" doc:"The agent that calls from it and answers it."`
	Hours     *Hours       `json:"hours" doc:"When it is answered; null is always."`
	CreatedAt wire.Instant `json:"createdAt"`
	UpdatedAt wire.Instant `json:"updatedAt"`
}

// NumberFields are the fields of a new number, or of a change to one.
type NumberFields struct {
	Number  wire.Opt[string]    `json:"number,omitzero" doc:"E.164; cannot be changed."`
	TrunkID wire.Opt[domain.ID] `json:"trunkId,omitzero"`
	AgentID wire.Opt[domain.ID] `json:"agentId,omitzero" doc:"null takes the agent off."`
	Hours   wire.Opt[Hours]     `json:"hours,omitzero" doc:"When it is answered; null is always."`
}

func (f *face) numberRoutes(rt *wire.Router) {
	const path, one = Root + "/phone-numbers", Root + "/phone-numbers/{id}"
	wire.Handle(rt, wire.Route{Method: http.MethodGet, Path: path, ID: "list-phone-numbers", Scope: "phone-numbers:read", Summary: "List phone numbers"}, f.listNumbers)
	wire.Handle(rt, wire.Route{Method: http.MethodPost, Path: path, ID: "create-phone-number", Scope: "phone-numbers:write", Status: http.StatusCreated, Summary: "Add a phone number"}, f.createNumber)
	wire.Handle(rt, wire.Route{Method: http.MethodGet, Path: one, ID: "get-phone-number", Scope: "phone-numbers:read", Summary: "Get a phone number"}, f.getNumber)
	wire.Handle(rt, wire.Route{Method: http.MethodDelete, Path: one, ID: "delete-phone-number", Scope: "phone-numbers:write", Summary: "Delete a phone number"}, f.deleteNumber)
	update(rt, wire.Route{Path: one, ID: "phone-number", Scope: "phone-numbers:write", Summary: "Update a phone number"}, f.updateNumber)
}

func (f *face) listNumbers(ctx context.Context, in *wire.Paging) (*list[PhoneNumber], error) {
	page := in.Page()
	rows, total, err := f.rules.Numbers(ctx, wire.ScopeOf(ctx), page)
	if err != nil {
		return nil, err
	}
	return listOf(ctx, page, total, rows, phoneNumber), nil
}

func (f *face) createNumber(ctx context.Context, in *struct{ Body NumberFields }) (*object[PhoneNumber], error) {
	req, err := in.Body.change()
	if err != nil {
		return nil, err
	}
	n, err := f.rules.CreateNumber(ctx, wire.ScopeOf(ctx), req, wire.Once(ctx, http.StatusCreated, phoneNumberBody))
	if err != nil {
		return nil, err
	}
	return reply(n.Version, phoneNumber(n)), nil
}

func (f *face) getNumber(ctx context.Context, in *ByID) (*object[PhoneNumber], error) {
	n, err := f.rules.Number(ctx, wire.ScopeOf(ctx), in.ID)
	if err != nil {
		return nil, err
	}
	return reply(n.Version, phoneNumber(n)), nil
}

func (f *face) updateNumber(ctx context.Context, in *struct {
	ByID
	wire.IfMatch
	Body NumberFields
}) (*object[PhoneNumber], error) {
	req, err := in.Body.change()
	if err != nil {
		return nil, err
	}
	if req.IfVersion, err = in.Version(); err != nil {
		return nil, err
	}
	if err := notNull("trunkId", in.Body.TrunkID.Null); err != nil {
		return nil, err
	}
	n, err := f.rules.UpdateNumber(ctx, wire.ScopeOf(ctx), in.ID, req)
	if err != nil {
		return nil, err
	}
	return reply(n.Version, phoneNumber(n)), nil
}

func (f *face) deleteNumber(ctx context.Context, in *Removal) (*object[Deleted], error) {
	return remove(ctx, in, f.rules.DeleteNumber)
}

func (b *NumberFields) change() (service.NumberChange, error) {
	req := service.NumberChange{Number: b.Number.Given(), TrunkID: b.TrunkID.Given(), AgentID: b.AgentID.Change()}
	switch {
	case b.Hours.Null:
		req.Hours = &domain.Hours{}
	case b.Hours.Sent:
		hours, err := b.Hours.Value.hours()
		if err == nil && hours.Always() {
			err = domain.Invalid("hours.closed.action", "hours.closed.action is required: message, reject or agent")
		}
		if err != nil {
			return req, err
		}
		req.Hours = &hours
	}
	return req, nil
}

func phoneNumber(n *domain.PhoneNumber) PhoneNumber {
	return PhoneNumber{
		ID: n.ID, Number: n.Number, TrunkID: n.TrunkID, AgentID: orNull(n.AgentID), Hours: hoursOf(n.Hours),
		CreatedAt: wire.Instant(n.CreatedAt), UpdatedAt: wire.Instant(n.UpdatedAt),
	}
}

func phoneNumberBody(n *domain.PhoneNumber) any { return phoneNumber(n) }
