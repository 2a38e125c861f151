// Package messaging holds the rules about text messages: which may be sent, what
// becomes of them, and what is done with those that come in.
package messaging

import (
	"context"
	"strings"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/phone"
	"github.com/callwright/callwright/internal/service/people"
	"github.com/callwright/callwright/internal/service/rule"
)

// maxMessage bounds a text, in characters.
const maxMessage = 1_600

// Options are what the rules need of others. All are required.
type Options struct {
	// Announce stores events with their deliveries.
	Announce func(ctx context.Context, st *domain.Stores, in domain.Scope, events ...*domain.Event) error
	// StopRinging hangs up calls to listed numbers that nobody has answered yet.
	StopRinging func(ctx context.Context) error
	// AskedBy is the key of the request that ctx belongs to, or "".
	AskedBy func(ctx context.Context) domain.ID
	// AddUsage counts what is used.
	AddUsage func(ctx context.Context, st *domain.Stores, u domain.Usage) error
}

// Messaging is the rules over one store. Its methods may be called at once.
type Messaging struct {
	rule.Kit
	o Options
}

// New returns the rules.
func New(kit rule.Kit, o Options) *Messaging { return &Messaging{Kit: kit, o: o} }

// SendRequest asks for one message.
type SendRequest struct {
	From          string    // one of the workspace's own numbers, E.164; "" is PhoneNumberID's
	PhoneNumberID domain.ID // the same by its id; "" is From's
	To            string    // E.164
	Text          string
	Extra         map[string]any // members that a dialect keeps
	CallID        domain.ID      // the call in which it is sent, or ""
}

// SendMessage accepts a message: it, the job to send it and the answer for an
// Idempotency-Key are committed together. Whoever claims the job hands it to the
// carrier.
func (s *Messaging) SendMessage(ctx context.Context, in domain.Scope, req SendRequest, once *rule.Once[domain.Message]) (*domain.Message, error) {
	return rule.Effect(ctx, &s.Kit, in, once, func(ctx context.Context, st *domain.Stores) (*domain.Message, error) {
		return s.accept(ctx, st, in, req, s.o.AskedBy(ctx))
	})
}

// SendInCall accepts a message in a live call: to the person at its far end when
// req has no To, from the call's own number. It waits for the disk.
func (s *Messaging) SendInCall(ctx context.Context, call domain.ID, req SendRequest) (*domain.Message, error) {
	var made *domain.Message
	err := s.Store.InTx(ctx, domain.LaneCall, func(ctx context.Context, st *domain.Stores) error {
		c, err := st.Calls.ByID(ctx, call)
		if err != nil {
			return err
		}
		req := req // closures run again
		req.CallID = c.ID
		own, far := c.From, c.To
		if c.Direction == domain.Inbound {
			own, far = far, own
		}
		req.From = own
		if req.To == "" {
			req.To = far
		}
		made, err = s.accept(ctx, st, domain.Scope{Workspace: c.WorkspaceID, Mode: c.Mode}, req, c.KeyID)
		return err
	})
	if err != nil {
		return nil, err
	}
	return made, nil
}

// accept checks and stores a message with its job, and counts it for the key that
// asked for it.
func (s *Messaging) accept(ctx context.Context, st *domain.Stores, in domain.Scope, req SendRequest, key domain.ID) (*domain.Message, error) {
	if err := req.check(); err != nil {
		return nil, err
	}
	from, err := ownNumber(ctx, st, in, req)
	if err != nil {
		return nil, err
	}
	trunk, err := trunkOf(ctx, st, in, from)
	if err != nil {
		return nil, err
	}
	if err := destination(trunk, req.To); err != nil {
		return nil, err
	}
	if err := people.Callable(ctx, st, in, req.To); err != nil {
		return nil, err
	}
	now := s.Clock()
	m := &domain.Message{
		ID: domain.NewID(), WorkspaceID: in.Workspace, Mode: in.Mode, Direction: domain.Outbound,
		PhoneNumberID: from.ID, TrunkID: trunk.ID, From: from.Number, To: req.To, Text: req.Text,
		Status: domain.MessageQueued, CallID: req.CallID, Extra: req.Extra, Version: 1, CreatedAt: now, UpdatedAt: now,
	}
	m.Encoding, m.Segments = Measure(m.Text)
	if m.ContactID, err = contactOf(ctx, st, in, m.To); err != nil {
		return nil, err
	}
	if err := st.Messages.Create(ctx, m); err != nil {
		return nil, err
	}
	err = s.o.AddUsage(ctx, st, domain.Usage{
		WorkspaceID: in.Workspace, Mode: in.Mode, KeyID: key, Day: domain.DayOf(now),
		UsageCounts: domain.UsageCounts{Messages: 1, Segments: int64(m.Segments)},
	})
	if err != nil {
		return nil, err
	}
	return m, st.Jobs.Create(ctx, &domain.Job{
		ID: domain.NewID(), WorkspaceID: in.Workspace, Mode: in.Mode, Kind: domain.JobMessage, Subject: m.ID,
		State: domain.JobPending, NextAt: now, CreatedAt: now,
	})
}

func (req *SendRequest) check() error {
	if req.From == "" && req.PhoneNumberID == "" {
		return domain.Invalid("from", "from is required: one of the workspace's own numbers, or its phoneNumberId").For(domain.ReasonMissing, "")
	}
	if strings.TrimSpace(req.Text) == "" {
		return domain.Invalid("text", "text is required and must not be empty").For(domain.ReasonMissing, "")
	}
	return rule.First(rule.Number("to", req.To), rule.Text("text", req.Text, maxMessage), rule.Variables("extra", req.Extra))
}

// ownNumber finds the number that a message goes out from.
func ownNumber(ctx context.Context, st *domain.Stores, in domain.Scope, req SendRequest) (*domain.PhoneNumber, error) {
	if req.PhoneNumberID != "" {
		n, err := st.Numbers.Get(ctx, in, req.PhoneNumberID)
		if err == nil && req.From != "" && req.From != n.Number {
			return nil, domain.Invalid("from", "from is %s and phoneNumberId names %s; send one of them", req.From, n.Number)
		}
		return n, err
	}
	if err := rule.Number("from", req.From); err != nil {
		return nil, err
	}
	n, err := st.Numbers.ByNumber(ctx, in, req.From)
	if domain.CodeOf(err) == domain.CodeNotFound {
		return nil, domain.Invalid("from", "from %s is none of the workspace's own numbers", req.From).For(domain.ReasonNoPhoneNumber, "")
	}
	return n, err
}

// trunkOf returns the trunk that a number's messages go over.
func trunkOf(ctx context.Context, st *domain.Stores, in domain.Scope, from *domain.PhoneNumber) (*domain.Trunk, error) {
	trunk, err := st.Trunks.Get(ctx, in, from.TrunkID)
	switch {
	case domain.CodeOf(err) == domain.CodeNotFound:
		return nil, domain.Invalid("from", "the trunk of the phone number %s is gone; set its trunkId to another", from.Number).
			For(domain.ReasonNoTrunk, "")
	case err != nil:
		return nil, err
	case !trunk.Texts():
		return nil, domain.Invalid("from", "the phone number %s goes over %s, whose carrier %q takes no text messages; send from a number on another trunk",
			from.Number, rule.Label("trunk", trunk.Name, trunk.ID), trunk.Carrier).For(domain.ReasonNoTrunk, "")
	}
	return trunk, nil
}

// destination refuses classes of numbers that a message must never reach, as
// calls must not. The simulated phones have no such classes.
func destination(trunk *domain.Trunk, to string) error {
	if trunk.Carrier == domain.CarrierSandbox {
		return nil
	}
	n, err := phone.Parse(to)
	if err != nil {
		return domain.Invalid("to", "to %s", err).For(domain.ReasonInvalidNumber, "")
	}
	if n.Class.Risky() {
		return domain.Errorf(domain.CodeForbidden, "messages to %s numbers are not allowed", n.Class).
			For(domain.ReasonDestinationNotAllowed, "to")
	}
	return nil
}

// contactOf returns the contact that has a number, or "".
func contactOf(ctx context.Context, st *domain.Stores, in domain.Scope, number string) (domain.ID, error) {
	c, err := st.Contacts.ByNumber(ctx, in, number)
	switch {
	case err == nil:
		return c.ID, nil
	case domain.CodeOf(err) == domain.CodeNotFound:
		return "", nil
	}
	return "", err
}

// Message returns one message.
func (s *Messaging) Message(ctx context.Context, in domain.Scope, id domain.ID) (*domain.Message, error) {
	return rule.View(ctx, &s.Kit, func(ctx context.Context, st *domain.Stores) (*domain.Message, error) {
		return st.Messages.Get(ctx, in, id)
	})
}

// Messages returns a page of the messages that the filter lets through, newest
// first, and the number of all.
func (s *Messaging) Messages(ctx context.Context, in domain.Scope, f domain.MessageFilter, page domain.Page) ([]domain.Message, int, error) {
	for field, number := range map[string]string{"from": f.From, "to": f.To} {
		if err := rule.Number(field, number); number != "" && err != nil {
			return nil, 0, err
		}
	}
	if f.Direction != "" {
		if err := rule.OneOf("direction", f.Direction, domain.Outbound, domain.Inbound); err != nil {
			return nil, 0, err
		}
	}
	if f.Status != "" {
		if err := rule.OneOf("status", f.Status, domain.MessageStatuses...); err != nil {
			return nil, 0, err
		}
	}
	var total int
	rows, err := rule.View(ctx, &s.Kit, func(ctx context.Context, st *domain.Stores) ([]domain.Message, error) {
		rows, n, err := st.Messages.Find(ctx, in, f, page)
		total = n
		return rows, err
	})
	return rows, total, err
}
