package directory

import (
	"context"
	"strings"

	"github.com/uptrace/bun"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/store/row"
)

type contactRow struct {
	bun.BaseModel `bun:"table:contacts"`
	head
	Phone     string
	Phones    row.JSON[[]domain.ContactPhone]
	FirstName string
	LastName  string
	Email     string
	Company   string
	Website   string
	Timezone  string
	Stage     string
	Status    string
	Address   row.JSON[domain.Address]
	Tags      row.JSON[[]string]
	Notes     string
	Custom    row.JSON[map[string]any]
	Industry  row.JSON[map[string]any]
	Consent   row.JSON[*domain.Consent]
	Searched  string
}

var _ record[domain.Contact] = (*contactRow)(nil)

func (r *contactRow) fill(c *domain.Contact) {
	*r = contactRow{
		head: head{
			ID: c.ID, WorkspaceID: c.WorkspaceID, Mode: c.Mode, Version: c.Version,
			CreatedAt: row.At(c.CreatedAt), UpdatedAt: row.At(c.UpdatedAt),
		},
		Phone: c.Phone, Phones: row.JSON[[]domain.ContactPhone]{V: c.Phones}, FirstName: c.FirstName, LastName: c.LastName,
		Email: c.Email, Company: c.Company, Website: c.Website, Timezone: c.Timezone, Stage: c.Stage, Status: c.Status,
		Address: row.JSON[domain.Address]{V: c.Address}, Tags: row.JSON[[]string]{V: c.Tags}, Notes: c.Notes,
		Custom: row.JSON[map[string]any]{V: c.Custom}, Industry: row.JSON[map[string]any]{V: c.Industry}, Consent: row.JSON[*domain.Consent]{V: c.Consent},
		Searched: searched(c),
	}
}

func (r *contactRow) domain() domain.Contact {
	return domain.Contact{
		ID: r.ID, WorkspaceID: r.WorkspaceID, Mode: r.Mode, Version: r.Version,
		CreatedAt: r.CreatedAt.Time(), UpdatedAt: r.UpdatedAt.Time(),
		Phone: r.Phone, Phones: r.Phones.V, FirstName: r.FirstName, LastName: r.LastName, Email: r.Email, Company: r.Company,
		Website: r.Website, Timezone: r.Timezone, Stage: r.Stage, Status: r.Status, Address: r.Address.V, Tags: r.Tags.V,
		Notes: r.Notes, Custom: r.Custom.V, Industry: r.Industry.V, Consent: r.Consent.V,
	}
}

// searched is what a search looks at, each on a line of its own.
func searched(c *domain.Contact) string {
	return strings.ToLower(strings.Join(append([]string{c.FullName(), c.Email, c.Company}, c.Numbers()...), "\n"))
}

// contactMarkRow is something by which a contact is found.
type contactMarkRow struct {
	bun.BaseModel `bun:"table:contact_marks"`

	WorkspaceID domain.ID   `bun:",pk"`
	Mode        domain.Mode `bun:",pk"`
	Kind        string      `bun:",pk"`
	Mark        string      `bun:",pk"`
	ContactID   domain.ID   `bun:",pk"`
}

// The kinds of marks.
const (
	markNumber = "number"
	markTag    = "tag"
)

type contacts struct {
	*collection[domain.Contact, contactRow, *contactRow]
}

// NewContacts keeps contacts.
func NewContacts(db bun.IDB) domain.Contacts {
	return &contacts{newCollection[domain.Contact, contactRow](db, "Contact")}
}

// Create stores a new contact and how it is found.
func (s *contacts) Create(ctx context.Context, c *domain.Contact) error {
	if err := s.collection.Create(ctx, c); err != nil {
		return err
	}
	return s.mark(ctx, c)
}

// Update stores a contact and how it is found from now on.
func (s *contacts) Update(ctx context.Context, c *domain.Contact) error {
	if err := s.collection.Update(ctx, c); err != nil {
		return err
	}
	if err := s.unmark(ctx, c.ID); err != nil {
		return err
	}
	return s.mark(ctx, c)
}

// Delete removes a contact.
func (s *contacts) Delete(ctx context.Context, in domain.Scope, id domain.ID) error {
	if err := s.collection.Delete(ctx, in, id); err != nil {
		return err
	}
	return s.unmark(ctx, id)
}

func (s *contacts) mark(ctx context.Context, c *domain.Contact) error {
	var marks []contactMarkRow
	seen := make(map[[2]string]bool)
	add := func(kind, mark string) {
		if !seen[[2]string{kind, mark}] {
			seen[[2]string{kind, mark}] = true
			marks = append(marks, contactMarkRow{WorkspaceID: c.WorkspaceID, Mode: c.Mode, Kind: kind, Mark: mark, ContactID: c.ID})
		}
	}
	for _, number := range c.Numbers() {
		add(markNumber, number)
	}
	for _, tag := range c.Tags {
		add(markTag, tag)
	}
	if len(marks) == 0 {
		return nil
	}
	_, err := s.db.NewInsert().Model(&marks).Exec(ctx)
	return row.Error(err, "mark a contact")
}

func (s *contacts) unmark(ctx context.Context, id domain.ID) error {
	_, err := s.db.NewDelete().Model((*contactMarkRow)(nil)).Where("contact_id = ?", id).Exec(ctx)
	return row.Error(err, "unmark a contact")
}

// Find returns a page of contacts and how many the filter has in all.
func (s *contacts) Find(ctx context.Context, in domain.Scope, f domain.ContactFilter, page domain.Page) ([]domain.Contact, int, error) {
	total, err := row.Count(ctx, s.found(s.db.NewSelect().Model((*contactRow)(nil)), in, f))
	if err != nil {
		return nil, 0, err
	}
	var rows []contactRow
	err = row.Cut(s.found(s.db.NewSelect().Model(&rows), in, f), page).Scan(ctx)
	return row.Map(rows, (*contactRow).domain), total, row.Error(err, "list contacts")
}

// literal has a text that is searched for mean itself in LIKE … ESCAPE '!'.
var literal = strings.NewReplacer("!", "!!", "%", "!%", "_", "!_")

func (s *contacts) found(q *bun.SelectQuery, in domain.Scope, f domain.ContactFilter) *bun.SelectQuery {
	q = row.In(q, in)
	if f.Stage != "" {
		q = q.Where("stage = ?", f.Stage)
	}
	if f.Status != "" {
		q = q.Where("status = ?", f.Status)
	}
	if f.Tag != "" {
		q = q.Where("id IN (?)", s.marked(in, markTag, f.Tag))
	}
	if f.Search != "" {
		q = q.Where("searched LIKE ? ESCAPE '!'", "%"+literal.Replace(strings.ToLower(f.Search))+"%")
	}
	return q
}

// marked selects the ids of the contacts that have a mark.
func (s *contacts) marked(in domain.Scope, kind, mark string) *bun.SelectQuery {
	return row.In(s.db.NewSelect().Model((*contactMarkRow)(nil)).Column("contact_id"), in).
		Where("kind = ?", kind).Where("mark = ?", mark)
}

// ByNumber finds the oldest contact that has a number.
func (s *contacts) ByNumber(ctx context.Context, in domain.Scope, number string) (*domain.Contact, error) {
	missing := domain.Errorf(domain.CodeNotFound, "Contact with the number %s not found", number)
	var id domain.ID
	if err := s.marked(in, markNumber, number).OrderExpr("contact_id").Limit(1).Scan(ctx, &id); err != nil {
		return nil, row.Found(err, missing)
	}
	return s.Get(ctx, in, id)
}
