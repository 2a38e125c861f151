package native

import (
	"context"
	"encoding/json"
	"net/http"
	"reflect"

	"github.com/danielgtaylor/huma/v2"

	"github.com/callwright/callwright/internal/api/wire"
	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/service"
)

// Flow is a conversation's graph: what was saved, with what the server knows of
// it. It is an object whose members id, name, status, version, createdAt and
// updatedAt are the server's and whose others are the graph's.
type Flow struct{ row *domain.Flow }

// flowHead is the server's part of a flow.
type flowHead struct {
	ID      domain.ID         `json:"id" doc:"The flow's id."`
	Name    string            `json:"name" doc:"Required in a new flow."`
	Status  domain.FlowStatus `json:"status" enum:"draft,published" doc:"Calls use published flows only; draft when not sent."`
	Version int64             `json:"version" minimum:"0" maximum:"9007199254740991" doc:"Counts up with every change."`
}

// flowTimes stand at the end of a flow.
type flowTimes struct {
	CreatedAt wire.Instant `json:"createdAt"`
	UpdatedAt wire.Instant `json:"updatedAt"`
}

// MarshalJSON prints the server's head, the graph as it was saved, the times.
func (f Flow) MarshalJSON() ([]byte, error) {
	head, err := wire.Canonical(flowHead{ID: f.row.ID, Name: f.row.Name, Status: f.row.Status, Version: f.row.Version})
	if err != nil {
		return nil, err
	}
	times, err := wire.Canonical(flowTimes{CreatedAt: wire.Instant(f.row.CreatedAt), UpdatedAt: wire.Instant(f.row.UpdatedAt)})
	if err != nil {
		return nil, err
	}
	return join(head, f.row.Definition, times), nil
}

// Schema describes a flow; nodes differ by type and are described in words.
func (Flow) Schema(r huma.Registry) *huma.Schema {
	s := flowSchema(r)
	for _, t := range []reflect.Type{reflect.TypeFor[flowHead](), reflect.TypeFor[flowTimes]()} {
		for name, prop := range r.Schema(t, false, "").Properties {
			s.Properties[name] = prop
		}
	}
	return s
}

// FlowFields is a new flow, or a change to one: members that are sent replace
// those that are there, nodes as a whole.
type FlowFields struct{ raw json.RawMessage }

// UnmarshalJSON keeps the object as it is: package flow reads it.
func (b *FlowFields) UnmarshalJSON(raw []byte) error {
	b.raw = append(json.RawMessage(nil), raw...)
	return nil
}

// Schema describes what may be sent.
func (FlowFields) Schema(r huma.Registry) *huma.Schema {
	s := flowSchema(r)
	for name, prop := range r.Schema(reflect.TypeFor[flowHead](), false, "").Properties {
		s.Properties[name] = prop
	}
	// Unknown members are refused by the graph's own reader, which names the node.
	s.AdditionalProperties = true
	return s
}

// flowSchema is the graph's part.
func flowSchema(r huma.Registry) *huma.Schema {
	object := func(doc string) *huma.Schema {
		return &huma.Schema{Type: huma.TypeObject, AdditionalProperties: true, Description: doc}
	}
	return &huma.Schema{Type: huma.TypeObject, Properties: map[string]*huma.Schema{
		"startNodeId":  {Type: huma.TypeString, Description: "The node with which the conversation begins."},
		"globalPrompt": {Type: huma.TypeString, Description: "What holds for every node in which the model talks."},
		"variables":    object("Variables with their first values."),
		"settings":     object("Settings of the conversation."),
		"nodes": {Type: huma.TypeArray, Items: object(
			"A node: id, type (say, ask, converse, branch, set, http, dtmf, transfer, sms, book, voicemail, wait, end), " +
				"the fields of its type, and edges[{to,kind,expr,intent,event,digits,priority}]."),
		},
	}}
}

func (f *face) flowRoutes(rt *wire.Router) {
	const path, one = Root + "/flows", Root + "/flows/{id}"
	wire.Handle(rt, wire.Route{Method: http.MethodGet, Path: path, ID: "list-flows", Scope: "flows:read", Summary: "List flows"}, f.listFlows)
	wire.Handle(rt, wire.Route{Method: http.MethodPost, Path: path, ID: "create-flow", Scope: "flows:write", Status: http.StatusCreated, Summary: "Create a flow"}, f.createFlow)
	wire.Handle(rt, wire.Route{Method: http.MethodGet, Path: one, ID: "get-flow", Scope: "flows:read", Summary: "Get a flow"}, f.getFlow)
	wire.Handle(rt, wire.Route{Method: http.MethodDelete, Path: one, ID: "delete-flow", Scope: "flows:write", Summary: "Delete a flow"}, f.deleteFlow)
	update(rt, wire.Route{Path: one, ID: "flow", Scope: "flows:write", Summary: "Update a flow"}, f.updateFlow)
}

func (f *face) listFlows(ctx context.Context, in *wire.Paging) (*list[Flow], error) {
	page := in.Page()
	rows, total, err := f.rules.Flows(ctx, wire.ScopeOf(ctx), page)
	if err != nil {
		return nil, err
	}
	return listOf(ctx, page, total, rows, flow), nil
}

func (f *face) createFlow(ctx context.Context, in *struct{ Body FlowFields }) (*object[Flow], error) {
	req, err := in.Body.change(nil)
	if err != nil {
		return nil, err
	}
	fl, err := f.rules.CreateFlow(ctx, wire.ScopeOf(ctx), req, wire.Once(ctx, http.StatusCreated, flowBody))
	return flowReply(fl, err)
}

func (f *face) getFlow(ctx context.Context, in *ByID) (*object[Flow], error) {
	return flowReply(f.rules.Flow(ctx, wire.ScopeOf(ctx), in.ID))
}

func (f *face) updateFlow(ctx context.Context, in *struct {
	ByID
	wire.IfMatch
	Body FlowFields
}) (*object[Flow], error) {
	have, err := f.rules.Flow(ctx, wire.ScopeOf(ctx), in.ID)
	if err != nil {
		return nil, err
	}
	req, err := in.Body.change(have)
	if err != nil {
		return nil, err
	}
	if req.IfVersion, err = in.Version(); err != nil {
		return nil, err
	}
	if req.IfVersion == 0 && req.Definition != nil {
		// The graph was put together from this version's.
		req.IfVersion = have.Version
	}
	return flowReply(f.rules.UpdateFlow(ctx, wire.ScopeOf(ctx), in.ID, req))
}

func (f *face) deleteFlow(ctx context.Context, in *Removal) (*object[Deleted], error) {
	return remove(ctx, in, f.rules.DeleteFlow)
}

// change reads the server's members and leaves the rest, over the graph that is
// there, to the graph's reader.
func (b *FlowFields) change(have *domain.Flow) (service.FlowChange, error) {
	var req service.FlowChange
	var sent map[string]json.RawMessage
	if err := json.Unmarshal(b.raw, &sent); err != nil {
		return req, domain.Invalid("", "the request body must be a JSON object")
	}
	if err := member(sent, "name", &req.Name); err != nil {
		return req, err
	}
	if err := member(sent, "status", &req.Status); err != nil {
		return req, err
	}
	for _, own := range []string{"id", "name", "status", "version", "createdAt", "updatedAt"} {
		delete(sent, own)
	}
	if len(sent) == 0 {
		return req, nil
	}
	graph := map[string]json.RawMessage{}
	if have != nil {
		if err := json.Unmarshal(have.Definition, &graph); err != nil {
			return req, err
		}
	}
	for name, value := range sent {
		graph[name] = value
	}
	var err error
	req.Definition, err = json.Marshal(graph)
	return req, err
}

// member takes a member out of sent; null is like absent.
func member[T any](sent map[string]json.RawMessage, name string, into **T) error {
	raw, ok := sent[name]
	if !ok {
		return nil
	}
	if err := json.Unmarshal(raw, into); err != nil {
		return domain.Invalid(name, "%s must be a string", name)
	}
	return nil
}

func flowReply(fl *domain.Flow, err error) (*object[Flow], error) {
	if err != nil {
		return nil, err
	}
	return reply(fl.Version, flow(fl)), nil
}

func flow(fl *domain.Flow) Flow { return Flow{row: fl} }

func flowBody(fl *domain.Flow) any { return flow(fl) }

// join makes one object of several; of members with the same name the first
// objects' come first.
func join(objects ...[]byte) []byte {
	out := []byte{'{'}
	for _, o := range objects {
		inner := o[1 : len(o)-1]
		if len(inner) == 0 {
			continue
		}
		if len(out) > 1 {
			out = append(out, ',')
		}
		out = append(out, inner...)
	}
	return append(out, '}')
}
