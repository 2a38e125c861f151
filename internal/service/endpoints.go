package service

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/service/rule"
)

// DefaultDialect is the dialect of an endpoint that names none.
const DefaultDialect = "native"

// EndpointChange is a new webhook endpoint, or what is to change in one. Nil
// fields keep what is there.
type EndpointChange struct {
	URL         rule.Change[string]
	Events      rule.Change[[]string]
	Dialect     rule.Change[string]
	Description rule.Change[string]
	IsActive    rule.Change[bool]
	Schedule    rule.Change[domain.RetrySchedule]
	RateLimit   rule.Change[int] // deliveries a second; 0 is none
	IfVersion   int64            // 0 for any
}

// CreateEndpoint makes a receiver of webhooks. The secret in the returned
// endpoint is shown to the client this once.
func (s *Service) CreateEndpoint(ctx context.Context, in domain.Scope, req EndpointChange, once *rule.Once[domain.Endpoint]) (*domain.Endpoint, error) {
	// A name is looked up here, and not while a transaction waits.
	var address string
	rule.Set(&address, req.URL)
	if err := s.receivers.Check(ctx, "url", address); err != nil {
		return nil, err
	}
	secret := newHookSecret()
	return rule.Effect(ctx, &s.Kit, in, once, func(ctx context.Context, st *domain.Stores) (*domain.Endpoint, error) {
		w, err := st.Workspaces.Get(ctx, in.Workspace)
		if err != nil {
			return nil, err
		}
		have, err := st.Endpoints.Count(ctx, in)
		if err != nil {
			return nil, err
		}
		if err := rule.Room(w.Plan, w.Plan.Limits().Endpoints, have, "webhook endpoints"); err != nil {
			return nil, err
		}
		now := s.Clock()
		e := &domain.Endpoint{
			ID: domain.NewID(), WorkspaceID: in.Workspace, Mode: in.Mode, Dialect: DefaultDialect,
			Secret: secret, IsActive: true, Schedule: domain.RetryStandard, Version: 1, CreatedAt: now, UpdatedAt: now,
		}
		if err := s.applyEndpoint(req, e); err != nil {
			return nil, err
		}
		return e, st.Endpoints.Create(ctx, e)
	})
}

// UpdateEndpoint changes the fields of an endpoint that req names.
func (s *Service) UpdateEndpoint(ctx context.Context, in domain.Scope, id domain.ID, req EndpointChange) (*domain.Endpoint, error) {
	if req.URL != nil {
		if err := s.receivers.Check(ctx, "url", *req.URL); err != nil {
			return nil, err
		}
	}
	return s.changeEndpoint(ctx, in, id, nil, func(ctx context.Context, st *domain.Stores, e *domain.Endpoint) error {
		if err := rule.At(req.IfVersion, e.Version); err != nil {
			return err
		}
		if req.IsActive != nil && *req.IsActive {
			if err := enable(ctx, st, e); err != nil {
				return err
			}
		}
		return s.applyEndpoint(req, e)
	})
}

// EnableEndpoint switches an endpoint on again. What it missed meanwhile can be
// sent again.
func (s *Service) EnableEndpoint(ctx context.Context, in domain.Scope, id domain.ID, once *rule.Once[domain.Endpoint]) (*domain.Endpoint, error) {
	return s.changeEndpoint(ctx, in, id, once, func(ctx context.Context, st *domain.Stores, e *domain.Endpoint) error {
		e.IsActive = true
		return enable(ctx, st, e)
	})
}

// enable forgets why an endpoint was switched off, and that it failed.
func enable(ctx context.Context, st *domain.Stores, e *domain.Endpoint) error {
	e.DisabledAt, e.DisabledFor = time.Time{}, ""
	return st.Endpoints.Failing(ctx, e.ID, time.Time{})
}

// DisableEndpoint switches an endpoint off within a transaction and leaves a
// notice that says why.
func (s *Service) DisableEndpoint(ctx context.Context, st *domain.Stores, in domain.Scope, id domain.ID, why string) error {
	e, err := st.Endpoints.Get(ctx, in, id)
	if err != nil || !e.IsActive {
		return err
	}
	now := s.Clock()
	e.IsActive, e.DisabledAt, e.DisabledFor, e.UpdatedAt = false, now, why, now
	if err := st.Endpoints.Update(ctx, e); err != nil {
		return err
	}
	return st.Notices.Create(ctx, &domain.Notice{
		ID: domain.NewID(), WorkspaceID: in.Workspace, Mode: in.Mode, Kind: domain.NoticeEndpointDisabled, SubjectID: id,
		Text: "The webhook endpoint " + hostOf(e.URL) + " was switched off: " + why +
			". Mend it, switch it on again, and send again what it missed.",
		Version: 1, CreatedAt: now, UpdatedAt: now,
	})
}

// hostOf is the host of a URL; the rest may hold secrets.
func hostOf(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return "(unreadable)"
	}
	return u.Host
}

// secretOverlap is how long a secret that was replaced signs beside the new one.
const secretOverlap = 24 * time.Hour

// RotateEndpointSecret gives an endpoint a new secret, which is shown this once.
// The old one signs beside it for 24 hours.
func (s *Service) RotateEndpointSecret(ctx context.Context, in domain.Scope, id domain.ID, once *rule.Once[domain.Endpoint]) (*domain.Endpoint, error) {
	secret := newHookSecret()
	return s.changeEndpoint(ctx, in, id, once, func(_ context.Context, _ *domain.Stores, e *domain.Endpoint) error {
		e.OldSecret, e.OldSecretUntil = e.Secret, s.Clock().Add(secretOverlap)
		e.Secret = secret
		return nil
	})
}

func (s *Service) changeEndpoint(ctx context.Context, in domain.Scope, id domain.ID, once *rule.Once[domain.Endpoint],
	change func(context.Context, *domain.Stores, *domain.Endpoint) error) (*domain.Endpoint, error) {
	return rule.Effect(ctx, &s.Kit, in, once, func(ctx context.Context, st *domain.Stores) (*domain.Endpoint, error) {
		e, err := st.Endpoints.Get(ctx, in, id)
		if err != nil {
			return nil, err
		}
		if err := change(ctx, st, e); err != nil {
			return nil, err
		}
		e.UpdatedAt = s.Clock()
		return e, st.Endpoints.Update(ctx, e)
	})
}

// newHookSecret returns a secret in the form of Standard Webhooks: "whsec_" and
// 32 random bytes in base64. The vendors' signatures are keyed with the whole
// string as it is.
func newHookSecret() string {
	var raw [32]byte
	_, _ = rand.Read(raw[:]) // crypto/rand.Read never fails (Go 1.24)
	return "whsec_" + base64.StdEncoding.EncodeToString(raw[:])
}

// applyEndpoint puts the changes into e and checks the whole.
func (s *Service) applyEndpoint(req EndpointChange, e *domain.Endpoint) error {
	rule.Set(&e.URL, req.URL)
	rule.Set(&e.Events, req.Events)
	rule.Set(&e.Dialect, req.Dialect)
	rule.Set(&e.Description, req.Description)
	rule.Set(&e.IsActive, req.IsActive)
	rule.Set(&e.Schedule, req.Schedule)
	rule.Set(&e.RateLimit, req.RateLimit)
	return rule.First(
		rule.OneOf("schedule", string(e.Schedule), string(domain.RetryStandard), string(domain.RetryExtended)),
		rule.Within("rateLimit", e.RateLimit, 0, 10_000),
		events("events", e.Events),
		rule.OneOf("dialect", e.Dialect, slices.Sorted(maps.Keys(s.hooks))...),
		rule.Text("description", e.Description, rule.MaxText),
	)
}

// events checks the words that an endpoint subscribes to.
func events(field string, list []string) error {
	known := []string{domain.AllEvents}
	for _, t := range domain.EventTypes {
		known = append(known, string(t))
	}
	if len(list) == 0 {
		return domain.Invalid(field, "%s is required: list at least one of %s", field, strings.Join(known, ", "))
	}
	for i, word := range list {
		if !slices.Contains(known, word) {
			return domain.Invalid(field, "%s: entry %d is not an event; known are %s", field, i+1, strings.Join(known, ", "))
		}
		if slices.Contains(list[:i], word) {
			return domain.Invalid(field, "%s: %s is listed twice", field, word)
		}
	}
	return nil
}

// Endpoint returns one endpoint.
func (s *Service) Endpoint(ctx context.Context, in domain.Scope, id domain.ID) (*domain.Endpoint, error) {
	return rule.View(ctx, &s.Kit, func(ctx context.Context, st *domain.Stores) (*domain.Endpoint, error) {
		return st.Endpoints.Get(ctx, in, id)
	})
}

// Endpoints returns a page of endpoints, newest first, and the number of all.
func (s *Service) Endpoints(ctx context.Context, in domain.Scope, page domain.Page) ([]domain.Endpoint, int, error) {
	return rule.Listed(ctx, &s.Kit, in, page, func(st *domain.Stores) domain.Collection[domain.Endpoint] { return st.Endpoints })
}

// DeleteEndpoint deletes an endpoint. What is on its way to it is not sent any
// more.
func (s *Service) DeleteEndpoint(ctx context.Context, in domain.Scope, id domain.ID, ifVersion int64) error {
	return s.Store.InTx(ctx, domain.LaneAPI, func(ctx context.Context, st *domain.Stores) error {
		e, err := st.Endpoints.Get(ctx, in, id)
		if err != nil {
			return err
		}
		if err := rule.At(ifVersion, e.Version); err != nil {
			return err
		}
		return st.Endpoints.Delete(ctx, in, id)
	})
}

// TestEndpoint sends the event webhook.test to one endpoint, whatever it
// subscribed to, and returns the delivery.
func (s *Service) TestEndpoint(ctx context.Context, in domain.Scope, id domain.ID, once *rule.Once[domain.Delivery]) (*domain.Delivery, error) {
	return rule.Effect(ctx, &s.Kit, in, once, func(ctx context.Context, st *domain.Stores) (*domain.Delivery, error) {
		e, err := st.Endpoints.Get(ctx, in, id)
		if err != nil {
			return nil, err
		}
		if !e.IsActive {
			return nil, domain.Errorf(domain.CodeConflict, "the endpoint is not active; set isActive to true first")
		}
		ev := &domain.Event{
			ID: domain.NewID(), WorkspaceID: in.Workspace, Mode: in.Mode, Type: domain.EventWebhookTest, At: s.Clock(),
		}
		body := s.encode(e.Dialect, ev)
		if body == nil {
			return nil, domain.Errorf(domain.CodeConflict, "the dialect %s has no test event", e.Dialect)
		}
		if err := st.Events.Append(ctx, ev); err != nil {
			return nil, err
		}
		d := s.delivery(ev, e, body)
		return d, st.Deliveries.Create(ctx, d)
	})
}

func endpointID(e *domain.Endpoint) domain.ID { return e.ID }
