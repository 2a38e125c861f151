package service_test

import (
	"context"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/service/outreach"
)

// finish has all who wait for a call finished, and the dialer look at it.
func (k *campaigning) finish() {
	k.Helper()
	k.ok(k.store.InTx(k.Context(), domain.LaneAPI, func(ctx context.Context, st *domain.Stores) error {
		if _, err := st.Recipients.Expire(ctx, k.id, domain.ReasonDoNotCall, k.now(), large); err != nil {
			return err
		}
		return st.Dialing.Wake(ctx, k.id, k.now())
	}))
	k.plan()
}

// importing sends a sheet to the campaign; at runs when three quarters of it are
// read.
func (k *campaigning) importing(at func() error) (*outreach.ImportReport, error) {
	text := csvOf(0, large)
	r := &reading{Reader: strings.NewReader(text), left: len(text) * 3 / 4, at: at}
	return k.ImportContacts(k.Context(), k.test, k.id, r, nil)
}

// TestImportKeepsCampaign: a campaign does not end while a sheet is read into it,
// though all who were stored so far are finished. One whose import died waits for
// the sheet to be sent again.
func TestImportKeepsCampaign(t *testing.T) {
	k := newCampaigning(t, 0, nil)
	report, err := k.importing(func() error { k.finish(); return nil })
	k.ok(err)
	if report.Added != large || k.campaign().Counts.Failed == 0 {
		t.Fatalf("%+v", report)
	}
	k.finish()
	k.stands(domain.CampaignCompleted, 0, 0, 0, large)

	k = newCampaigning(t, 0, nil)
	_, err = k.importing(func() error { k.finish(); return io.ErrUnexpectedEOF })
	k.code(err, domain.CodeInternal)
	k.pass(time.Minute)
	k.finish()
	if c := k.campaign(); c.State != domain.CampaignActive || c.Counts.Waiting != 0 {
		t.Fatalf("after the import died: %+v", c)
	}
	report, err = k.importing(nil)
	k.ok(err)
	if report.Total != large || report.Added+report.Duplicates != large || report.Added == large {
		t.Fatalf("%+v", report)
	}
	_, err = k.importing(func() error { return io.ErrUnexpectedEOF })
	k.code(err, domain.CodeInternal)
	k.finish()
	k.stands(domain.CampaignActive, 0, 0, 0, large)
	k.pass(2*time.Minute + time.Second)
	k.plan()
	k.stands(domain.CampaignCompleted, 0, 0, 0, large)
}
