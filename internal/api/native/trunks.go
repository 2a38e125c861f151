package native

import (
	"context"
	"net/http"

	"github.com/callwright/callwright/internal/api/wire"
	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/service"
)

// Trunk is a connection to a carrier. Its password is never shown.
type Trunk struct {
	ID             domain.ID    `json:"id"`
	Name           string       `json:"name"`
	Carrier        string       `json:"carrier" doc:"sip, or sandbox for the simulated phones of test mode."`
	Host           string       `json:"host"`
	Port           int          `json:"port"`
	Transport      string       `json:"transport"`
	Username       string       `json:"username"`
	Register       bool         `json:"register"`
	RealtimeText   bool         `json:"realtimeText"`
	SRTP           string       `json:"srtp"`
	Codecs         []string     `json:"codecs"`
	CallsPerSecond int          `json:"callsPerSecond"`
	MaxCalls       int          `json:"maxCalls"`
	Incoming       Incoming     `json:"incoming" doc:"Who may call in, beside the addresses of the host."`
	CreatedAt      wire.Instant `json:"createdAt"`
	UpdatedAt      wire.Instant `json:"updatedAt"`
	Status         *TrunkStatus `json:"status,omitempty" doc:"How it stands with the carrier. Absent while that is not known, and in test mode."`
}

// TrunkStatus is how a trunk stands with its carrier.
type TrunkStatus struct {
	State string       `json:"state" enum:"registered,unregistered,failed,up,down" doc:"The first three of trunks that register, the others of those that do not."`
	Since wire.Instant `json:"since"`
	Error string       `json:"error,omitempty" doc:"What is wrong, in words."`
}

// Incoming says who may call in over a trunk. The password is never shown.
type Incoming struct {
	Networks []string `json:"networks"`
	Username string   `json:"username"`
}

// IncomingFields change who may call in over a trunk.
type IncomingFields struct {
	Networks wire.Opt[[]string] `json:"networks,omitzero" doc:"Networks (CIDR) or addresses from which callers may also come."`
	Username wire.Opt[string]   `json:"username,omitzero" doc:"With it callers prove the password (digest), and may come from anywhere."`
	Password wire.Opt[string]   `json:"password,omitzero" doc:"Never shown again."`
}

// TrunkFields are the fields of a new trunk, or of a change to one.
type TrunkFields struct {
	Name           wire.Opt[string]         `json:"name,omitzero"`
	Host           wire.Opt[string]         `json:"host,omitzero" doc:"Name or address of the carrier's SIP server."`
	Port           wire.Opt[int]            `json:"port,omitzero" doc:"5060 when not sent, 5061 for tls."`
	Transport      wire.Opt[string]         `json:"transport,omitzero" doc:"udp, tcp or tls; udp when not sent. With tls, the certificate of the server must be valid for host."`
	Username       wire.Opt[string]         `json:"username,omitzero"`
	Password       wire.Opt[string]         `json:"password,omitzero" doc:"Never shown again."`
	Register       wire.Opt[bool]           `json:"register,omitzero" doc:"Register with the carrier as username, and place calls over that registration."`
	RealtimeText   wire.Opt[bool]           `json:"realtimeText,omitzero" doc:"Offer real-time text (RFC 4103)."`
	SRTP           wire.Opt[string]         `json:"srtp,omitzero" doc:"Whether sound and text are encrypted (SRTP with keys in SDP, RFC 4568): off, optional (offered, and done without when the far end refuses) or required; off when not sent. The keys are only as safe as the signalling: use it with transport tls."`
	Codecs         wire.Opt[[]string]       `json:"codecs,omitzero" doc:"PCMU, PCMA, G722 in order of preference. With G722 among them the sound inside, and recordings, are of 16 kHz."`
	CallsPerSecond wire.Opt[int]            `json:"callsPerSecond,omitzero" doc:"10 when not sent."`
	MaxCalls       wire.Opt[int]            `json:"maxCalls,omitzero" doc:"100 when not sent."`
	Incoming       wire.Opt[IncomingFields] `json:"incoming,omitzero" doc:"Who may call in, beside the addresses of the host; null is nobody else."`
}

func (f *face) trunkRoutes(rt *wire.Router) {
	const path, one = Root + "/trunks", Root + "/trunks/{id}"
	wire.Handle(rt, wire.Route{Method: http.MethodGet, Path: path, ID: "list-trunks", Scope: "trunks:read", Summary: "List trunks"}, f.listTrunks)
	wire.Handle(rt, wire.Route{Method: http.MethodPost, Path: path, ID: "create-trunk", Scope: "trunks:write", Status: http.StatusCreated, Summary: "Create a trunk"}, f.createTrunk)
	wire.Handle(rt, wire.Route{Method: http.MethodGet, Path: one, ID: "get-trunk", Scope: "trunks:read", Summary: "Get a trunk"}, f.getTrunk)
	wire.Handle(rt, wire.Route{Method: http.MethodDelete, Path: one, ID: "delete-trunk", Scope: "trunks:write", Summary: "Delete a trunk"}, f.deleteTrunk)
	update(rt, wire.Route{Path: one, ID: "trunk", Scope: "trunks:write", Summary: "Update a trunk"}, f.updateTrunk)
}

func (f *face) listTrunks(ctx context.Context, in *wire.Paging) (*list[Trunk], error) {
	page := in.Page()
	rows, total, err := f.rules.Trunks(ctx, wire.ScopeOf(ctx), page)
	if err != nil {
		return nil, err
	}
	return listOf(ctx, page, total, rows, f.trunk), nil
}

func (f *face) createTrunk(ctx context.Context, in *struct{ Body TrunkFields }) (*object[Trunk], error) {
	t, err := f.rules.CreateTrunk(ctx, wire.ScopeOf(ctx), in.Body.change(), wire.Once(ctx, http.StatusCreated, trunkBody))
	if err != nil {
		return nil, err
	}
	return reply(t.Version, f.trunk(t)), nil
}

func (f *face) getTrunk(ctx context.Context, in *ByID) (*object[Trunk], error) {
	t, err := f.rules.Trunk(ctx, wire.ScopeOf(ctx), in.ID)
	if err != nil {
		return nil, err
	}
	return reply(t.Version, f.trunk(t)), nil
}

func (f *face) updateTrunk(ctx context.Context, in *struct {
	ByID
	wire.IfMatch
	Body TrunkFields
}) (*object[Trunk], error) {
	req := in.Body.change()
	var err error
	if req.IfVersion, err = in.Version(); err != nil {
		return nil, err
	}
	t, err := f.rules.UpdateTrunk(ctx, wire.ScopeOf(ctx), in.ID, req)
	if err != nil {
		return nil, err
	}
	return reply(t.Version, f.trunk(t)), nil
}

func (f *face) deleteTrunk(ctx context.Context, in *Removal) (*object[Deleted], error) {
	return remove(ctx, in, f.rules.DeleteTrunk)
}

// change translates the fields; a null keeps what is there, except that it
// clears the credentials.
func (b *TrunkFields) change() service.TrunkChange {
	var incoming *service.IncomingChange
	switch in := b.Incoming.Value; {
	case b.Incoming.Null:
		incoming = &service.IncomingChange{Networks: new([]string), Username: new(string), Password: new(string)}
	case b.Incoming.Sent:
		incoming = &service.IncomingChange{Networks: in.Networks.Change(), Username: in.Username.Change(), Password: in.Password.Change()}
	}
	return service.TrunkChange{
		Incoming: incoming,
		Name:     b.Name.Given(), Host: b.Host.Given(), Port: b.Port.Given(), Transport: b.Transport.Given(),
		Username: b.Username.Change(), Password: b.Password.Change(),
		Register: b.Register.Given(), RealtimeText: b.RealtimeText.Given(), SRTP: b.SRTP.Given(), Codecs: b.Codecs.Given(),
		CallsPerSecond: b.CallsPerSecond.Given(), MaxCalls: b.MaxCalls.Given(),
	}
}

func trunk(t *domain.Trunk) Trunk {
	return Trunk{
		ID: t.ID, Name: t.Name, Carrier: t.Carrier, Host: t.Host, Port: t.Port, Transport: t.Transport,
		Username: t.Username, Register: t.Register, RealtimeText: t.RealtimeText, SRTP: t.SRTP, Codecs: t.Codecs,
		CallsPerSecond: t.CallsPerSecond, MaxCalls: t.MaxCalls,
		Incoming:  Incoming{Networks: append([]string{}, t.Incoming.Networks...), Username: t.Incoming.Username},
		CreatedAt: wire.Instant(t.CreatedAt), UpdatedAt: wire.Instant(t.UpdatedAt),
	}
}

// trunk adds to a trunk how it stands.
func (f *face) trunk(t *domain.Trunk) Trunk {
	out := trunk(t)
	if s, ok := f.rules.TrunkStatus(t); ok {
		out.Status = &TrunkStatus{State: string(s.State), Since: wire.Instant(s.Since), Error: s.Error}
	}
	return out
}

func trunkBody(t *domain.Trunk) any { return trunk(t) }
