package domain

import (
	"context"
	"time"
)

// Contacts keeps contacts.
type Contacts interface {
	Collection[Contact]
	// Find returns a page of the contacts that the filter lets through, newest
	// first, with the exact number of all of them.
	Find(ctx context.Context, in Scope, f ContactFilter, page Page) ([]Contact, int, error)
	// ByNumber returns the oldest contact that has number, or CodeNotFound.
	ByNumber(ctx context.Context, in Scope, number string) (*Contact, error)
}

// Acquaintances finds the contacts of many calls at once.
type Acquaintances interface {
	// Find returns the contacts with the given ids, and of each number the id of the
	// oldest contact that has it, which is among them. Those that there are not are
	// missing; none is deleted before a writing transaction that has asked ends.
	Find(ctx context.Context, in Scope, ids []ID, numbers []string) (map[ID]Contact, map[string]ID, error)
}

// BusinessContext keeps the values of a workspace's business variables, by name.
type BusinessContext interface {
	// Values is empty for a workspace that has none.
	Values(ctx context.Context, in Scope) (map[string]any, error)
	// Merge puts changes over the values that are there; nil removes a value.
	Merge(ctx context.Context, in Scope, changes map[string]any) error
}

// Suppressions keeps the do-not-call lists.
type Suppressions interface {
	// Add puts numbers onto the list of a scope. A number that is there keeps its
	// entry. The result is how many are new.
	Add(ctx context.Context, in Scope, entries ...Suppression) (added int, err error)
	// Get returns the entry of a number, or CodeNotFound. Nobody changes the list
	// before a writing transaction that has asked ends.
	Get(ctx context.Context, in Scope, number string) (*Suppression, error)
	// Among returns the entries of those of numbers that are listed, in no order.
	Among(ctx context.Context, in Scope, numbers []string) ([]Suppression, error)
	// List returns entries newest first (by id, descending).
	List(ctx context.Context, in Scope, page Page) ([]Suppression, error)
	Count(ctx context.Context, in Scope) (int, error)
	// Remove takes numbers off the list and returns how many were on it.
	Remove(ctx context.Context, in Scope, numbers ...string) (removed int, err error)
	// Ringing returns calls of all scopes that we place, that nobody has answered
	// and whose number is listed, in no order.
	Ringing(ctx context.Context) ([]ID, error)
}

// Erasure finds and forgets what is kept of a person's calls.
type Erasure interface {
	// Calls returns up to limit calls with one of numbers, or with the contact,
	// oldest first, that are younger than the call after.
	Calls(ctx context.Context, in Scope, contact ID, numbers []string, after ID, limit int) ([]Call, error)
	// LastCalls returns when each of numbers was last called, by number; those
	// that never were are missing.
	LastCalls(ctx context.Context, in Scope, numbers []string) (map[string]time.Time, error)
	// Forget removes a call with its turns, attempts, events and deliveries.
	Forget(ctx context.Context, in Scope, call ID) error
	// ForgetAppointments removes a contact's appointments.
	ForgetAppointments(ctx context.Context, in Scope, contact ID) error
	// ForgetMessages removes the messages with a contact, or with one of numbers.
	ForgetMessages(ctx context.Context, in Scope, contact ID, numbers []string) error
	// ForgetRecipients removes a person, by its contact or its numbers, from all
	// campaigns, and from their counts.
	ForgetRecipients(ctx context.Context, in Scope, contact ID, numbers []string) error
	// ForgetSome removes up to limit recipients of a campaign, from its counts too,
	// and returns how many.
	ForgetSome(ctx context.Context, campaign ID, limit int) (int, error)
}
