package people

import (
	"context"
	"net/mail"
	"slices"
	"strings"
	"time"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/phone"
	"github.com/callwright/callwright/internal/service/rule"
)

// The values that a new contact has when the request does not say.
const (
	DefaultStage  = "lead"
	DefaultStatus = "not_contacted"
)

// Bounds of a contact.
const (
	maxContactPhones = 20
	maxContactTags   = 50
	maxEmail         = 254 // RFC 5321 section 4.5.3.1.3, less the brackets
)

// ContactDetail is a contact with what else is known of it.
type ContactDetail struct {
	domain.Contact
	Suppressed map[string]domain.Suppression // those of its numbers that must not be called
	LastCallAt time.Time                     // when one of its numbers was last called
}

// PhoneChange is one number of a contact as a request has it.
type PhoneChange struct {
	ID        domain.ID // of a number that the contact has, or ""
	Number    string    // "" keeps that of ID
	Type      rule.Change[string]
	Primary   bool
	DoNotCall rule.Change[bool] // true suppresses the number; false takes back a contact's own mark
}

// AddressChange is what is to change in where a contact lives. Nil fields keep
// what is there.
type AddressChange struct{ Street, City, State, ZipCode, Country rule.Change[string] }

// WholeAddress replaces an address.
func WholeAddress(a domain.Address) AddressChange {
	return AddressChange{Street: &a.Street, City: &a.City, State: &a.State, ZipCode: &a.ZipCode, Country: &a.Country}
}

func (req AddressChange) apply(a *domain.Address) {
	rule.Set(&a.Street, req.Street)
	rule.Set(&a.City, req.City)
	rule.Set(&a.State, req.State)
	rule.Set(&a.ZipCode, req.ZipCode)
	rule.Set(&a.Country, req.Country)
}

// ContactChange is a new contact, or what is to change in one. Nil fields keep
// what is there (in a new contact: the defaults).
type ContactChange struct {
	Phone     rule.Change[string]        // the primary number; "" takes it away
	Phones    rule.Change[[]PhoneChange] // all numbers; the primary one is the first unless one says so
	FirstName rule.Change[string]
	LastName  rule.Change[string]
	Email     rule.Change[string]
	Company   rule.Change[string]
	Website   rule.Change[string]
	Timezone  rule.Change[string]
	Stage     rule.Change[string]
	Status    rule.Change[string]
	Address   AddressChange
	Tags      rule.Change[[]string]
	Notes     rule.Change[string]
	Custom    rule.Change[map[string]any]
	Industry  rule.Change[map[string]any]
	Consent   rule.Change[*domain.Consent] // nil takes it away
	DoNotCall rule.Change[bool]            // of all numbers
	IfVersion int64                        // 0 for any
}

// CreateContact makes a contact.
func (p *People) CreateContact(ctx context.Context, in domain.Scope, req ContactChange, once *rule.Once[ContactDetail]) (*ContactDetail, error) {
	return p.contactEffect(ctx, in, once, func(ctx context.Context, st *domain.Stores) (*ContactDetail, []string, error) {
		now := p.Clock()
		c := &domain.Contact{
			ID: domain.NewID(), WorkspaceID: in.Workspace, Mode: in.Mode, Stage: DefaultStage, Status: DefaultStatus,
			Version: 1, CreatedAt: now, UpdatedAt: now,
		}
		if err := req.apply(c); err != nil {
			return nil, nil, err
		}
		if err := st.Contacts.Create(ctx, c); err != nil {
			return nil, nil, err
		}
		return p.marked(ctx, st, in, c, req)
	})
}

// UpdateContact changes the fields of a contact that req names.
func (p *People) UpdateContact(ctx context.Context, in domain.Scope, id domain.ID, req ContactChange) (*ContactDetail, error) {
	return p.contactEffect(ctx, in, nil, func(ctx context.Context, st *domain.Stores) (*ContactDetail, []string, error) {
		c, err := st.Contacts.Get(ctx, in, id)
		if err != nil {
			return nil, nil, err
		}
		if err := rule.At(req.IfVersion, c.Version); err != nil {
			return nil, nil, err
		}
		if err := req.apply(c); err != nil {
			return nil, nil, err
		}
		c.UpdatedAt = p.Clock()
		if err := st.Contacts.Update(ctx, c); err != nil {
			return nil, nil, err
		}
		return p.marked(ctx, st, in, c, req)
	})
}

// contactEffect is effect for changes of a contact, which may put numbers onto
// the do-not-call list.
func (p *People) contactEffect(ctx context.Context, in domain.Scope, once *rule.Once[ContactDetail],
	do func(context.Context, *domain.Stores) (*ContactDetail, []string, error)) (*ContactDetail, error) {
	var listed []string
	detail, err := rule.Effect(ctx, &p.Kit, in, once, func(ctx context.Context, st *domain.Stores) (*ContactDetail, error) {
		var err error
		var d *ContactDetail
		d, listed, err = do(ctx, st)
		return d, err
	})
	if err != nil || len(listed) == 0 {
		return detail, err
	}
	return detail, p.stopRinging(ctx)
}

// marked brings the do-not-call list in line with what req says of the numbers
// of c, and returns c with what else is known of it.
func (p *People) marked(ctx context.Context, st *domain.Stores, in domain.Scope, c *domain.Contact, req ContactChange) (*ContactDetail, []string, error) {
	on, off := req.marks(c)
	if len(on) > 0 {
		if _, err := st.Suppressed.Add(ctx, in, p.SuppressionsOf(in, on, "", domain.SuppressedByContact, "")...); err != nil {
			return nil, nil, err
		}
	}
	if len(off) > 0 {
		// What a person has asked for is not taken back by an edit of a contact.
		known, err := st.Suppressed.Among(ctx, in, off)
		if err != nil {
			return nil, nil, err
		}
		var own []string
		for _, k := range known {
			if k.Source == domain.SuppressedByContact {
				own = append(own, k.Number)
			}
		}
		if _, err := st.Suppressed.Remove(ctx, in, own...); err != nil {
			return nil, nil, err
		}
	}
	details, err := p.detailed(ctx, st, in, []domain.Contact{*c})
	if err != nil {
		return nil, nil, err
	}
	return &details[0], on, nil
}

// marks are the numbers of c that req says may not, and may, be called.
func (req ContactChange) marks(c *domain.Contact) (on, off []string) {
	note := func(number string, mark rule.Change[bool]) {
		switch {
		case mark == nil:
		case *mark:
			on = append(on, number)
		default:
			off = append(off, number)
		}
	}
	for i, p := range c.Phones {
		mark := req.DoNotCall
		if req.Phones != nil && i < len(*req.Phones) && (*req.Phones)[i].DoNotCall != nil {
			mark = (*req.Phones)[i].DoNotCall
		}
		note(p.Number, mark)
	}
	return on, slices.DeleteFunc(off, func(n string) bool { return slices.Contains(on, n) })
}

// apply puts the changes into c and checks the whole.
func (req ContactChange) apply(c *domain.Contact) error {
	rule.Set(&c.FirstName, req.FirstName)
	rule.Set(&c.LastName, req.LastName)
	rule.Set(&c.Email, req.Email)
	rule.Set(&c.Company, req.Company)
	rule.Set(&c.Website, req.Website)
	rule.Set(&c.Timezone, req.Timezone)
	rule.Set(&c.Stage, req.Stage)
	rule.Set(&c.Status, req.Status)
	req.Address.apply(&c.Address)
	rule.Set(&c.Notes, req.Notes)
	rule.Set(&c.Custom, req.Custom)
	rule.Set(&c.Industry, req.Industry)
	rule.Set(&c.Consent, req.Consent)
	if req.Tags != nil {
		c.Tags = distinctTexts(*req.Tags)
	}
	if err := req.applyPhones(c); err != nil {
		return err
	}
	err := rule.First(
		rule.Text("firstName", c.FirstName, rule.MaxName), rule.Text("lastName", c.LastName, rule.MaxName), rule.Text("company", c.Company, rule.MaxName),
		rule.Text("website", c.Website, rule.MaxText), rule.Name("stage", c.Stage), rule.Name("status", c.Status), rule.Text("notes", c.Notes, rule.MaxText),
		rule.Variables("variables", c.Custom), rule.Variables("industry", c.Industry), CheckConsent("consent", c.Consent), contactEmail("email", c.Email),
		shortTexts("tags", c.Tags, maxContactTags), zoneName("timezone", c.Timezone),
	)
	if err != nil {
		return err
	}
	for _, line := range []string{c.Address.Street, c.Address.City, c.Address.State, c.Address.ZipCode, c.Address.Country} {
		if err := rule.Text("address", line, rule.MaxName); err != nil {
			return err
		}
	}
	return nil
}

// applyPhones puts the numbers into c: exactly one is the primary one.
func (req ContactChange) applyPhones(c *domain.Contact) error {
	if req.Phones != nil {
		phones, err := mergedPhones(c.Phones, *req.Phones)
		if err != nil {
			return err
		}
		c.Phones, c.Phone = phones, ""
		if i := slices.IndexFunc(phones, func(p domain.ContactPhone) bool { return p.Primary }); i >= 0 {
			c.Phone = phones[i].Number
		}
	}
	if req.Phone == nil {
		return nil
	}
	c.Phone = *req.Phone
	if c.Phone == "" {
		c.Phones = slices.DeleteFunc(slices.Clone(c.Phones), func(p domain.ContactPhone) bool { return p.Primary })
		if len(c.Phones) > 0 {
			c.Phones[0].Primary, c.Phone = true, c.Phones[0].Number
		}
		return nil
	}
	if err := rule.Number("phone", c.Phone); err != nil {
		return err
	}
	c.Phones = withPrimary(c.Phones, c.Phone, req.Phones != nil)
	return nil
}

// withPrimary makes primary the primary number of phones. A number that it takes
// the place of goes, unless keep says that it is one of its own.
func withPrimary(phones []domain.ContactPhone, primary string, keep bool) []domain.ContactPhone {
	out := slices.Clone(phones)
	was := slices.IndexFunc(out, func(p domain.ContactPhone) bool { return p.Primary })
	if is := slices.IndexFunc(out, func(p domain.ContactPhone) bool { return p.Number == primary }); is >= 0 {
		if was >= 0 {
			out[was].Primary = false
		}
		out[is].Primary = true
		return out
	}
	if was >= 0 && !keep {
		out[was].Number = primary
		return out
	}
	if was >= 0 {
		out[was].Primary = false
	}
	return append([]domain.ContactPhone{{ID: domain.NewID(), Number: primary, Primary: true}}, out...)
}

// mergedPhones is the numbers of a request; those that name one of known keep
// what they do not say.
func mergedPhones(known []domain.ContactPhone, req []PhoneChange) ([]domain.ContactPhone, error) {
	if len(req) > maxContactPhones {
		return nil, domain.Invalid("phones", "phones has %d entries; at most %d are allowed", len(req), maxContactPhones)
	}
	out := make([]domain.ContactPhone, len(req))
	primary := -1
	for i, p := range req {
		entry := domain.ContactPhone{ID: domain.NewID()}
		same := func(k domain.ContactPhone) bool { return k.ID == p.ID || p.ID == "" && k.Number == p.Number }
		if k := slices.IndexFunc(known, same); k >= 0 {
			entry = known[k]
		}
		if p.Number != "" {
			entry.Number = p.Number
		}
		rule.Set(&entry.Type, p.Type)
		entry.Primary = false
		if err := rule.First(rule.Number("phones", entry.Number), rule.Text("phones", entry.Type, rule.MaxName)); err != nil {
			return nil, err
		}
		if slices.ContainsFunc(out[:i], func(o domain.ContactPhone) bool { return o.Number == entry.Number || o.ID == entry.ID }) {
			return nil, domain.Invalid("phones", "phones: entry %d is there twice", i+1)
		}
		if p.Primary && primary < 0 {
			primary = i
		}
		out[i] = entry
	}
	if len(out) > 0 {
		out[max(primary, 0)].Primary = true
	}
	return out, nil
}

// Contact returns one contact.
func (p *People) Contact(ctx context.Context, in domain.Scope, id domain.ID) (*ContactDetail, error) {
	return rule.View(ctx, &p.Kit, func(ctx context.Context, st *domain.Stores) (*ContactDetail, error) {
		c, err := st.Contacts.Get(ctx, in, id)
		if err != nil {
			return nil, err
		}
		details, err := p.detailed(ctx, st, in, []domain.Contact{*c})
		if err != nil {
			return nil, err
		}
		return &details[0], nil
	})
}

// Contacts returns a page of the contacts that the filter lets through, newest
// first, and the number of all of them.
func (p *People) Contacts(ctx context.Context, in domain.Scope, f domain.ContactFilter, page domain.Page) ([]ContactDetail, int, error) {
	if err := rule.Text("search", f.Search, rule.MaxName); err != nil {
		return nil, 0, err
	}
	var total int
	rows, err := rule.View(ctx, &p.Kit, func(ctx context.Context, st *domain.Stores) ([]ContactDetail, error) {
		rows, n, err := st.Contacts.Find(ctx, in, f, page)
		if err != nil {
			return nil, err
		}
		total = n
		return p.detailed(ctx, st, in, rows)
	})
	return rows, total, err
}

// detailed adds to contacts what else is known of them.
func (p *People) detailed(ctx context.Context, st *domain.Stores, in domain.Scope, rows []domain.Contact) ([]ContactDetail, error) {
	var numbers []string
	for i := range rows {
		numbers = append(numbers, rows[i].Numbers()...)
	}
	numbers = distinctTexts(numbers)
	entries, err := st.Suppressed.Among(ctx, in, numbers)
	if err != nil {
		return nil, err
	}
	last, err := st.Erasure.LastCalls(ctx, in, numbers)
	if err != nil {
		return nil, err
	}
	listed := make(map[string]domain.Suppression, len(entries))
	for _, e := range entries {
		listed[e.Number] = e
	}
	out := make([]ContactDetail, len(rows))
	for i := range rows {
		out[i] = ContactDetail{Contact: rows[i], Suppressed: make(map[string]domain.Suppression)}
		for _, n := range rows[i].Numbers() {
			if e, ok := listed[n]; ok {
				out[i].Suppressed[n] = e
			}
			if at := last[n]; at.After(out[i].LastCallAt) {
				out[i].LastCallAt = at
			}
		}
	}
	return out, nil
}

// DeleteContact deletes a contact. Calls with it, and entries of its numbers in
// the do-not-call list, stay.
func (p *People) DeleteContact(ctx context.Context, in domain.Scope, id domain.ID, ifVersion int64) error {
	return p.Store.InTx(ctx, domain.LaneAPI, func(ctx context.Context, st *domain.Stores) error {
		c, err := st.Contacts.Get(ctx, in, id)
		if err != nil {
			return err
		}
		if err := rule.At(ifVersion, c.Version); err != nil {
			return err
		}
		return st.Contacts.Delete(ctx, in, id)
	})
}

// distinctTexts is list without repetitions and blank entries.
func distinctTexts(list []string) []string {
	var out []string
	seen := make(map[string]bool, len(list))
	for _, entry := range list {
		if entry = strings.TrimSpace(entry); entry != "" && !seen[entry] {
			seen[entry] = true
			out = append(out, entry)
		}
	}
	return out
}

// shortTexts checks a list of short texts.
func shortTexts(field string, list []string, most int) error {
	if len(list) > most {
		return domain.Invalid(field, "%s has %d entries; at most %d are allowed", field, len(list), most)
	}
	for _, entry := range list {
		if err := rule.Text(field, entry, rule.MaxName); err != nil {
			return err
		}
	}
	return nil
}

func contactEmail(field, value string) error {
	if value == "" {
		return nil
	}
	if a, err := mail.ParseAddress(value); err != nil || a.Address != value || len(value) > maxEmail {
		return domain.Invalid(field, "%s must be an e-mail address such as jane@example.com", field)
	}
	return nil
}

func zoneName(field, value string) error {
	if value == "" {
		return nil
	}
	if _, err := phone.Zone(value); err != nil {
		return domain.Invalid(field, "%s must be a time zone of the IANA database such as Europe/Berlin", field)
	}
	return nil
}
