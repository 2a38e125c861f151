package native

import (
	"context"
	"net/http"
	"strings"

	"github.com/callwright/callwright/internal/api/wire"
	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/service/people"
)

// Suppression is an entry of the do-not-call list.
type Suppression struct {
	Number    string                   `json:"number" doc:"E.164."`
	Reason    *string                  `json:"reason"`
	Source    domain.SuppressionSource `json:"source" enum:"api,csv,word,key,refusal,contact" doc:"word and key: the person asked for it in the call callId; refusal: the far end refused that call as unwanted (607, 608)."`
	CallID    *domain.ID               `json:"callId"`
	CreatedAt wire.Instant             `json:"createdAt"`
}

// SuppressFields names numbers that must not be called any more.
type SuppressFields struct {
	Number  wire.Opt[string]   `json:"number,omitzero" doc:"E.164."`
	Numbers wire.Opt[[]string] `json:"numbers,omitzero" doc:"Many at once; at most 10000."`
	Reason  wire.Opt[string]   `json:"reason,omitzero" doc:"For people."`
}

// Suppressing is what came of a request for the do-not-call list: for one
// number its entry, for many how many there were.
type Suppressing struct {
	Number        string                   `json:"number,omitempty"`
	Reason        string                   `json:"reason,omitempty"`
	Source        domain.SuppressionSource `json:"source,omitempty"`
	CreatedAt     *wire.Instant            `json:"createdAt,omitempty"`
	Added         int                      `json:"added" doc:"How many were not on the list before."`
	AlreadyListed int                      `json:"alreadyListed"`
	Invalid       int                      `json:"invalid,omitempty" doc:"Rows of a file that were passed over."`
	Errors        []ListFault              `json:"errors,omitempty" doc:"What is wrong with the first of those, at most 100."`
}

// ByNumber is the input of a route for one number.
type ByNumber struct {
	Number string `path:"number" doc:"E.164; the plus sign may be missing."`
}

// e164 returns the number with its plus sign.
func (in *ByNumber) e164() string { return "+" + strings.TrimLeft(strings.TrimSpace(in.Number), "+") }

func (f *face) doNotCallRoutes(rt *wire.Router) {
	const path, one = Root + "/do-not-call", Root + "/do-not-call/{number}"
	wire.Handle(rt, wire.Route{Method: http.MethodGet, Path: path, ID: "list-do-not-call", Scope: "do-not-call:read", Summary: "List numbers that must not be called"}, f.listDoNotCall)
	wire.Handle(rt, wire.Route{Method: http.MethodPost, Path: path, ID: "add-do-not-call", Scope: "do-not-call:write", Status: http.StatusCreated, Summary: "Add numbers that must not be called, or a CSV file of them",
		Form: &wire.Form{Bare: true, JSON: true, Fields: []wire.FormField{{Name: "reason", Doc: "For people."}}}}, f.addDoNotCall)
	f.doNotCallFileRoutes(rt)
	wire.Handle(rt, wire.Route{Method: http.MethodGet, Path: one, ID: "get-do-not-call", Scope: "do-not-call:read", Summary: "Get a number's entry"}, f.getDoNotCall)
	wire.Handle(rt, wire.Route{Method: http.MethodDelete, Path: one, ID: "remove-do-not-call", Scope: "do-not-call:write", Summary: "Let a number be called again"}, f.removeDoNotCall)
}

func (f *face) listDoNotCall(ctx context.Context, in *wire.Paging) (*list[Suppression], error) {
	page := in.Page()
	rows, total, err := f.rules.Suppressions(ctx, wire.ScopeOf(ctx), page)
	if err != nil {
		return nil, err
	}
	return listOf(ctx, page, total, rows, suppression), nil
}

func (f *face) addDoNotCall(ctx context.Context, in *struct{ Body SuppressFields }) (*object[Suppressing], error) {
	if u := wire.UploadOf(ctx); u != nil {
		return f.addListFile(ctx, u)
	}
	b := &in.Body
	numbers := b.Numbers.Value
	if b.Number.Value != "" {
		numbers = append([]string{b.Number.Value}, numbers...)
	}
	render := func(done *people.Suppressing) any { return suppressing(done) }
	done, err := f.rules.Suppress(ctx, wire.ScopeOf(ctx), people.SuppressRequest{
		Numbers: numbers, Reason: b.Reason.Value, Source: domain.SuppressedByAPI,
	}, wire.Once(ctx, http.StatusCreated, render))
	if err != nil {
		return nil, err
	}
	return &object[Suppressing]{Body: suppressing(done)}, nil
}

func (f *face) getDoNotCall(ctx context.Context, in *ByNumber) (*object[Suppression], error) {
	s, err := f.rules.Suppression(ctx, wire.ScopeOf(ctx), in.e164())
	if err != nil {
		return nil, err
	}
	return &object[Suppression]{ETag: wire.ETagOf(1), Body: suppression(s)}, nil // an entry never changes
}

// Unsuppressed is the answer to a number that was taken off the list.
type Unsuppressed struct {
	Number  string `json:"number"`
	Deleted bool   `json:"deleted"`
}

func (f *face) removeDoNotCall(ctx context.Context, in *ByNumber) (*object[Unsuppressed], error) {
	if err := f.rules.Unsuppress(ctx, wire.ScopeOf(ctx), in.e164()); err != nil {
		return nil, err
	}
	return &object[Unsuppressed]{Body: Unsuppressed{Number: in.e164(), Deleted: true}}, nil
}

func suppression(s *domain.Suppression) Suppression {
	return Suppression{
		Number: s.Number, Reason: orNull(s.Reason), Source: s.Source, CallID: orNull(s.CallID), CreatedAt: wire.Instant(s.CreatedAt),
	}
}

func suppressing(done *people.Suppressing) Suppressing {
	out := Suppressing{Added: done.Added, AlreadyListed: len(done.Entries) - done.Added}
	if len(done.Entries) == 1 {
		e := &done.Entries[0]
		at := wire.Instant(e.CreatedAt)
		out.Number, out.Reason, out.Source, out.CreatedAt = e.Number, e.Reason, e.Source, &at
	}
	return out
}
