package native

import (
	"cmp"
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/callwright/callwright/internal/api/wire"
	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/service/access"
)

// Key is an API key without its secret.
type Key struct {
	ID           domain.ID    `json:"id"`
	Name         string       `json:"name"`
	Mode         domain.Mode  `json:"mode" enum:"live,test"`
	Prefix       string       `json:"prefix" doc:"How the secret begins."`
	Status       string       `json:"status" enum:"active,expired,revoked"`
	Scopes       []string     `json:"scopes" doc:"<resource>:read, <resource>:write, or * for all."`
	Allow        []string     `json:"allow" doc:"Networks (CIDR) that may use the key; none is everywhere."`
	RateLimit    *int         `json:"rateLimit" doc:"Requests a minute, when lower than the plan's; null is the plan's."`
	ExpiresAt    wire.Instant `json:"expiresAt" doc:"null is never."`
	RevokedAt    wire.Instant `json:"revokedAt"`
	RotatedUntil wire.Instant `json:"rotatedUntil" doc:"Another key has replaced this one, which works until then."`
	LastUsedAt   wire.Instant `json:"lastUsedAt" doc:"Exact to a few seconds."`
	CreatedAt    wire.Instant `json:"createdAt"`
}

// TracedKey is a key with what is known of its use.
type TracedKey struct {
	Key
	Addresses []KeyAddress `json:"addresses" doc:"The 20 most recent addresses from which it was used."`
	Failures  []KeyFailure `json:"failures" doc:"What was refused to it."`
}

// KeyAddress is from where a key was used.
type KeyAddress struct {
	Address     string       `json:"address"`
	FirstSeenAt wire.Instant `json:"firstSeenAt"`
	LastSeenAt  wire.Instant `json:"lastSeenAt"`
}

// KeyFailure counts what was refused to a key for one reason.
type KeyFailure struct {
	Reason      string       `json:"reason" enum:"address,expired,revoked,scope"`
	Count       int64        `json:"count"`
	LastAt      wire.Instant `json:"lastAt"`
	LastAddress *string      `json:"lastAddress"`
}

// SecretKey is a key with its secret.
type SecretKey struct {
	Key
	Secret string `json:"key,omitempty" doc:"The secret, shown this once: when a request is repeated with its Idempotency-Key, the answer has none."`
}

// KeyFields are the fields of a new key, or of a change to one.
type KeyFields struct {
	Name      wire.Opt[string]   `json:"name,omitzero"`
	Scopes    wire.Opt[[]string] `json:"scopes,omitzero" doc:"What the key may do; nothing that the key which asks may not. All of that when not sent."`
	Allow     wire.Opt[[]string] `json:"allow,omitzero" doc:"Addresses and networks that may use the key; none is everywhere."`
	RateLimit wire.Opt[int]      `json:"rateLimit,omitzero" doc:"Requests a minute; 0 or null is the plan's."`
	ExpiresAt wire.Opt[string]   `json:"expiresAt,omitzero" doc:"ISO 8601; null is never."`
}

// NewKeyFields are the fields of a new key.
type NewKeyFields struct {
	KeyFields
	Mode wire.Opt[string] `json:"mode,omitzero" doc:"live or test; that of the request when not sent. In test mode there are test keys only."`
}

// RotateFields are the fields of a rotation.
type RotateFields struct {
	Overlap wire.Opt[int64] `json:"overlap,omitzero" doc:"Seconds for which the old key goes on to work, at most 604800; 86400 when not sent."`
}

// usualOverlap is how long a key that is replaced works on when the request does
// not say.
const usualOverlap = 24 * time.Hour

func (f *face) keyRoutes(rt *wire.Router) {
	const path, one = Root + "/keys", Root + "/keys/{id}"
	wire.Handle(rt, wire.Route{Method: http.MethodGet, Path: path, ID: "list-keys", Scope: "keys:read", Summary: "List API keys"}, f.listKeys)
	wire.Handle(rt, wire.Route{Method: http.MethodPost, Path: path, ID: "create-key", Scope: "keys:write", Status: http.StatusCreated, Summary: "Create an API key"}, f.createKey)
	wire.Handle(rt, wire.Route{Method: http.MethodGet, Path: one, ID: "get-key", Scope: "keys:read", Summary: "Get an API key, with from where it was used"}, f.getKey)
	wire.Handle(rt, wire.Route{Method: http.MethodDelete, Path: one, ID: "delete-key", Scope: "keys:write", Summary: "Delete an API key, which ends it at once"}, f.deleteKey)
	wire.Handle(rt, wire.Route{Method: http.MethodPost, Path: one + "/rotate", ID: "rotate-key", Scope: "keys:write", Status: http.StatusCreated, Summary: "Replace an API key; the old one works on for a while"}, f.rotateKey)
	wire.Handle(rt, wire.Route{Method: http.MethodPost, Path: one + "/revoke", ID: "revoke-key", Scope: "keys:write", Summary: "Make an API key stop working at once"}, f.revokeKey)
	update(rt, wire.Route{Path: one, ID: "key", Scope: "keys:write", Summary: "Update an API key"}, f.updateKey)
}

func (f *face) listKeys(ctx context.Context, in *wire.Paging) (*list[Key], error) {
	page := in.Page()
	rows, total, err := f.rules.Keys(ctx, wire.ScopeOf(ctx), page)
	if err != nil {
		return nil, err
	}
	return listOf(ctx, page, total, rows, f.key), nil
}

func (f *face) createKey(ctx context.Context, in *struct{ Body NewKeyFields }) (*object[SecretKey], error) {
	b := &in.Body
	expires, err := b.expiry()
	if err != nil {
		return nil, err
	}
	scope := wire.ScopeOf(ctx)
	req := access.NewKey{
		Workspace: scope.Workspace, Within: scope.Mode, By: byOf(ctx), Name: b.Name.Value, Mode: domain.Mode(b.Mode.Value),
		Allow: b.Allow.Value, RateLimit: b.RateLimit.Value, Once: wire.Once(ctx, http.StatusCreated, f.keyBody),
	}
	if b.Scopes.Sent && !b.Scopes.Null {
		req.Scopes = append([]string{}, b.Scopes.Value...)
	}
	if expires != nil {
		req.ExpiresAt = *expires
	}
	k, secret, err := f.rules.CreateKey(ctx, req)
	if err != nil {
		return nil, err
	}
	return &object[SecretKey]{ETag: f.keyTag(k, 0), Body: SecretKey{f.key(k), secret}}, nil
}

func (f *face) getKey(ctx context.Context, in *ByID) (*object[TracedKey], error) {
	k, err := f.rules.Key(ctx, wire.ScopeOf(ctx), in.ID)
	if err != nil {
		return nil, err
	}
	out := TracedKey{Key: f.key(&k.Key), Addresses: make([]KeyAddress, len(k.Addresses)), Failures: make([]KeyFailure, len(k.Failures))}
	for i, a := range k.Addresses {
		out.Addresses[i] = KeyAddress{Address: a.Address, FirstSeenAt: wire.Instant(a.FirstAt), LastSeenAt: wire.Instant(a.LastAt)}
	}
	var failures int64
	for i, f := range k.Failures {
		out.Failures[i] = KeyFailure{Reason: string(f.Fault), Count: f.Count, LastAt: wire.Instant(f.LastAt), LastAddress: orNull(f.LastAddress)}
		failures += f.Count
	}
	return &object[TracedKey]{ETag: f.keyTag(&k.Key, failures), Body: out}, nil
}

func (f *face) updateKey(ctx context.Context, in *struct {
	ByID
	wire.IfMatch
	Body KeyFields
}) (*object[Key], error) {
	b := &in.Body
	req := access.KeyChange{
		Name: b.Name.Given(), Scopes: b.Scopes.Given(), Allow: b.Allow.Change(), RateLimit: b.RateLimit.Change(), By: byOf(ctx),
	}
	var err error
	if req.ExpiresAt, err = b.expiry(); err != nil {
		return nil, err
	}
	if req.IfVersion, err = in.Version(); err != nil {
		return nil, err
	}
	k, err := f.rules.UpdateKey(ctx, wire.ScopeOf(ctx), in.ID, req)
	if err != nil {
		return nil, err
	}
	return &object[Key]{ETag: f.keyTag(k, 0), Body: f.key(k)}, nil
}

func (f *face) rotateKey(ctx context.Context, in *struct {
	ByID
	Body *RotateFields
}) (*object[SecretKey], error) {
	overlap := usualOverlap
	if b := in.Body; b != nil && b.Overlap.Given() != nil {
		// What would not fit is too long in any case.
		overlap = time.Duration(min(max(b.Overlap.Value, -1), 1<<32)) * time.Second
	}
	k, secret, err := f.rules.RotateKeyIn(ctx, wire.ScopeOf(ctx), in.ID, access.Rotation{
		Overlap: overlap, By: byOf(ctx), Once: wire.Once(ctx, http.StatusCreated, f.keyBody),
	})
	if err != nil {
		return nil, err
	}
	return &object[SecretKey]{ETag: f.keyTag(k, 0), Body: SecretKey{f.key(k), secret}}, nil
}

func (f *face) revokeKey(ctx context.Context, in *ByID) (*object[Key], error) {
	k, err := f.rules.RevokeKeyIn(ctx, wire.ScopeOf(ctx), in.ID, wire.Once(ctx, http.StatusOK, f.keyBody))
	if err != nil {
		return nil, err
	}
	return &object[Key]{ETag: f.keyTag(k, 0), Body: f.key(k)}, nil
}

func (f *face) deleteKey(ctx context.Context, in *Removal) (*object[Deleted], error) {
	return remove(ctx, in, f.rules.DeleteKey)
}

// byOf is the key that a request was made with.
func byOf(ctx context.Context) *domain.Key { return &wire.RequestOf(ctx).Caller.Identity.Key }

// expiry is when the key is to expire: nil when that was not sent, the zero time
// for never.
func (b *KeyFields) expiry() (*time.Time, error) {
	switch {
	case !b.ExpiresAt.Sent:
		return nil, nil
	case b.ExpiresAt.Null:
		return &time.Time{}, nil
	}
	at, _, err := wire.ParseInstant("expiresAt", b.ExpiresAt.Value)
	return &at, err
}

func (f *face) key(k *domain.Key) Key {
	out := Key{
		ID: k.ID, Name: k.Name, Mode: k.Mode, Prefix: k.Prefix, Status: cmp.Or(string(f.rules.KeyFault(k)), "active"),
		Scopes: k.Scopes, Allow: append([]string{}, k.Allow...),
		ExpiresAt: wire.Instant(k.ExpiresAt), RevokedAt: wire.Instant(k.RevokedAt), RotatedUntil: wire.Instant(k.RotatedUntil),
		LastUsedAt: wire.Instant(k.LastUsedAt), CreatedAt: wire.Instant(k.CreatedAt),
	}
	if k.RateLimit > 0 {
		out.RateLimit = &k.RateLimit
	}
	return out
}

// keyBody is a key as it is kept for a repeated request: without its secret,
// which is kept nowhere.
func (f *face) keyBody(k *domain.Key) any { return f.key(k) }

// keyTag is the ETag of a key, whose use goes on without its version.
func (f *face) keyTag(k *domain.Key, failures int64) wire.ETag {
	return wire.ETagOf(k.Version, k.LastUsedAt.String(), strconv.FormatInt(failures, 10), string(f.rules.KeyFault(k)))
}
