package klen

import (
	"strings"
	"unicode/utf8"

	"github.com/callwright/callwright/internal/api/wire"
	"github.com/callwright/callwright/internal/service/people"
)

// change translates what a request names.
func (b *ContactFields) change() people.ContactChange {
	req := people.ContactChange{
		FirstName: b.FirstName.Change(), LastName: b.LastName.Change(), Email: b.Email.Change(), Company: b.Company.Change(),
		Website: b.Website.Change(), Timezone: b.Timezone.Change(), Stage: b.Stage.Given(), Status: b.Status.Given(),
		Address: people.AddressChange{
			Street: b.Address.Change(), City: b.City.Change(), State: b.State.Change(), ZipCode: b.ZipCode.Change(), Country: b.Country.Change(),
		},
		Tags: b.Tags.Change(), Custom: b.CustomContext.Change(), Industry: b.IndustryContext.Change(),
	}
	if b.PhoneNumbers.Sent {
		phones := make([]people.PhoneChange, len(b.PhoneNumbers.Value))
		for i := range b.PhoneNumbers.Value {
			p := &b.PhoneNumbers.Value[i].Value
			phones[i] = people.PhoneChange{
				ID: p.ID.Value, Number: p.PhoneNumber.Value, Type: p.PhoneType.Change(), Primary: p.Primary.Value, DoNotCall: p.DoNotCall.Given(),
			}
		}
		req.Phones = &phones
	}
	return req
}

// fresh translates a request for a new contact.
func (b *ContactFields) fresh() people.ContactChange {
	all := *b
	if all.Country.Value == "" {
		all.Country = wire.Opt[string]{Sent: true, Value: defaultCountry}
	}
	return all.change()
}

// whole translates a request that replaces a contact.
func (b *ContactFields) whole() people.ContactChange {
	all := *b
	for _, text := range []*wire.Opt[string]{
		&all.LastName, &all.Email, &all.Company, &all.Website, &all.Timezone,
		&all.Address, &all.City, &all.State, &all.ZipCode,
	} {
		text.Sent = true
	}
	all.Tags.Sent, all.PhoneNumbers.Sent, all.CustomContext.Sent, all.IndustryContext.Sent = true, true, true, true
	if all.Stage.Value == "" {
		all.Stage = wire.Opt[string]{Sent: true, Value: people.DefaultStage}
	}
	if all.Status.Value == "" {
		all.Status = wire.Opt[string]{Sent: true, Value: people.DefaultStatus}
	}
	return all.fresh()
}

func contactItem(c *people.ContactDetail) ContactItem {
	item := ContactItem{
		ID: c.ID, FirstName: c.FirstName, LastName: c.LastName, FullName: c.FullName(), Email: c.Email, Company: c.Company,
		Stage: c.Stage, Status: c.Status, Phone: c.Phone, CreatedDate: wire.Instant(c.CreatedAt),
		LastCallDate: wire.Instant(c.LastCallAt), Tags: c.Tags,
	}
	if item.Tags == nil {
		item.Tags = []string{}
	}
	return item
}

func contact(c *people.ContactDetail) Contact {
	out := Contact{
		ContactItem: contactItem(c), Website: c.Website, StageDisplay: display(c.Stage), StatusDisplay: display(c.Status),
		Address: ContactAddress(c.Address), Timezone: c.Timezone, PhoneNumbers: make([]ContactPhone, len(c.Phones)),
		RecentNotes: []ContactNote{}, CustomContext: orEmptyContext(c.Custom), IndustryContext: orEmptyContext(c.Industry),
	}
	for i, p := range c.Phones {
		out.PhoneNumbers[i] = ContactPhone{ID: p.ID, PhoneNumber: p.Number, PhoneType: p.Type, Primary: p.Primary}
		if s, listed := c.Suppressed[p.Number]; listed {
			out.PhoneNumbers[i].DoNotCall, out.PhoneNumbers[i].DNCDate = true, wire.Instant(s.CreatedAt)
			if s.Reason != "" {
				out.PhoneNumbers[i].DNCReason = &s.Reason
			}
		}
	}
	if c.Notes != "" {
		out.RecentNotes = append(out.RecentNotes, ContactNote{ID: c.ID, Content: c.Notes, CreatedAt: wire.Instant(c.UpdatedAt), NoteType: "note"})
	}
	return out
}

// display is a word of ours for people: not_contacted is Not Contacted.
func display(word string) string {
	words := strings.Fields(strings.ReplaceAll(word, "_", " "))
	for i, w := range words {
		_, size := utf8.DecodeRuneInString(w)
		words[i] = strings.ToUpper(w[:size]) + w[size:]
	}
	return strings.Join(words, " ")
}

// orEmptyContext makes nil an empty object.
func orEmptyContext(m map[string]any) map[string]any {
	if m == nil {
		return map[string]any{}
	}
	return m
}
