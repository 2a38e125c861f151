package klen

import (
	"context"
	"net/http"
	"strings"

	"github.com/callwright/callwright/internal/api/wire"
	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/service/people"
)

// ContactItem is a contact in a list.
type ContactItem struct {
	ID           domain.ID    `json:"id"`
	FirstName    string       `json:"first_name"`
	LastName     string       `json:"last_name"`
	FullName     string       `json:"full_name"`
	Email        string       `json:"email"`
	Company      string       `json:"company"`
	Stage        string       `json:"stage"`
	Status       string       `json:"status"`
	Phone        string       `json:"phone" doc:"The primary number, E.164."`
	CreatedDate  wire.Instant `json:"created_date"`
	LastCallDate wire.Instant `json:"last_call_date"`
	Tags         []string     `json:"tags"`
}

// Contact is a contact by itself.
type Contact struct {
	ContactItem
	Website         string         `json:"website"`
	StageDisplay    string         `json:"stage_display"`
	StatusDisplay   string         `json:"status_display"`
	Address         ContactAddress `json:"address"`
	Timezone        string         `json:"timezone"`
	PhoneNumbers    []ContactPhone `json:"phone_numbers"`
	RecentNotes     []ContactNote  `json:"recent_notes"`
	CustomContext   map[string]any `json:"custom_context"`
	IndustryContext map[string]any `json:"industry_context"`
}

// ContactAddress is where a contact lives.
type ContactAddress struct {
	Street  string `json:"street"`
	City    string `json:"city"`
	State   string `json:"state"`
	ZipCode string `json:"zip_code"`
	Country string `json:"country"`
}

// ContactPhone is one of a contact's numbers.
type ContactPhone struct {
	ID          domain.ID    `json:"id"`
	PhoneNumber string       `json:"phone_number"`
	PhoneType   string       `json:"phone_type"`
	Primary     bool         `json:"primary"`
	DoNotCall   bool         `json:"do_not_call"`
	DNCDate     wire.Instant `json:"dnc_date"`
	DNCReason   *string      `json:"dnc_reason"`
}

// ContactNote is something that was noted of a contact.
type ContactNote struct {
	ID         domain.ID    `json:"id"`
	Content    string       `json:"content"`
	CreatedAt  wire.Instant `json:"created_at"`
	NoteType   string       `json:"note_type"`
	CallResult *string      `json:"call_result"`
}

// SavedContact is a contact that was created or changed.
type SavedContact struct {
	Contact
	Message string `json:"message"`
}

// ContactPage is a page of contacts.
type ContactPage struct {
	Pages
	Contacts   []ContactItem `json:"contacts"`
	NextCursor *domain.ID    `json:"next_cursor" doc:"Send it as after_id for what follows; null at the end."`
}

// ContactFields are the fields of a new contact, or of a change to one.
type ContactFields struct {
	FirstName       wire.Opt[string]               `json:"first_name,omitzero" doc:"Required of a new contact."`
	LastName        wire.Opt[string]               `json:"last_name,omitzero"`
	Email           wire.Opt[string]               `json:"email,omitzero"`
	Company         wire.Opt[string]               `json:"company,omitzero"`
	Website         wire.Opt[string]               `json:"website,omitzero"`
	Address         wire.Opt[string]               `json:"address,omitzero" doc:"The street."`
	City            wire.Opt[string]               `json:"city,omitzero"`
	State           wire.Opt[string]               `json:"state,omitzero"`
	ZipCode         wire.Opt[string]               `json:"zip_code,omitzero"`
	Country         wire.Opt[string]               `json:"country,omitzero" doc:"US when not sent."`
	Timezone        wire.Opt[string]               `json:"timezone,omitzero" doc:"IANA name."`
	Status          wire.Opt[string]               `json:"status,omitzero" doc:"not_contacted when not sent."`
	Stage           wire.Opt[string]               `json:"stage,omitzero" doc:"lead when not sent."`
	Tags            wire.Opt[[]string]             `json:"tags,omitzero" doc:"Replaces those that are there."`
	PhoneNumbers    wire.Opt[[]ContactPhoneFields] `json:"phone_numbers,omitzero" doc:"Replaces those that are there."`
	CustomContext   wire.Opt[map[string]any]       `json:"custom_context,omitzero"`
	IndustryContext wire.Opt[map[string]any]       `json:"industry_context,omitzero"`
}

// ContactPhoneFields are one number of a contact in a request; what else is sent
// with it is passed over.
type ContactPhoneFields = wire.Loose[ContactPhoneKnown]

// ContactPhoneKnown are the known members of a number.
type ContactPhoneKnown struct {
	ID          wire.Opt[domain.ID] `json:"id,omitzero" doc:"Of a number that the contact has: what is not sent stays."`
	PhoneNumber wire.Opt[string]    `json:"phone_number,omitzero" doc:"E.164."`
	PhoneType   wire.Opt[string]    `json:"phone_type,omitzero"`
	Primary     wire.Opt[bool]      `json:"primary,omitzero"`
	DoNotCall   wire.Opt[bool]      `json:"do_not_call,omitzero" doc:"true puts the number onto the do-not-call list."`
}

// ContactByID is the input of a route for one contact.
type ContactByID struct {
	ID domain.ID `path:"id" doc:"The contact's id."`
}

// beyondDocuments ends the summaries of routes that the dialect's document does
// not have.
const beyondDocuments = " (beyond the documents)"

// defaultCountry is where a contact lives when nothing else is said.
const defaultCountry = "US"

func (f *face) contactRoutes(rt *wire.Router) {
	const path, one = Root + "/contacts", Root + "/contacts/{id}"
	route := func(method, path, id, scope, summary string, aliases ...string) wire.Route {
		return wire.Route{
			Method: method, Path: path, ID: id, Scope: "contacts:" + scope, Summary: summary + beyondDocuments,
			Aliases: aliases, Shape: contactShape,
		}
	}
	wire.Handle(rt, route(http.MethodGet, path, "list-contacts", "read", "List contacts"), f.listContacts)
	wire.Handle(rt, route(http.MethodGet, one, "get-contact", "read", "Get a contact"), f.getContact)
	create := route(http.MethodPost, path+"/create", "create-contact", "write", "Create a contact", path)
	create.Status = http.StatusCreated
	wire.Handle(rt, create, f.createContact)
	wire.Handle(rt, route(http.MethodPatch, one+"/update", "update-contact", "write", "Update a contact", one), f.patchContact)
	wire.Handle(rt, route(http.MethodPut, one+"/update", "replace-contact", "write", "Replace a contact", one), f.putContact)
	wire.Handle(rt, route(http.MethodDelete, one+"/delete", "delete-contact", "write", "Delete a contact", one), f.removeContact)
	f.contextRoutes(rt, route)
}

// contactQuery narrows a list of contacts.
type contactQuery struct {
	Paging
	Stage  string `query:"stage"`
	Status string `query:"status"`
	Tag    string `query:"tag"`
	Search string `query:"search" doc:"Part of a name, e-mail address, company or number, in any case."`
}

// contactLimit is the limit of a list of contacts that names none.
const contactLimit = 25

// contactList is a page of contacts with its headers.
type contactList struct {
	PageHead
	Body ContactPage
}

func (f *face) listContacts(ctx context.Context, in *contactQuery) (*contactList, error) {
	window, err := in.window(contactLimit)
	if err != nil {
		return nil, err
	}
	filter := domain.ContactFilter{Stage: in.Stage, Status: in.Status, Tag: in.Tag, Search: in.Search}
	rows, total, err := f.rules.Contacts(ctx, wire.ScopeOf(ctx), filter, window)
	if err != nil {
		return nil, err
	}
	rows, next := cut(rows, window, func(c *people.ContactDetail) domain.ID { return c.ID })
	body := ContactPage{Pages: in.head(window.Limit-1, total), Contacts: make([]ContactItem, len(rows)), NextCursor: next}
	for i := range rows {
		body.Contacts[i] = contactItem(&rows[i])
	}
	return &contactList{in.headers(ctx, body.Pages, next), body}, nil
}

// contactAnswer is a contact with its version.
type contactAnswer[T any] struct {
	wire.ETag
	Body T
}

func contactETag(c *people.ContactDetail) wire.ETag {
	shown := []string{c.LastCallAt.String()}
	for _, p := range c.Phones {
		if s, listed := c.Suppressed[p.Number]; listed {
			shown = append(shown, string(s.ID))
		}
	}
	return wire.ETagOf(c.Version, shown...)
}

func (f *face) getContact(ctx context.Context, in *ContactByID) (*contactAnswer[Contact], error) {
	c, err := f.rules.Contact(ctx, wire.ScopeOf(ctx), in.ID)
	if err != nil {
		return nil, err
	}
	return &contactAnswer[Contact]{contactETag(c), contact(c)}, nil
}

func (f *face) createContact(ctx context.Context, in *struct{ Body wire.Loose[ContactFields] }) (*contactAnswer[SavedContact], error) {
	b := &in.Body.Value
	if strings.TrimSpace(b.FirstName.Value) == "" {
		return nil, lacking("first_name")
	}
	saved := func(c *people.ContactDetail) any { return SavedContact{contact(c), "Contact created successfully"} }
	c, err := f.rules.CreateContact(ctx, wire.ScopeOf(ctx), b.fresh(), wire.Once(ctx, http.StatusCreated, saved))
	if err != nil {
		return nil, err
	}
	return &contactAnswer[SavedContact]{contactETag(c), SavedContact{contact(c), "Contact created successfully"}}, nil
}

// contactUpdate is the input of a change.
type contactUpdate struct {
	ContactByID
	wire.IfMatch
	Body wire.Loose[ContactFields]
}

// patchContact changes what the request names.
func (f *face) patchContact(ctx context.Context, in *contactUpdate) (*contactAnswer[SavedContact], error) {
	return f.changeContact(ctx, in, false)
}

// putContact replaces the contact: what the request leaves out is as in a new
// one.
func (f *face) putContact(ctx context.Context, in *contactUpdate) (*contactAnswer[SavedContact], error) {
	return f.changeContact(ctx, in, true)
}

func (f *face) changeContact(ctx context.Context, in *contactUpdate, whole bool) (*contactAnswer[SavedContact], error) {
	b := &in.Body.Value
	if (whole || b.FirstName.Sent) && strings.TrimSpace(b.FirstName.Value) == "" {
		return nil, lacking("first_name")
	}
	version, err := in.Version()
	if err != nil {
		return nil, err
	}
	req := b.change()
	if whole {
		req = b.whole()
	}
	req.IfVersion = version
	c, err := f.rules.UpdateContact(ctx, wire.ScopeOf(ctx), in.ID, req)
	if err != nil {
		return nil, err
	}
	return &contactAnswer[SavedContact]{contactETag(c), SavedContact{contact(c), "Contact updated successfully"}}, nil
}

// ContactMessage is the answer to a deletion.
type ContactMessage struct {
	ID      domain.ID `json:"id"`
	Message string    `json:"message"`
}

func (f *face) removeContact(ctx context.Context, in *struct {
	ContactByID
	wire.IfMatch
}) (*contactAnswer[ContactMessage], error) {
	version, err := in.Version()
	if err != nil {
		return nil, err
	}
	if err := f.rules.DeleteContact(ctx, wire.ScopeOf(ctx), in.ID, version); err != nil {
		return nil, err
	}
	return &contactAnswer[ContactMessage]{Body: ContactMessage{ID: in.ID, Message: "Contact deleted successfully"}}, nil
}
