package service_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/service/outreach"
	"github.com/callwright/callwright/internal/service/rule"
	"github.com/callwright/callwright/internal/sheet"
)

// batching is a kit with an agent and a node, for batches in test mode.
type batching struct {
	*campaigning
	agentID domain.ID
}

func newBatching(t *testing.T) *batching {
	t.Helper()
	k := newKit(t)
	return &batching{campaigning: &campaigning{kit: k, epoch: k.join()}, agentID: k.agent(k.test).ID}
}

// csvOf is a sheet of the rows from first on, which are n.
func csvOf(first, n int) string {
	var b strings.Builder
	b.WriteString("phone_number,first_name,plan\n")
	for i := range n {
		fmt.Fprintf(&b, "+1500%07d,Ann,gold\n", first+i)
	}
	return b.String()
}

func (k *batching) change() outreach.CampaignChange {
	return outreach.CampaignChange{Name: new("list.csv"), AgentID: &k.agentID}
}

func (k *batching) start(r io.Reader) (*outreach.BatchStarted, error) {
	k.Helper()
	return k.StartBatch(k.Context(), k.test, k.change(), r, nil)
}

// batches are all that are there, the newest first.
func (k *batching) batches() []outreach.CampaignDetail {
	k.Helper()
	list, _, err := k.Campaigns(k.Context(), k.test, domain.CampaignFilter{Kind: domain.KindBatch}, domain.Page{})
	k.ok(err)
	return list
}

// counted fails unless the batch has this state and these counts.
func (k *batching) counted(id domain.ID, state domain.CampaignState, want [4]int) {
	k.Helper()
	c, err := k.Campaign(k.Context(), k.test, domain.KindBatch, id)
	k.ok(err)
	got := [4]int{c.Counts.Waiting, c.Counts.Active, c.Counts.Completed, c.Counts.Failed}
	if c.State != state || got != want {
		k.Fatalf("the batch is %s with %v, want %s with %v", c.State, got, state, want)
	}
}

// TestBatch makes a small batch of a sheet with good, bad and repeated rows. Each
// number is called once, with what its row says.
func TestBatch(t *testing.T) {
	k := newBatching(t)
	started, err := k.start(strings.NewReader("Phone Number;First Name;plan;state\n+15005550006;Ann;gold;NY\n12;Bob;;\n\n+15005550001;Cid;;\n+15005550006;Dan;;\n+15005550007;" +
		strings.Repeat("e", 300) + ";;\n"))
	k.ok(err)
	r := started.Import
	if r.Rows != 5 || r.Added != 2 || r.Duplicates != 1 || r.Invalid != 2 || r.Total != 2 || r.Faults != 2 || len(r.Errors) != 2 ||
		r.Errors[0].Line != 3 || r.Errors[0].Column != "Phone Number" || r.Errors[1].Line != 7 || len(r.Headers) != 4 {
		t.Fatalf("%+v", r)
	}
	k.counted(started.ID, domain.CampaignActive, [4]int{2, 0, 0, 0})
	dials := k.dialed()
	if len(dials) != 2 || dials[0].Call.CampaignID != started.ID {
		t.Fatalf("%d calls", len(dials))
	}
	for _, d := range dials {
		if d.Call.To == "+15005550006" {
			if v := d.Call.Variables; v["first_name"] != "Ann" || v["plan"] != "gold" || v["state"] != "NY" {
				t.Errorf("the call knows %v", v)
			}
			k.over(d, domain.EndFlow, time.Minute)
			continue
		}
		k.over(d, domain.EndBusy, 0)
	}
	k.plan()
	k.counted(started.ID, domain.CampaignCompleted, [4]int{0, 0, 1, 1})
	c, last, err := k.CampaignProgress(t.Context(), k.test, domain.KindBatch, started.ID)
	k.ok(err)
	if c.Counts.Talk != time.Minute || len(last) != 2 || last[0].Phone != "+15005550006" || last[0].Call.Duration() != time.Minute || last[0].Line != 2 {
		t.Errorf("%+v, %+v", c.Counts, last)
	}
}

// TestBatchRefused: nothing is stored of a batch that is refused.
func TestBatchRefused(t *testing.T) {
	k := newBatching(t)
	_, err := k.start(strings.NewReader("phone_number\n1\n2\n"))
	k.code(err, domain.CodeInvalid)
	var shown *domain.Error
	if !errors.As(err, &shown) || len(shown.Detail.([]sheet.Fault)) != 2 || !strings.Contains(err.Error(), "none of the 2 rows") {
		t.Errorf("%+v", err)
	}
	for _, file := range []string{"", "phone_number\n", "name\nAnn\n", "PK\x03\x04"} {
		_, err = k.start(strings.NewReader(file))
		k.code(err, domain.CodeInvalid)
	}
	nobody := k.change()
	nobody.AgentID = new(domain.NewID())
	for _, rows := range []int{1, 501} {
		_, err = k.StartBatch(t.Context(), k.test, nobody, strings.NewReader(csvOf(0, rows)), nil)
		k.code(err, domain.CodeNotFound)
	}
	if list := k.batches(); len(list) != 0 {
		t.Fatalf("%+v", list)
	}
}

// reading calls at once, when a reader of it is past so many bytes.
type reading struct {
	io.Reader
	left int
	at   func() error
}

func (r *reading) Read(p []byte) (int, error) {
	n, err := r.Reader.Read(p)
	if r.left -= n; r.left < 0 && r.at != nil {
		at := r.at
		r.at = nil
		if err := at(); err != nil {
			return 0, err
		}
	}
	return n, err
}

// large is a sheet that takes several transactions.
const large = 4_321

func largeSheet(at func() error) io.Reader {
	text := csvOf(0, large)
	return &reading{Reader: strings.NewReader(text + csvOf(0, 100)[len("phone_number,first_name,plan\n"):]), left: len(text) * 3 / 4, at: at}
}

// TestBatchLarge: nobody of a batch is dialed before all of it is there, and it is
// one batch however often its request comes.
func TestBatchLarge(t *testing.T) {
	k := newBatching(t)
	once := &rule.Once[outreach.BatchStarted]{OnceKey: rule.OnceKey{KeyID: domain.NewID(), Key: "k", RequestHash: []byte("h")},
		Render: func(*outreach.BatchStarted) (int, []byte, error) { return 200, []byte("{}"), nil }}
	looked := false
	started, err := k.StartBatch(t.Context(), k.test, k.change(), largeSheet(func() error {
		looked = true
		k.pass(time.Minute) // within the lease
		list := k.batches()
		if len(list) != 1 || list[0].State != domain.CampaignImporting || list[0].Counts.Waiting < 1_000 {
			return fmt.Errorf("the batch is %+v", list)
		}
		if dials := k.dialed(); len(dials) != 0 {
			return fmt.Errorf("%d were dialed", len(dials))
		}
		if stored, err := k.Replay(t.Context(), k.test, once.OnceKey); stored != nil || err != nil {
			return fmt.Errorf("answered already: %+v, %w", stored, err)
		}
		return nil
	}), once)
	k.ok(err)
	if r := started.Import; !looked || r.Rows != large+100 || r.Added != large || r.Duplicates != 100 || r.Total != large {
		t.Fatalf("%v, %+v", looked, r)
	}
	k.counted(started.ID, domain.CampaignActive, [4]int{large, 0, 0, 0})
	if dials := k.dialed(); len(dials) == 0 {
		t.Fatal("nobody is dialed")
	}
	// The same request in another process: its batch is gone again.
	_, err = k.StartBatch(t.Context(), k.test, k.change(), largeSheet(nil), once)
	k.code(err, domain.CodeConflict)
	if list := k.batches(); len(list) != 1 {
		t.Fatalf("%d batches", len(list))
	}
}

// TestBatchBrokenOff: nothing is left of a batch whose sheet could not be read, or
// that nobody waits for any more.
func TestBatchBrokenOff(t *testing.T) {
	k := newBatching(t)
	_, err := k.start(largeSheet(func() error { return errors.New("the disk is gone") }))
	k.code(err, domain.CodeInternal)
	ctx, cancel := context.WithCancel(t.Context())
	_, err = k.StartBatch(ctx, k.test, k.change(), largeSheet(func() error { cancel(); return nil }), nil)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	if list := k.batches(); len(list) != 0 {
		t.Fatalf("%+v", list)
	}
}

// TestBatchDied: a batch whose import died with its process is cancelled when its
// lease is over, and nobody of it is ever dialed.
func TestBatchDied(t *testing.T) {
	k := newBatching(t)
	died := make(chan struct{})
	go func() {
		defer close(died)
		_, _ = k.start(largeSheet(func() error { runtime.Goexit(); return nil }))
	}()
	<-died
	list := k.batches()
	if len(list) != 1 || list[0].State != domain.CampaignImporting {
		t.Fatalf("%+v", list)
	}
	stored := list[0].Counts.Waiting
	k.pass(time.Minute)
	if dials := k.dialed(); len(dials) != 0 {
		t.Fatalf("%d were dialed", len(dials))
	}
	k.counted(list[0].ID, domain.CampaignImporting, [4]int{stored, 0, 0, 0})
	k.pass(2 * time.Minute)
	if dials := k.dialed(); len(dials) != 0 {
		t.Fatalf("%d were dialed", len(dials))
	}
	k.counted(list[0].ID, domain.CampaignCancelled, [4]int{0, 0, 0, stored})
	started, err := k.start(largeSheet(nil))
	k.ok(err)
	k.counted(started.ID, domain.CampaignActive, [4]int{large, 0, 0, 0})
}

// TestBatchLapsed: an import that was taken for dead does not start its batch.
func TestBatchLapsed(t *testing.T) {
	k := newBatching(t)
	_, err := k.start(largeSheet(func() error {
		k.pass(time.Hour)
		k.plan()
		return nil
	}))
	k.code(err, domain.CodeConflict)
	if dials := k.dialed(); len(dials) != 0 {
		t.Fatalf("%d were dialed", len(dials))
	}
	list := k.batches()
	if len(list) != 1 || list[0].State != domain.CampaignCancelled || list[0].Counts.Waiting != 0 {
		t.Fatalf("%+v", list)
	}
}

// TestBatchCancelled: who waits is not called, calls that are under way go on, and
// the answer is the same each time.
func TestBatchCancelled(t *testing.T) {
	k := newBatching(t)
	started, err := k.start(largeSheet(nil))
	k.ok(err)
	k.pass(time.Second)
	dials := k.dialed()
	if len(dials) < 3 {
		t.Fatalf("%d calls", len(dials))
	}
	k.over(dials[0], domain.EndFlow, time.Minute)
	k.over(dials[1], domain.EndBusy, 0)
	_, err = k.CancelBatch(t.Context(), k.test, started.ID, 7)
	k.code(err, domain.CodePrecondition)
	for range 2 {
		c, err := k.CancelBatch(t.Context(), k.test, started.ID, 0)
		k.ok(err)
		if c.State != domain.CampaignCancelled || c.Completed != 1 || c.Failed != 1 || c.Stopped != large-2 {
			t.Fatalf("%+v", c)
		}
	}
	c, err := k.Campaign(t.Context(), k.test, domain.KindBatch, started.ID)
	k.ok(err)
	active := c.Counts.Active
	if c.Counts.Waiting != 0 || active < len(dials)-2 || c.Counts.Total() != large {
		t.Fatalf("%+v", c.Counts)
	}
	if more := k.dialed(); len(more) != 0 {
		t.Fatalf("%d were dialed for a batch that is cancelled", len(more))
	}
	for _, d := range dials[2:] {
		k.over(d, domain.EndFlow, time.Minute)
	}
	k.counted(started.ID, domain.CampaignCancelled, [4]int{0, 0, len(dials) - 1, large - len(dials) + 1})
	rows, _, total, err := k.Contacted(t.Context(), k.test, domain.KindBatch, started.ID, domain.RecipientFilter{State: domain.RecipientFailed}, domain.Page{Limit: 5, Offset: 100})
	k.ok(err)
	if total != large-len(dials)+1 || len(rows) != 5 || rows[0].Why != domain.ReasonCancelled || rows[0].Call != nil {
		t.Errorf("%d, %+v", total, rows)
	}
	_, err = k.CancelBatch(t.Context(), k.prod, started.ID, 0)
	k.code(err, domain.CodeNotFound)
}

// TestBatchOverThenCancelled: there is nothing to cancel about a batch that is over.
func TestBatchOverThenCancelled(t *testing.T) {
	k := newBatching(t)
	started, err := k.start(strings.NewReader(csvOf(0, 1)))
	k.ok(err)
	k.over(k.dialed()[0], domain.EndFlow, time.Minute)
	k.plan()
	_, err = k.CancelBatch(t.Context(), k.test, started.ID, 0)
	k.code(err, domain.CodeConflict)
}

// TestImportContacts adds a sheet to a campaign, and once more: nobody is added
// twice.
func TestImportContacts(t *testing.T) {
	k := newCampaigning(t, 2, nil)
	const rows = large
	for i, want := range []outreach.ImportReport{{Added: rows}, {Duplicates: rows}} {
		report, err := k.ImportContacts(t.Context(), k.test, k.id, strings.NewReader(csvOf(0, rows)+"nonsense,x\n"), nil)
		k.ok(err)
		if report.Rows != rows+1 || report.Added != want.Added || report.Duplicates != want.Duplicates || report.Invalid != 1 || report.Total != rows+2 {
			t.Fatalf("time %d: %+v", i, report)
		}
	}
	k.stands(domain.CampaignActive, rows+2, 0, 0, 0)
	// What was stored before the rest could not be read stays.
	text := csvOf(10_000, rows)
	_, err := k.ImportContacts(t.Context(), k.test, k.id, &reading{Reader: strings.NewReader(text), left: len(text) * 3 / 4, at: func() error { return io.ErrUnexpectedEOF }}, nil)
	k.code(err, domain.CodeInternal)
	c := k.campaign()
	if n := c.Counts.Waiting - rows - 2; n < 500 || n >= rows || n%500 != 0 {
		t.Fatalf("%d were added", n)
	}
	report, err := k.ImportContacts(t.Context(), k.test, k.id, strings.NewReader(text), nil)
	k.ok(err)
	if report.Total != 2*rows+2 || report.Added == rows || report.Added+report.Duplicates != rows {
		t.Fatalf("%+v", report)
	}
	if dials := k.dialed(); len(dials) == 0 {
		t.Fatal("nobody is dialed")
	}
	_, err = k.UpdateCampaign(t.Context(), k.test, domain.KindCampaign, k.id, outreach.CampaignChange{State: new(domain.CampaignCancelled)})
	k.ok(err)
	_, err = k.ImportContacts(t.Context(), k.test, k.id, strings.NewReader(csvOf(50_000, 1)), nil)
	k.code(err, domain.CodeConflict)
	_, err = k.ImportContacts(t.Context(), k.prod, k.id, strings.NewReader(csvOf(50_000, 1)), nil)
	k.code(err, domain.CodeNotFound)
}

// campaign is the campaign as it is.
func (k *campaigning) campaign() *outreach.CampaignDetail {
	k.Helper()
	c, err := k.Campaign(k.Context(), k.test, domain.KindCampaign, k.id)
	k.ok(err)
	return c
}

// TestImportFaults: the first thousand faults are told, and all are counted.
func TestImportFaults(t *testing.T) {
	k := newCampaigning(t, 0, nil)
	report, err := k.ImportContacts(t.Context(), k.test, k.id, strings.NewReader("phone_number,email,timezone\n"+strings.Repeat("1,a,Mars\n", 1_501)), nil)
	k.ok(err)
	if report.Invalid != 1_501 || report.Faults != 3_002 || len(report.Errors) != 1_000 || report.Added != 0 {
		t.Fatalf("%d invalid, %d faults, %d told", report.Invalid, report.Faults, len(report.Errors))
	}
}

// TestCheckSheet tells what an import would do.
func TestCheckSheet(t *testing.T) {
	check, err := outreach.CheckSheet(strings.NewReader("Phone,plan\n+15005550001,gold\n+1 (500) 555-0001,\nx,y,z\n+15005550002,silver\n"), domain.Test, 3)
	if err != nil {
		t.Fatal(err)
	}
	if check.Rows != 4 || check.Added != 2 || check.Duplicates != 1 || check.Invalid != 1 || len(check.Preview) != 3 ||
		check.Preview[1]["Phone"] != "+1 (500) 555-0001" || check.Preview[2]["plan"] != "y" {
		t.Errorf("%+v", check)
	}
	if check, err = outreach.CheckSheet(strings.NewReader("phone\n+11115550001\n"), domain.Live, 3); err != nil || check.Invalid != 1 {
		t.Errorf("live: %+v, %v", check, err)
	}
}
