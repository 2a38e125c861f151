package service

import (
	"context"
	"net/mail"
	"slices"
	"strings"
	"time"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/phone"
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
	Type      Change[string]
	Primary   bool
	DoNotCall Change[bool] // true suppresses the number; false takes back a contact's own mark
}

// AddressChange is what is to change in where a contact lives. Nil fields keep
// what is there.
type AddressChange struct{ Street, City, State, ZipCode, Country Change[string] }

// WholeAddress replaces an address.
func WholeAddress(a domain.Address) AddressChange {
	return AddressChange{Street: &a.Street, City: &a.City, State: &a.State, ZipCode: &a.ZipCode, Country: &a.Country}
}

func (req AddressChange) apply(a *domain.Address) {
	set(&a.Street, req.Street)
	set(&a.City, req.City)
	set(&a.State, req.State)
	set(&a.ZipCode, req.ZipCode)
	set(&a.Country, req.Country)
}

// ContactChange is a new contact, or what is to change in one. Nil fields keep
// what is there (in a new contact: the defaults).
type ContactChange struct {
	Phone     Change[string]        // the primary number; "" takes it away
	Phones    Change[[]PhoneChange] // all numbers; the primary one is the first unless one says so
	FirstName Change[string]
	LastName  Change[string]
	Email     Change[string]
	Company   Change[string]
	Website   Change[string]
	Timezone  Change[string]
	Stage     Change[string]
	Status    Change[string]
	Address   AddressChange
	Tags      Change[[]string]
	Notes     Change[string]
	Custom    Change[map[string]any]
	Industry  Change[map[string]any]
	DoNotCall Change[bool] // of all numbers
	IfVersion int64        // 0 for any
}

// CreateContact makes a contact.
func (s *Service) CreateContact(ctx context.Context, in domain.Scope, req ContactChange, once *Once[ContactDetail]) (*ContactDetail, error) {
	return s.contactEffect(ctx, in, once, func(ctx context.Context, st *domain.Stores) (*ContactDetail, []string, error) {
		now := s.clock()
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
		return s.marked(ctx, st, in, c, req)
	})
}

// UpdateContact changes the fields of a contact that req names.
func (s *Service) UpdateContact(ctx context.Context, in domain.Scope, id domain.ID, req ContactChange) (*ContactDetail, error) {
	return s.contactEffect(ctx, in, nil, func(ctx context.Context, st *domain.Stores) (*ContactDetail, []string, error) {
		c, err := st.Contacts.Get(ctx, in, id)
		if err != nil {
			return nil, nil, err
		}
		if err := at(req.IfVersion, c.Version); err != nil {
			return nil, nil, err
		}
		if err := req.apply(c); err != nil {
			return nil, nil, err
		}
		c.UpdatedAt = s.clock()
		if err := st.Contacts.Update(ctx, c); err != nil {
			return nil, nil, err
		}
		return s.marked(ctx, st, in, c, req)
	})
}

// contactEffect is effect for changes of a contact, which may put numbers onto
// the do-not-call list.
func (s *Service) contactEffect(ctx context.Context, in domain.Scope, once *Once[ContactDetail],
	do func(context.Context, *domain.Stores) (*ContactDetail, []string, error)) (*ContactDetail, error) {
	var listed []string
	detail, err := effect(ctx, s, in, once, func(ctx context.Context, st *domain.Stores) (*ContactDetail, error) {
		var err error
		var d *ContactDetail
		d, listed, err = do(ctx, st)
		return d, err
	})
	if err != nil {
		return nil, err
	}
	return detail, s.stopRinging(ctx, in, listed)
}

// marked brings the do-not-call list in line with what req says of the numbers
// of c, and returns c with what else is known of it.
func (s *Service) marked(ctx context.Context, st *domain.Stores, in domain.Scope, c *domain.Contact, req ContactChange) (*ContactDetail, []string, error) {
	on, off := req.marks(c)
	if len(on) > 0 {
		if _, err := st.Suppressed.Add(ctx, in, s.suppressions(in, on, "", domain.SuppressedByContact, "")...); err != nil {
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
	details, err := s.detailed(ctx, st, in, []domain.Contact{*c})
	if err != nil {
		return nil, nil, err
	}
	return &details[0], on, nil
}

// marks are the numbers of c that req says may not, and may, be called.
func (req ContactChange) marks(c *domain.Contact) (on, off []string) {
	note := func(number string, mark Change[bool]) {
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
	set(&c.FirstName, req.FirstName)
	set(&c.LastName, req.LastName)
	set(&c.Email, req.Email)
	set(&c.Company, req.Company)
	set(&c.Website, req.Website)
	set(&c.Timezone, req.Timezone)
	set(&c.Stage, req.Stage)
	set(&c.Status, req.Status)
	req.Address.apply(&c.Address)
	set(&c.Notes, req.Notes)
	set(&c.Custom, req.Custom)
	set(&c.Industry, req.Industry)
	if req.Tags != nil {
		c.Tags = distinctTexts(*req.Tags)
	}
	if err := req.applyPhones(c); err != nil {
		return err
	}
	err := first(
		text("firstName", c.FirstName, maxName), text("lastName", c.LastName, maxName), text("company", c.Company, maxName),
		text("website", c.Website, maxText), name("stage", c.Stage), name("status", c.Status), text("notes", c.Notes, maxText),
		variables("variables", c.Custom), variables("industry", c.Industry), contactEmail("email", c.Email),
		shortTexts("tags", c.Tags, maxContactTags), zoneName("timezone", c.Timezone),
	)
	if err != nil {
		return err
	}
	for _, line := range []string{c.Address.Street, c.Address.City, c.Address.State, c.Address.ZipCode, c.Address.Country} {
		if err := text("address", line, maxName); err != nil {
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
	if err := number("phone", c.Phone); err != nil {
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
		set(&entry.Type, p.Type)
		entry.Primary = false
		if err := first(number("phones", entry.Number), text("phones", entry.Type, maxName)); err != nil {
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
func (s *Service) Contact(ctx context.Context, in domain.Scope, id domain.ID) (*ContactDetail, error) {
	return view(ctx, s, func(ctx context.Context, st *domain.Stores) (*ContactDetail, error) {
		c, err := st.Contacts.Get(ctx, in, id)
		if err != nil {
			return nil, err
		}
		details, err := s.detailed(ctx, st, in, []domain.Contact{*c})
		if err != nil {
			return nil, err
		}
		return &details[0], nil
	})
}

// Contacts returns a page of the contacts that the filter lets through, newest
// first, and the number of all of them.
func (s *Service) Contacts(ctx context.Context, in domain.Scope, f domain.ContactFilter, page domain.Page) ([]ContactDetail, int, error) {
	if err := text("search", f.Search, maxName); err != nil {
		return nil, 0, err
	}
	var total int
	rows, err := view(ctx, s, func(ctx context.Context, st *domain.Stores) ([]ContactDetail, error) {
		rows, n, err := st.Contacts.Find(ctx, in, f, page)
		if err != nil {
			return nil, err
		}
		total = n
		return s.detailed(ctx, st, in, rows)
	})
	return rows, total, err
}

// detailed adds to contacts what else is known of them.
func (s *Service) detailed(ctx context.Context, st *domain.Stores, in domain.Scope, rows []domain.Contact) ([]ContactDetail, error) {
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
func (s *Service) DeleteContact(ctx context.Context, in domain.Scope, id domain.ID, ifVersion int64) error {
	return s.store.InTx(ctx, domain.LaneAPI, func(ctx context.Context, st *domain.Stores) error {
		c, err := st.Contacts.Get(ctx, in, id)
		if err != nil {
			return err
		}
		if err := at(ifVersion, c.Version); err != nil {
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
		if err := text(field, entry, maxName); err != nil {
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
