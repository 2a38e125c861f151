package service_test

import (
	"flag"
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/service"
	"github.com/callwright/callwright/internal/service/outreach"
)

// campaignModel is what a campaign must be like after random commands.
type campaignModel struct {
	*campaigning
	r        *rapid.T
	state    domain.CampaignState
	numbers  map[string]bool
	ended    map[domain.ID]domain.RecipientState // contacts that are finished
	live     []*service.Dial
	answered int
}

// TestCampaignCounts has campaigns go on at random and compares what they count
// with a model and with their contacts, after each step.
func TestCampaignCounts(t *testing.T) {
	checks := flag.Lookup("rapid.checks")
	if before := checks.Value.String(); before == checks.DefValue { // each has a database to wait for
		t.Cleanup(func() { _ = checks.Value.Set(before) })
		if err := checks.Value.Set("12"); err != nil {
			t.Fatal(err)
		}
	}
	k := newCampaigning(t, 0, nil)
	agent := k.agent(k.test).ID
	rapid.Check(t, func(r *rapid.T) {
		most := rapid.IntRange(1, 4).Draw(r, "at once")
		c, err := k.CreateCampaign(t.Context(), k.test, outreach.CampaignChange{
			Kind: domain.KindCampaign, Name: new("random"), AgentID: &agent, MaxConcurrent: &most,
			Retry: &domain.Retry{MaxAttempts: rapid.IntRange(1, 3).Draw(r, "tries"), Gaps: []time.Duration{time.Hour}},
		}, nil)
		k.ok(err)
		k.id, k.epoch = c.ID, k.join() // a lease lasts 15 s
		m := &campaignModel{campaigning: k, r: r, state: domain.CampaignActive, numbers: map[string]bool{}, ended: map[domain.ID]domain.RecipientState{}}
		m.add()
		m.agrees("being made")
		for range rapid.IntRange(4, 12).Draw(r, "steps") {
			what := rapid.SampledFrom([]string{"add", "dial", "dial", "finish", "finish", "state", "pass"}).Draw(r, "step")
			switch what {
			case "add":
				m.add()
			case "dial":
				m.dial()
			case "finish":
				m.finish()
			case "state":
				m.change(rapid.SampledFrom([]domain.CampaignState{domain.CampaignActive, domain.CampaignPaused, domain.CampaignPaused,
					domain.CampaignCompleted, domain.CampaignCancelled}).Draw(r, "state"))
			case "pass":
				m.pass(time.Duration(rapid.IntRange(1, 180).Draw(r, "minutes")) * time.Minute)
			}
			m.agrees(what)
		}
		m.comesToAnEnd()
	})
}

// add adds numbers of a few, so that some are there already.
func (m *campaignModel) add() {
	m.Helper()
	req := outreach.AddRequest{}
	fresh := 0
	for range rapid.IntRange(1, 5).Draw(m.r, "contacts") {
		number := fmt.Sprintf("+1500777%04d", 1000+rapid.IntRange(0, 15).Draw(m.r, "number"))
		req.Contacts = append(req.Contacts, outreach.NewRecipient{Phone: number})
		if !m.state.Ended() && !m.numbers[number] {
			m.numbers[number] = true
			fresh++
		}
	}
	added, err := m.AddContacts(m.Context(), m.test, m.id, req, nil)
	if m.state.Ended() {
		m.code(err, domain.CodeConflict)
		return
	}
	m.ok(err)
	if want := (outreach.Added{Added: fresh, Duplicates: len(req.Contacts) - fresh, Total: len(m.numbers)}); *added != want {
		m.Fatalf("added %+v, want %+v", *added, want)
	}
}

func (m *campaignModel) dial() {
	m.Helper()
	dials := m.dialed()
	if len(dials) > 0 && m.state != domain.CampaignActive {
		m.Fatalf("%d calls of a campaign that is %s", len(dials), m.state)
	}
	m.live = append(m.live, dials...)
}

// finish ends one of the calls that are under way.
func (m *campaignModel) finish() {
	m.Helper()
	if len(m.live) == 0 {
		return
	}
	i := rapid.IntRange(0, len(m.live)-1).Draw(m.r, "call")
	d := m.live[i]
	m.live = append(m.live[:i:i], m.live[i+1:]...)
	switch how := rapid.SampledFrom([]domain.EndReason{
		domain.EndFlow, domain.EndVoicemail, domain.EndBusy, domain.EndNoAnswer, domain.EndInvalidNumber, domain.EndCongestion, domain.EndDeclined,
	}).Draw(m.r, "how"); how {
	case domain.EndFlow:
		m.over(d, how, time.Minute)
		m.answered++
	case domain.EndVoicemail:
		m.over(d, how, time.Minute)
	default:
		m.over(d, how, 0)
	}
}

func (m *campaignModel) change(to domain.CampaignState) {
	m.Helper()
	_, err := m.UpdateCampaign(m.Context(), m.test, domain.KindCampaign, m.id, outreach.CampaignChange{State: &to})
	if m.state.Ended() && to != m.state {
		m.code(err, domain.CodeInvalid)
		return
	}
	m.ok(err)
	m.state = to
}

// agrees fails unless the counts are those of the contacts and of the model.
func (m *campaignModel) agrees(after string) {
	m.Helper()
	rows, c, total, err := m.Recipients(m.Context(), m.test, domain.KindCampaign, m.id, domain.RecipientFilter{}, domain.Page{})
	m.ok(err)
	if m.state == domain.CampaignActive && c.State == domain.CampaignCompleted && len(m.live) == 0 && c.Counts.Waiting == 0 {
		m.state = c.State // by itself
	}
	var n domain.CampaignCounts
	for _, r := range rows {
		switch r.State {
		case domain.RecipientWaiting:
			n.Waiting++
		case domain.RecipientActive:
			n.Active++
		case domain.RecipientCompleted:
			n.Completed++
		case domain.RecipientFailed:
			n.Failed++
		}
		charged := 0
		for _, try := range r.Tries {
			if try.Charged {
				charged++
			}
		}
		if was, over := m.ended[r.ID]; over && was != r.State || charged > c.Retry.MaxAttempts {
			m.Fatalf("after %s: %s was %s and is %s, after %d of %d tries", after, r.Phone, was, r.State, charged, c.Retry.MaxAttempts)
		}
		if r.State.Ended() {
			m.ended[r.ID] = r.State
		}
	}
	got := c.Counts
	n.Answered, n.Talk, n.Spent, n.LastAt, n.Abandoned = m.answered, got.Talk, got.Spent, got.LastAt, 0
	if got != n || total != len(m.numbers) || total != got.Total() || c.State != m.state {
		m.Fatalf("after %s: %s with %+v of %d; its %d contacts say %+v, and the model %s with %d", after, c.State, got, total, len(rows), n, m.state, len(m.numbers))
	}
	if c.State.Ended() && n.Waiting > 0 || n.Active < len(m.live) {
		m.Fatalf("after %s: %s with %+v while %d calls are under way", after, c.State, n, len(m.live))
	}
}

// comesToAnEnd goes on until nothing is left to do.
func (m *campaignModel) comesToAnEnd() {
	m.Helper()
	if m.state == domain.CampaignPaused {
		m.change(domain.CampaignActive)
	}
	for range 200 {
		m.dial()
		for len(m.live) > 0 {
			m.finish()
		}
		m.agrees("all calls")
		if m.state.Ended() {
			return
		}
		m.pass(3 * time.Hour)
	}
	m.Fatal("the campaign does not come to an end")
}
