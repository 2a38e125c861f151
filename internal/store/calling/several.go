package calling

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/store/row"
)

// updateAll stores recipients of one campaign, each of which must be as it was
// read.
func (s *recipients) updateAll(ctx context.Context, list []*domain.Recipient, was domain.RecipientState, gain domain.CampaignCounts) error {
	for some := range slices.Chunk(list, rowsAtOnce) {
		if err := s.store(ctx, some, was); err != nil {
			return err
		}
	}
	for _, r := range list {
		r.Version++
		*of(&gain, was)--
		*of(&gain, r.State)++
	}
	s.touch("recipients")
	if gain == (domain.CampaignCounts{}) {
		return nil
	}
	return count(ctx, s.db, list[0].CampaignID, "", gain)
}

// store stores recipients with one statement. Its values are all text: of one that
// is not written into the statement the database would not know the type.
func (s *recipients) store(ctx context.Context, list []*domain.Recipient, was domain.RecipientState) error {
	const values = "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?), "
	args := make([]any, 0, len(list)*strings.Count(values, "?")+1)
	for _, r := range list {
		stored := newRecipientRow(r)
		args = append(args, r.ID, number(r.Version), stored.State, stored.Result, stored.Why, number(stored.NextAt), stored.Tries,
			stored.CallID, number(stored.Calls), stored.ContactID, number(stored.UpdatedAt), number(stored.EndedAt))
	}
	res, err := s.db.NewRaw(`WITH now (id, version, state, result, why, next_at, tries, call_id, calls, contact_id, updated_at, ended_at) AS
		(VALUES `+strings.TrimSuffix(strings.Repeat(values, len(list)), ", ")+`)
		UPDATE recipients SET version = recipients.version + 1, state = now.state, result = now.result, why = now.why,
			next_at = CAST(now.next_at AS BIGINT), tries = now.tries, call_id = now.call_id, calls = CAST(now.calls AS BIGINT),
			contact_id = now.contact_id, updated_at = CAST(now.updated_at AS BIGINT), ended_at = CAST(now.ended_at AS BIGINT)
		FROM now WHERE recipients.id = now.id AND recipients.version = CAST(now.version AS BIGINT) AND recipients.state = ?`,
		append(args, was)...).Exec(ctx)
	if err != nil {
		return row.Error(err, "update recipients")
	}
	switch n, err := res.RowsAffected(); {
	case err != nil:
		return row.Error(err, "update recipients")
	case int(n) != len(list):
		return domain.Errorf(domain.CodeConflict, "%d of %d contacts were changed since they were read", len(list)-int(n), len(list))
	}
	return nil
}

// number is a column of integers as text.
func number[N ~int | ~int64](n N) string { return strconv.FormatInt(int64(n), 10) }
