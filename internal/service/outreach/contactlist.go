package outreach

import (
	"context"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/service/rule"
)

// listed is how many contacts a ContactList reads at once.
const listed = 500

// maxVariableNames bounds ContactList.Variables.
const maxVariableNames = 1_000

// ContactList reads all contacts of a campaign, some at a time: what it holds does
// not grow with them.
type ContactList struct {
	Variables []string // names that variables of its contacts have, sorted

	o        *Outreach
	in       domain.Scope
	campaign domain.ID
	after    domain.ID
	done     bool
}

// ContactList begins to read the contacts of a campaign.
func (o *Outreach) ContactList(ctx context.Context, in domain.Scope, kind domain.CampaignKind, campaign domain.ID) (*ContactList, error) {
	return rule.View(ctx, &o.Kit, func(ctx context.Context, st *domain.Stores) (*ContactList, error) {
		if _, err := campaignOf(ctx, st, in, kind, campaign); err != nil {
			return nil, err
		}
		names, err := st.Sheets.VariableNames(ctx, in, campaign, maxVariableNames)
		return &ContactList{Variables: names, o: o, in: in, campaign: campaign}, err
	})
}

// Next returns the next contacts in the order in which they were added, each as
// it stands now, and none after the last.
func (l *ContactList) Next(ctx context.Context) ([]domain.Recipient, error) {
	if l.done {
		return nil, nil
	}
	rows, err := rule.View(ctx, &l.o.Kit, func(ctx context.Context, st *domain.Stores) ([]domain.Recipient, error) {
		rows, _, err := st.Recipients.List(ctx, l.in, l.campaign, domain.RecipientFilter{}, domain.Page{Limit: listed, After: l.after})
		return rows, err
	})
	if err != nil {
		return nil, err
	}
	if l.done = len(rows) < listed; len(rows) > 0 {
		l.after = rows[len(rows)-1].ID
	}
	return rows, nil
}
