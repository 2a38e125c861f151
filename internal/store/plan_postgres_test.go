package store_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/pgdialect"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/store/row"
	"github.com/callwright/callwright/internal/store/storetest"
)

// TestListsAreServedByIndexesOnPostgres asks PostgreSQL, which has so many calls
// that it minds, how it runs the queries of lists: none may read all of them.
func TestListsAreServedByIndexesOnPostgres(t *testing.T) {
	storetest.OnPostgres(t, func(t *testing.T, url string) {
		db := openBoth(t, t.TempDir(), url)
		raw := beside(t, "", url)
		in := domain.Scope{Workspace: domain.NewID(), Mode: domain.Live}
		start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
		for _, statement := range []string{
			`INSERT INTO calls SELECT 'c' || lpad(i::text, 23, '0'), '` + string(in.Workspace) + `', 'live', CASE WHEN i % 9 = 0 THEN 'inbound' ELSE 'outbound' END,
				CASE WHEN i % 500 = 0 THEN 'queued' WHEN i % 5 = 0 THEN 'failed' ELSE 'completed' END, '', 'agent-' || i % 10, '', 0, '',
				CASE WHEN i % 2 = 0 THEN '' ELSE 'campaign-' || i / 2000 END, '+15005550100', '+1500555' || i % 5000, true, 0, '{}', '{}', '[]', '', '', '', '', 'null', 1,
				1767225600000000 + i * 300000000::bigint, 0, 0, 0, 0 FROM generate_series(0, 29999) AS i`,
			"ANALYZE calls",
		} {
			if _, err := raw.Exec(statement); err != nil {
				t.Fatal(err)
			}
		}
		for n := 1; n > 0; {
			err := db.InTx(t.Context(), domain.LaneAPI, func(ctx context.Context, s *domain.Stores) (err error) {
				n, err = s.Calls.Fold(ctx, 5000)
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		var queries []*row.Query
		watched := row.Watch(t.Context(), func(q *row.Query) { queries = append(queries, q) })
		err := db.View(watched, func(ctx context.Context, s *domain.Stores) error {
			for _, f := range []domain.CallFilter{
				{}, {AgentID: "agent-3"}, {CampaignID: "campaign-3"}, {To: "+150055577"}, {States: ledgerStates[:1]}, {States: ledgerStates[:3]},
				{Direction: domain.Inbound}, {AgentID: "agent-3", States: ledgerStates[:2]}, {CreatedMin: start.Add(90 * time.Minute), CreatedMax: start.Add(70*24*time.Hour + time.Minute)},
			} {
				f.Brief = true
				for _, page := range []domain.Page{{Limit: 50}, {Limit: 50, Offset: 5000}, {Limit: 50, After: domain.ID("c" + strings.Repeat("0", 18) + "15000")}} {
					if _, _, err := s.Calls.List(ctx, in, f, page); err != nil {
						return err
					}
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if len(queries) < 40 {
			t.Errorf("only %d queries were seen", len(queries))
		}
		asked := bun.NewDB(raw, pgdialect.New())
		for _, q := range queries {
			err := new(row.Query).Add("EXPLAIN "+q.String(), q.Args()...).Each(t.Context(), asked, func(v row.Values) error {
				if step := v.Text(0); strings.Contains(step, "Seq Scan on calls") || strings.Contains(step, "Seq Scan on call_counts") {
					t.Errorf("%s\n%v\n%s", q, q.Args(), step)
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
		}
	})
}
