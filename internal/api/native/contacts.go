package native

import (
	"context"
	"net/http"

	"github.com/callwright/callwright/internal/api/wire"
	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/service/people"
)

// Contact is a person whom the workspace calls, or who calls it.
type Contact struct {
	ID         domain.ID      `json:"id"`
	Phone      *string        `json:"phone" doc:"The primary number, E.164."`
	FirstName  *string        `json:"firstName"`
	LastName   *string        `json:"lastName"`
	Email      *string        `json:"email"`
	Company    *string        `json:"company"`
	Website    *string        `json:"website"`
	Timezone   *string        `json:"timezone" doc:"IANA name."`
	Stage      string         `json:"stage"`
	Status     string         `json:"status"`
	Address    Address        `json:"address"`
	Tags       []string       `json:"tags"`
	Notes      *string        `json:"notes"`
	Phones     []ContactPhone `json:"phones" doc:"All numbers."`
	Variables  map[string]any `json:"variables" doc:"What calls with the contact know of it, beside first_name, last_name, full_name, email and company."`
	Industry   map[string]any `json:"industry" doc:"Further variables, of its line of business."`
	Consent    *Consent       `json:"consent" doc:"Why the contact may be called for marketing; null for no consent."`
	DoNotCall  bool           `json:"doNotCall" doc:"Whether the primary number is on the do-not-call list."`
	LastCallAt wire.Instant   `json:"lastCallAt" doc:"When one of its numbers was last called."`
	CreatedAt  wire.Instant   `json:"createdAt"`
	UpdatedAt  wire.Instant   `json:"updatedAt"`
}

// ContactPhone is one of a contact's numbers.
type ContactPhone struct {
	ID        domain.ID `json:"id"`
	Number    string    `json:"number" doc:"E.164."`
	Type      *string   `json:"type" doc:"mobile, work, home …"`
	Primary   bool      `json:"primary"`
	DoNotCall bool      `json:"doNotCall"`
}

// Address is where a contact lives.
type Address struct {
	Street  string `json:"street,omitempty"`
	City    string `json:"city,omitempty"`
	State   string `json:"state,omitempty"`
	ZipCode string `json:"zipCode,omitempty"`
	Country string `json:"country,omitempty"`
}

// ContactFields are the fields of a new contact, or of a change to one.
type ContactFields struct {
	Phone     wire.Opt[string]               `json:"phone,omitzero" doc:"E.164. A new contact needs this or phones."`
	Phones    wire.Opt[[]ContactPhoneFields] `json:"phones,omitzero" doc:"All numbers; replaces those that are there."`
	FirstName wire.Opt[string]               `json:"firstName,omitzero"`
	LastName  wire.Opt[string]               `json:"lastName,omitzero"`
	Email     wire.Opt[string]               `json:"email,omitzero"`
	Company   wire.Opt[string]               `json:"company,omitzero"`
	Website   wire.Opt[string]               `json:"website,omitzero"`
	Timezone  wire.Opt[string]               `json:"timezone,omitzero" doc:"IANA name."`
	Stage     wire.Opt[string]               `json:"stage,omitzero" doc:"lead when not sent."`
	Status    wire.Opt[string]               `json:"status,omitzero" doc:"not_contacted when not sent."`
	Address   wire.Opt[Address]              `json:"address,omitzero"`
	Tags      wire.Opt[[]string]             `json:"tags,omitzero" doc:"Replaces those that are there."`
	Notes     wire.Opt[string]               `json:"notes,omitzero"`
	Variables wire.Opt[map[string]any]       `json:"variables,omitzero"`
	Industry  wire.Opt[map[string]any]       `json:"industry,omitzero"`
	Consent   wire.Opt[ConsentFields]        `json:"consent,omitzero" doc:"Campaigns for marketing call only who has given one; null takes it away."`
	DoNotCall wire.Opt[bool]                 `json:"doNotCall,omitzero" doc:"true puts all its numbers onto the do-not-call list; false takes those off that were put there this way."`
}

// ContactPhoneFields are one number of a contact in a request.
type ContactPhoneFields struct {
	ID        wire.Opt[domain.ID] `json:"id,omitzero" doc:"Of a number that the contact has: what is not sent stays."`
	Number    wire.Opt[string]    `json:"number,omitzero" doc:"E.164."`
	Type      wire.Opt[string]    `json:"type,omitzero"`
	Primary   wire.Opt[bool]      `json:"primary,omitzero" doc:"The first number is when none says so."`
	DoNotCall wire.Opt[bool]      `json:"doNotCall,omitzero"`
}

func (f *face) contactRoutes(rt *wire.Router) {
	const path, one = Root + "/contacts", Root + "/contacts/{id}"
	wire.Handle(rt, wire.Route{Method: http.MethodGet, Path: path, ID: "list-contacts", Scope: "contacts:read", Summary: "List contacts"}, f.listContacts)
	wire.Handle(rt, wire.Route{Method: http.MethodPost, Path: path, ID: "create-contact", Scope: "contacts:write", Status: http.StatusCreated, Summary: "Create a contact"}, f.createContact)
	wire.Handle(rt, wire.Route{Method: http.MethodGet, Path: one, ID: "get-contact", Scope: "contacts:read", Summary: "Get a contact"}, f.getContact)
	wire.Handle(rt, wire.Route{Method: http.MethodDelete, Path: one, ID: "delete-contact", Scope: "contacts:write", Summary: "Delete a contact"}, f.deleteContact)
	update(rt, wire.Route{Path: one, ID: "contact", Scope: "contacts:write", Summary: "Update a contact"}, f.updateContact)
}

// ContactQuery narrows a list of contacts.
type ContactQuery struct {
	wire.Paging
	Search string `query:"search" doc:"Part of a name, e-mail address, company or number, in any case."`
	Tag    string `query:"tag"`
	Stage  string `query:"stage"`
	Status string `query:"status"`
}

func (f *face) listContacts(ctx context.Context, in *ContactQuery) (*list[Contact], error) {
	page := in.Page()
	filter := domain.ContactFilter{Search: in.Search, Tag: in.Tag, Stage: in.Stage, Status: in.Status}
	rows, total, err := f.rules.Contacts(ctx, wire.ScopeOf(ctx), filter, page)
	if err != nil {
		return nil, err
	}
	return listOf(ctx, page, total, rows, contact), nil
}

func (f *face) createContact(ctx context.Context, in *struct{ Body ContactFields }) (*object[Contact], error) {
	b := &in.Body
	if b.Phone.Value == "" && len(b.Phones.Value) == 0 {
		return nil, domain.Invalid("phone", "phone is required").For(domain.ReasonMissing, "")
	}
	req, err := b.change()
	if err != nil {
		return nil, err
	}
	c, err := f.rules.CreateContact(ctx, wire.ScopeOf(ctx), req, wire.Once(ctx, http.StatusCreated, contactBody))
	if err != nil {
		return nil, err
	}
	return contactReply(c), nil
}

func (f *face) getContact(ctx context.Context, in *ByID) (*object[Contact], error) {
	c, err := f.rules.Contact(ctx, wire.ScopeOf(ctx), in.ID)
	if err != nil {
		return nil, err
	}
	return contactReply(c), nil
}

func (f *face) updateContact(ctx context.Context, in *struct {
	ByID
	wire.IfMatch
	Body ContactFields
}) (*object[Contact], error) {
	req, err := in.Body.change()
	if err != nil {
		return nil, err
	}
	if req.IfVersion, err = in.Version(); err != nil {
		return nil, err
	}
	for name, null := range map[string]bool{"stage": in.Body.Stage.Null, "status": in.Body.Status.Null} {
		if err := notNull(name, null); err != nil {
			return nil, err
		}
	}
	c, err := f.rules.UpdateContact(ctx, wire.ScopeOf(ctx), in.ID, req)
	if err != nil {
		return nil, err
	}
	return contactReply(c), nil
}

func (f *face) deleteContact(ctx context.Context, in *struct {
	Removal
	Erase bool `query:"erase" doc:"Also delete all calls to and from its numbers, with their transcripts, recordings, events and webhook payloads. Its entries in the do-not-call list stay."`
}) (*object[Deleted], error) {
	if in.Erase {
		return remove(ctx, &in.Removal, f.rules.EraseContact)
	}
	return remove(ctx, &in.Removal, f.rules.DeleteContact)
}

// contactReply is a contact with its version.
func contactReply(c *people.ContactDetail) *object[Contact] {
	shown := []string{c.LastCallAt.String()}
	for _, p := range c.Phones {
		if s, listed := c.Suppressed[p.Number]; listed {
			shown = append(shown, string(s.ID))
		}
	}
	return &object[Contact]{ETag: wire.ETagOf(c.Version, shown...), Body: contact(c)}
}

// change translates the fields.
func (b *ContactFields) change() (people.ContactChange, error) {
	req := people.ContactChange{
		Phone: b.Phone.Change(), FirstName: b.FirstName.Change(), LastName: b.LastName.Change(), Email: b.Email.Change(),
		Company: b.Company.Change(), Website: b.Website.Change(), Timezone: b.Timezone.Change(), Stage: b.Stage.Given(),
		Status: b.Status.Given(), Tags: b.Tags.Change(), Notes: b.Notes.Change(), Custom: b.Variables.Change(),
		Industry: b.Industry.Change(), DoNotCall: b.DoNotCall.Given(),
	}
	if a := b.Address.Change(); a != nil {
		req.Address = people.WholeAddress(domain.Address(*a))
	}
	if b.Phones.Sent {
		phones := make([]people.PhoneChange, len(b.Phones.Value))
		for i, p := range b.Phones.Value {
			phones[i] = people.PhoneChange{
				ID: p.ID.Value, Number: p.Number.Value, Type: p.Type.Change(), Primary: p.Primary.Value, DoNotCall: p.DoNotCall.Given(),
			}
		}
		req.Phones = &phones
	}
	if b.Consent.Sent {
		given, err := b.Consent.Value.consent("consent", b.Consent.Null)
		if err != nil {
			return req, err
		}
		req.Consent = &given
	}
	return req, nil
}

func contact(c *people.ContactDetail) Contact {
	out := Contact{
		ID: c.ID, Phone: orNull(c.Phone), FirstName: orNull(c.FirstName), LastName: orNull(c.LastName), Email: orNull(c.Email),
		Company: orNull(c.Company), Website: orNull(c.Website), Timezone: orNull(c.Timezone), Stage: c.Stage, Status: c.Status,
		Address: Address(c.Address), Tags: c.Tags, Notes: orNull(c.Notes), Variables: orEmpty(c.Custom), Industry: orEmpty(c.Industry),
		Phones: make([]ContactPhone, len(c.Phones)), LastCallAt: wire.Instant(c.LastCallAt),
		CreatedAt: wire.Instant(c.CreatedAt), UpdatedAt: wire.Instant(c.UpdatedAt),
	}
	out.Consent = consent(c.Consent)
	if out.Tags == nil {
		out.Tags = []string{}
	}
	for i, p := range c.Phones {
		_, listed := c.Suppressed[p.Number]
		out.Phones[i] = ContactPhone{ID: p.ID, Number: p.Number, Type: orNull(p.Type), Primary: p.Primary, DoNotCall: listed}
		out.DoNotCall = out.DoNotCall || listed && p.Primary
	}
	return out
}

func contactBody(c *people.ContactDetail) any { return contact(c) }
