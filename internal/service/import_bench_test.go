package service_test

import (
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"testing"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/service"
	"github.com/callwright/callwright/internal/service/outreach"
	"github.com/callwright/callwright/internal/store"
	"github.com/callwright/callwright/internal/store/storetest"
)

// madeSheet is a sheet of so many rows that is made while it is read. Numbers come
// in no order, as they do.
type madeSheet struct {
	rows, next int
	line       []byte
}

func (m *madeSheet) Read(p []byte) (int, error) {
	if len(m.line) == 0 {
		switch {
		case m.next == 0:
			m.line = []byte("phone_number,first_name,last_name,email,plan\n")
		case m.next > m.rows:
			return 0, io.EOF
		default:
			m.line = fmt.Appendf(m.line[:0], "+1500%07d,Jane,Doe,jane%d@example.com,gold\n", m.next*7_654_321%9_999_991, m.next)
		}
		m.next++
	}
	n := copy(p, m.line)
	m.line = m.line[n:]
	return n, nil
}

// BenchmarkImport imports a sheet of b.N rows into a campaign.
func BenchmarkImport(b *testing.B) {
	db, err := store.Open(b.Context(), store.Options{Dir: b.TempDir(), DSN: storetest.URL(b), Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		b.Fatal(err)
	}
	rules := service.New(service.Options{
		Store: db, Hooks: map[string]domain.HookDialect{"native": plainHooks{}}, HasLLM: func(domain.Mode) bool { return true },
		CheckFlow: func(raw []byte) ([]byte, error) { return raw, nil }, WebhookAllow: []netip.Prefix{}, Logger: slog.New(slog.DiscardHandler),
	})
	defer func() {
		rules.Close()
		if err := db.Close(); err != nil {
			b.Error(err)
		}
	}()
	first, err := rules.FirstStart(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	in := domain.Scope{Workspace: first.Workspace.ID, Mode: domain.Test}
	agents, _, err := rules.Agents(b.Context(), in, domain.Page{Limit: 1})
	if err != nil || len(agents) == 0 {
		b.Fatal(err, "there is no sample agent")
	}
	c, err := rules.CreateCampaign(b.Context(), in, outreach.CampaignChange{
		Kind: domain.KindCampaign, Name: new("import"), AgentID: &agents[0].ID, State: new(domain.CampaignPaused),
	}, nil)
	if err != nil {
		b.Fatal(err)
	}
	b.ResetTimer()
	report, err := rules.ImportContacts(b.Context(), in, c.ID, &madeSheet{rows: b.N}, nil)
	if err != nil || report.Added != b.N {
		b.Fatal(report, err)
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "rows/s")
}
