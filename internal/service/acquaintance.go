package service

import (
	"context"
	"maps"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/phone"
	"github.com/callwright/callwright/internal/service/rule"
)

// whom checks that a request says who is to be called.
func (req *PlaceRequest) whom() error {
	if req.To == "" && req.ContactID != "" {
		return nil
	}
	return rule.Number("to", req.To)
}

// address sets who is called and with whom: one of the contact's numbers when
// the request names none.
func (req *PlaceRequest) address(c *domain.Contact) error {
	if req.To != "" {
		return nil
	}
	if c.Phone == "" {
		return domain.Invalid("to", "to is required: the contact %s has no phone number", c.ID)
	}
	req.To = c.Phone
	return nil
}

// acquaintance returns the contact with an id, else the one with a number, else
// nil.
func acquaintance(ctx context.Context, st *domain.Stores, in domain.Scope, id domain.ID, number string) (*domain.Contact, error) {
	if id != "" {
		return st.Contacts.Get(ctx, in, id)
	}
	c, err := st.Contacts.ByNumber(ctx, in, number)
	if domain.CodeOf(err) == domain.CodeNotFound {
		return nil, nil
	}
	return c, err
}

// acquaint tells a call with whom it is, and sets its variables: under all the
// agent's, over them those of the business, the contact, and the request.
func acquaint(ctx context.Context, st *domain.Stores, in domain.Scope, call *domain.Call, c *domain.Contact, under, over map[string]any) error {
	business, err := st.Business.Values(ctx, in)
	if err != nil {
		return err
	}
	all := maps.Clone(under)
	if all == nil {
		all = make(map[string]any)
	}
	for name, value := range business {
		all[domain.BusinessPrefix+name] = value
	}
	if c != nil {
		call.ContactID = c.ID
		maps.Copy(all, facts(c))
		maps.Copy(all, c.Industry)
		maps.Copy(all, c.Custom)
	}
	maps.Copy(all, over)
	if len(all) > 0 {
		call.Variables = all
	}
	return nil
}

// facts are what a flow may say of a contact without declaring it. What is not
// known is left out.
func facts(c *domain.Contact) map[string]any {
	known := make(map[string]any)
	for name, value := range map[string]string{
		"first_name": c.FirstName, "last_name": c.LastName, "full_name": c.FullName(), "email": c.Email, "company": c.Company,
	} {
		if value != "" {
			known[name] = value
		}
	}
	return known
}

// recognise tells an incoming call with which contact it is.
func recognise(ctx context.Context, st *domain.Stores, in domain.Scope, call *domain.Call, agent *domain.Agent) error {
	var c *domain.Contact
	if phone.Valid(call.From) == nil {
		var err error
		if c, err = acquaintance(ctx, st, in, "", call.From); err != nil {
			return err
		}
	}
	if agent == nil {
		agent = &domain.Agent{}
	}
	return acquaint(ctx, st, in, call, c, agent.Variables, nil)
}
