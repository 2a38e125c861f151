package outreach

import (
	"context"
	"fmt"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/phone"
	"github.com/callwright/callwright/internal/service/people"
	"github.com/callwright/callwright/internal/service/rule"
)

// maxRecipients is how many contacts one request may bring.
const maxRecipients = 10_000

// NewRecipient is somebody whom a campaign is to call.
type NewRecipient struct {
	Phone     string // E.164
	FirstName string
	LastName  string
	Email     string
	Company   string
	Timezone  string // IANA, or ""
	Region    string // state or province, or ""
	Variables map[string]any
	Consent   *domain.Consent
}

// AddRequest asks for more contacts.
type AddRequest struct {
	Contacts   []NewRecipient
	ContactIDs []domain.ID
}

// Added is what came of an AddRequest.
type Added struct {
	Added      int
	Duplicates int // whose number the campaign has already
	Total      int // of the campaign, now
}

// AddContacts adds contacts to a campaign that is not over.
func (o *Outreach) AddContacts(ctx context.Context, in domain.Scope, id domain.ID, req AddRequest, once *rule.Once[Added]) (*Added, error) {
	if len(req.Contacts)+len(req.ContactIDs) == 0 {
		return nil, domain.Invalid("contacts", "contacts or contactIds is required: who is to be called").For(domain.ReasonMissing, "")
	}
	return rule.Effect(ctx, &o.Kit, in, once, func(ctx context.Context, st *domain.Stores) (*Added, error) {
		c, err := campaignOf(ctx, st, in, domain.KindCampaign, id)
		if err != nil {
			return nil, err
		}
		if c.State.Ended() {
			return nil, domain.Errorf(domain.CodeConflict, "the campaign is %s and takes no more contacts", c.State)
		}
		rows, err := o.recipientsOf(ctx, st, c, req.Contacts, req.ContactIDs)
		if err != nil {
			return nil, err
		}
		n, err := st.Recipients.Add(ctx, rows)
		if err != nil {
			return nil, err
		}
		if c.State == domain.CampaignActive {
			if err := st.Dialing.Wake(ctx, c.ID, o.due(c, true)); err != nil {
				return nil, err
			}
		}
		counts, err := st.Campaigns.Counts(ctx, c.ID)
		return &Added{Added: n, Duplicates: len(req.Contacts) + len(req.ContactIDs) - n, Total: counts[c.ID].Total()}, err
	})
}

// recipientsOf makes recipients out of what a request names.
func (o *Outreach) recipientsOf(ctx context.Context, st *domain.Stores, c *domain.Campaign, list []NewRecipient, ids []domain.ID) ([]domain.Recipient, error) {
	if n := len(list) + len(ids); n > maxRecipients {
		return nil, domain.Invalid("contacts", "contacts has %d entries; at most %d are allowed at once: send the rest with further requests, or a CSV file", n, maxRecipients)
	}
	rows := make([]domain.Recipient, 0, len(list)+len(ids))
	for i := range list {
		if err := list[i].check(i); err != nil {
			return nil, err
		}
		rows = append(rows, o.recipient(c, list[i]))
	}
	in := domain.Scope{Workspace: c.WorkspaceID, Mode: c.Mode}
	for _, id := range ids {
		contact, err := st.Contacts.Get(ctx, in, id)
		if err != nil {
			return nil, err
		}
		if contact.Phone == "" {
			return nil, domain.Invalid("contactIds", "the contact %s has no phone number", id)
		}
		r := o.recipient(c, NewRecipient{
			Phone: contact.Phone, FirstName: contact.FirstName, LastName: contact.LastName, Email: contact.Email,
			Company: contact.Company, Timezone: contact.Timezone, Region: contact.Address.State,
		})
		r.ContactID = id
		rows = append(rows, r)
	}
	return rows, nil
}

// recipient is a contact of a campaign, not stored yet.
func (o *Outreach) recipient(c *domain.Campaign, n NewRecipient) domain.Recipient {
	now := o.Clock()
	return domain.Recipient{
		ID: domain.NewID(), WorkspaceID: c.WorkspaceID, Mode: c.Mode, CampaignID: c.ID,
		Phone: n.Phone, FirstName: n.FirstName, LastName: n.LastName, Email: n.Email, Company: n.Company,
		Timezone: n.Timezone, Region: n.Region, Variables: n.Variables, Consent: n.Consent,
		State: domain.RecipientWaiting, NextAt: now, Version: 1, CreatedAt: now, UpdatedAt: now,
	}
}

// soonest has a contact that waits show when it is called at the soonest: not
// before its campaign begins, which may be put off or brought forward.
func soonest(c *domain.Campaign, r *domain.Recipient) {
	if r.State == domain.RecipientWaiting && c.StartAt.After(r.NextAt) {
		r.NextAt = c.StartAt
	}
}

// check says what is wrong with the i-th contact of a request.
func (n *NewRecipient) check(i int) error {
	if err := phone.Exact(n.Phone); err != nil {
		return domain.Invalid("contacts", "contacts[%d].phone %s", i, err).For(domain.ReasonInvalidNumber, "")
	}
	if n.Timezone != "" {
		if _, err := phone.Zone(n.Timezone); err != nil {
			return domain.Invalid("contacts", "contacts[%d].timezone must be a time zone of the IANA database, such as America/New_York", i)
		}
	}
	for _, text := range []string{n.FirstName, n.LastName, n.Email, n.Company, n.Region} {
		if err := rule.Text("contacts", text, rule.MaxName); err != nil {
			return domain.Invalid("contacts", "contacts[%d] has a text of more than %d characters", i, rule.MaxName)
		}
	}
	return rule.First(people.CheckConsent(fmt.Sprintf("contacts[%d].consent", i), n.Consent), rule.Variables("contacts", n.Variables))
}

// Recipient returns one contact of a campaign.
func (o *Outreach) Recipient(ctx context.Context, in domain.Scope, kind domain.CampaignKind, campaign, id domain.ID) (*domain.Recipient, error) {
	return rule.View(ctx, &o.Kit, func(ctx context.Context, st *domain.Stores) (*domain.Recipient, error) {
		c, err := campaignOf(ctx, st, in, kind, campaign)
		if err != nil {
			return nil, err
		}
		r, err := st.Recipients.Get(ctx, in, campaign, id)
		if err == nil {
			soonest(c, r)
		}
		return r, err
	})
}

// Recipients returns a page of a campaign's contacts in the order in which they
// were added, the campaign, and the number of all that the filter lets through.
func (o *Outreach) Recipients(ctx context.Context, in domain.Scope, kind domain.CampaignKind, campaign domain.ID,
	f domain.RecipientFilter, page domain.Page) ([]domain.Recipient, *CampaignDetail, int, error) {
	var total int
	var detail *CampaignDetail
	rows, err := rule.View(ctx, &o.Kit, func(ctx context.Context, st *domain.Stores) ([]domain.Recipient, error) {
		c, err := campaignOf(ctx, st, in, kind, campaign)
		if err != nil {
			return nil, err
		}
		if detail, err = o.detailed(ctx, st, c); err != nil {
			return nil, err
		}
		rows, n, err := st.Recipients.List(ctx, in, campaign, f, page)
		for i := range rows {
			soonest(c, &rows[i])
		}
		total = n
		return rows, err
	})
	return rows, detail, total, err
}
