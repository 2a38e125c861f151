package domain

import (
	"strings"
	"time"
)

// Contact is a person whom a workspace calls, or who calls it.
type Contact struct {
	ID          ID
	WorkspaceID ID
	Mode        Mode
	Phone       string // the primary number in E.164, or "" for a contact without numbers
	Phones      []ContactPhone
	FirstName   string
	LastName    string
	Email       string
	Company     string
	Website     string
	Timezone    string // IANA name, or ""
	Stage       string // where the contact stands for sales: lead …
	Status      string // what came of calling: not_contacted …
	Address     Address
	Tags        []string
	Notes       string
	Custom      map[string]any // variables that go along with the contact's calls
	Industry    map[string]any // further ones, of the contact's line of business
	Consent     *Consent       // nil for none
	Version     int64
	CreatedAt   time.Time
	UpdatedAt   time.Time
}

// ContactPhone is one of a contact's numbers. The primary one is the contact's
// Phone; there is exactly one as soon as there are numbers.
type ContactPhone struct {
	ID      ID
	Number  string // E.164
	Type    string // mobile, work, home …, or ""
	Primary bool
}

// Address is where a contact lives.
type Address struct {
	Street  string
	City    string
	State   string
	ZipCode string
	Country string
}

// FullName is the contact's first and last name.
func (c *Contact) FullName() string {
	return strings.TrimSpace(c.FirstName + " " + c.LastName)
}

// Numbers returns the contact's numbers, each once, in their order.
func (c *Contact) Numbers() []string {
	var numbers []string
	seen := make(map[string]bool, len(c.Phones))
	for _, p := range c.Phones {
		if !seen[p.Number] {
			seen[p.Number] = true
			numbers = append(numbers, p.Number)
		}
	}
	return numbers
}

// ContactFilter narrows a list of contacts; zero fields do not filter.
type ContactFilter struct {
	Stage  string
	Status string
	Tag    string
	Search string // part of a name, e-mail address, company or number, in any case
}
