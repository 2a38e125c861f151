package native

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/callwright/callwright/internal/api/wire"
	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/service/outreach"
)

// Recipient is a contact of a campaign with what came of it.
type Recipient struct {
	ID            domain.ID             `json:"id"`
	Phone         string                `json:"phone"`
	FirstName     *string               `json:"firstName"`
	LastName      *string               `json:"lastName"`
	Email         *string               `json:"email"`
	Company       *string               `json:"company"`
	Timezone      *string               `json:"timezone"`
	Region        *string               `json:"region" doc:"State or province."`
	Variables     map[string]any        `json:"variables"`
	Consent       *Consent              `json:"consent"`
	Status        domain.RecipientState `json:"status" enum:"waiting,active,completed,failed" doc:"active: a call is planned or under way."`
	Result        *domain.Result        `json:"result" doc:"How the last try ended: human, voicemail, busy, no-answer, declined, blocked, invalid, moved, trunk, congestion, interrupted, opt-out, do-not-call, dropped or canceled."`
	Reason        *string               `json:"reason" doc:"Why it waits or failed, when the result alone does not tell: outside_window, do_not_call …"`
	NextAttemptAt wire.Instant          `json:"nextAttemptAt" doc:"Of one that waits: not before."`
	Attempts      []RecipientTry        `json:"attempts" doc:"Tries that are over, oldest first."`
	CallID        *domain.ID            `json:"callId" doc:"The last call."`
	ContactID     *domain.ID            `json:"contactId" doc:"The workspace's contact that it was made from."`
	CreatedAt     wire.Instant          `json:"createdAt"`
	EndedAt       wire.Instant          `json:"endedAt" doc:"When it was finished."`
}

// RecipientTry is a try that is over.
type RecipientTry struct {
	CallID   domain.ID     `json:"callId"`
	At       wire.Instant  `json:"at" doc:"When it was dialed."`
	Result   domain.Result `json:"result"`
	Charged  bool          `json:"charged" doc:"It counts as one of retry.maxAttempts."`
	Duration int64         `json:"duration" doc:"Seconds from answer to end."`
}

// Consent is why somebody may be called for marketing.
type Consent struct {
	Kind   string       `json:"kind"`
	At     wire.Instant `json:"at"`
	Source string       `json:"source"`
	Text   string       `json:"text"`
}

// ContactsFields name whom a campaign is to call.
type ContactsFields struct {
	Contacts   wire.Opt[[]RecipientFields] `json:"contacts,omitzero" doc:"At most 10,000; a number is in a campaign once."`
	ContactIDs wire.Opt[[]domain.ID]       `json:"contactIds,omitzero" doc:"Contacts of the workspace."`
}

// RecipientFields are somebody whom a campaign is to call.
type RecipientFields struct {
	Phone     wire.Opt[string]         `json:"phone,omitzero" doc:"E.164; required."`
	FirstName wire.Opt[string]         `json:"firstName,omitzero"`
	LastName  wire.Opt[string]         `json:"lastName,omitzero"`
	Email     wire.Opt[string]         `json:"email,omitzero"`
	Company   wire.Opt[string]         `json:"company,omitzero"`
	Timezone  wire.Opt[string]         `json:"timezone,omitzero" doc:"IANA name; what the number tells when not sent."`
	Region    wire.Opt[string]         `json:"region,omitzero" doc:"State or province."`
	Variables wire.Opt[map[string]any] `json:"variables,omitzero" doc:"Of its calls."`
	Consent   wire.Opt[ConsentFields]  `json:"consent,omitzero" doc:"Required for marketing."`
}

// ConsentFields are a consent in a request.
type ConsentFields struct {
	Kind   wire.Opt[string] `json:"kind,omitzero" doc:"express, written …; required."`
	At     wire.Opt[string] `json:"at,omitzero" doc:"When it was given, ISO 8601."`
	Source wire.Opt[string] `json:"source,omitzero" doc:"Where, such as a form's address."`
	Text   wire.Opt[string] `json:"text,omitzero" doc:"What was agreed to."`
}

// AddedContacts is what came of adding contacts to a campaign.
type AddedContacts struct {
	Added      int `json:"added"`
	Duplicates int `json:"duplicates" doc:"Whose number the campaign had already."`
	Total      int `json:"total" doc:"Contacts of the campaign, now."`

	Sheet *SheetReport `json:"sheet,omitempty" doc:"What came of a file."`
}

func (f *face) recipientRoutes(rt *wire.Router) {
	const path = Root + "/campaigns/{id}/contacts"
	wire.Handle(rt, wire.Route{Method: http.MethodGet, Path: path, ID: "list-campaign-contacts", Scope: "campaigns:read", Summary: "List the contacts of a campaign with their results"}, f.listRecipients)
	wire.Handle(rt, wire.Route{Method: http.MethodPost, Path: path, ID: "add-campaign-contacts", Scope: "campaigns:write", Summary: "Add contacts to a campaign", Form: &wire.Form{Bare: true, JSON: true}}, f.addRecipients)
	wire.Handle(rt, wire.Route{Method: http.MethodGet, Path: path + "/{contactId}", ID: "get-campaign-contact", Scope: "campaigns:read", Summary: "Get a contact of a campaign with its result"}, f.getRecipient)
}

type recipientQuery struct {
	ByID
	wire.Paging
	Status string `query:"status" doc:"waiting, active, completed or failed."`
	Phone  string `query:"phone" doc:"E.164."`
}

func (f *face) listRecipients(ctx context.Context, in *recipientQuery) (*list[Recipient], error) {
	return f.recipients(ctx, domain.KindCampaign, in)
}

// recipients are a page of the contacts of a campaign or batch.
func (f *face) recipients(ctx context.Context, kind domain.CampaignKind, in *recipientQuery) (*list[Recipient], error) {
	filter := domain.RecipientFilter{Phone: wire.Plus(in.Phone)}
	switch s := domain.RecipientState(in.Status); s {
	case "", domain.RecipientWaiting, domain.RecipientActive, domain.RecipientCompleted, domain.RecipientFailed:
		filter.State = s
	default:
		return nil, domain.Invalid("status", "status must be one of: waiting, active, completed, failed")
	}
	page := in.Page()
	rows, _, total, err := f.rules.Recipients(ctx, wire.ScopeOf(ctx), kind, in.ID, filter, page)
	if err != nil {
		return nil, err
	}
	return listOf(ctx, page, total, rows, recipient), nil
}

func (f *face) addRecipients(ctx context.Context, in *struct {
	ByID
	Body ContactsFields
}) (*object[AddedContacts], error) {
	if u := wire.UploadOf(ctx); u != nil {
		return f.importRecipients(ctx, in.ByID, u)
	}
	contacts, err := newRecipients(in.Body.Contacts.Value)
	if err != nil {
		return nil, err
	}
	req := outreach.AddRequest{Contacts: contacts, ContactIDs: in.Body.ContactIDs.Value}
	a, err := f.rules.AddContacts(ctx, wire.ScopeOf(ctx), in.ID, req, wire.Once(ctx, http.StatusOK, addedBody))
	if err != nil {
		return nil, err
	}
	return &object[AddedContacts]{Body: added(a)}, nil
}

func added(a *outreach.Added) AddedContacts {
	return AddedContacts{Added: a.Added, Duplicates: a.Duplicates, Total: a.Total}
}

func addedBody(a *outreach.Added) any { return added(a) }

func (f *face) getRecipient(ctx context.Context, in *struct {
	ByID
	ContactID domain.ID `path:"contactId" doc:"The contact's id in the campaign."`
}) (*object[Recipient], error) {
	r, err := f.rules.Recipient(ctx, wire.ScopeOf(ctx), domain.KindCampaign, in.ID, in.ContactID)
	if err != nil {
		return nil, err
	}
	return reply(r.Version, recipient(r)), nil
}

// newRecipients translates contacts of a request.
func newRecipients(fields []RecipientFields) ([]outreach.NewRecipient, error) {
	list := make([]outreach.NewRecipient, len(fields))
	for i := range fields {
		b := &fields[i]
		list[i] = outreach.NewRecipient{
			Phone: b.Phone.Value, FirstName: b.FirstName.Value, LastName: b.LastName.Value, Email: b.Email.Value, Company: b.Company.Value,
			Timezone: b.Timezone.Value, Region: b.Region.Value, Variables: b.Variables.Value,
		}
		if !b.Consent.Sent {
			continue
		}
		var err error
		if list[i].Consent, err = b.Consent.Value.consent(fmt.Sprintf("contacts[%d].consent", i), b.Consent.Null); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// consent translates a consent, nil for a null.
func (b *ConsentFields) consent(field string, null bool) (*domain.Consent, error) {
	if null {
		return nil, nil
	}
	c := &domain.Consent{Kind: b.Kind.Value, Source: b.Source.Value, Text: b.Text.Value}
	if b.At.Value == "" {
		return c, nil
	}
	var err error
	c.At, _, err = wire.ParseInstant(field+".at", b.At.Value)
	return c, err
}

func consent(c *domain.Consent) *Consent {
	if c == nil {
		return nil
	}
	return &Consent{Kind: c.Kind, At: wire.Instant(c.At), Source: c.Source, Text: c.Text}
}

func recipient(r *domain.Recipient) Recipient {
	out := Recipient{
		ID: r.ID, Phone: r.Phone, FirstName: orNull(r.FirstName), LastName: orNull(r.LastName), Email: orNull(r.Email), Company: orNull(r.Company),
		Timezone: orNull(r.Timezone), Region: orNull(r.Region), Variables: orEmpty(r.Variables), Status: r.State, Result: orNull(r.Result),
		Reason: orNull(r.Why), Attempts: make([]RecipientTry, len(r.Tries)), CallID: orNull(r.CallID), ContactID: orNull(r.ContactID),
		CreatedAt: wire.Instant(r.CreatedAt), EndedAt: wire.Instant(r.EndedAt),
	}
	out.Consent = consent(r.Consent)
	if r.State == domain.RecipientWaiting {
		out.NextAttemptAt = wire.Instant(r.NextAt.Truncate(time.Second))
	}
	for i, t := range r.Tries {
		out.Attempts[i] = RecipientTry{CallID: t.CallID, At: wire.Instant(t.At), Result: t.Result, Charged: t.Charged, Duration: int64(t.Talk / time.Second)}
	}
	return out
}
