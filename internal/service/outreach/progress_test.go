package outreach

import (
	"testing"
	"time"

	"github.com/callwright/callwright/internal/compliance"
	"github.com/callwright/callwright/internal/domain"
)

// TestExpectedEnd tells the end by the pace so far.
func TestExpectedEnd(t *testing.T) {
	at := func(s string) time.Time {
		t.Helper()
		if s == "" {
			return time.Time{}
		}
		when, err := time.Parse("2006-01-02 15:04", s)
		if err != nil {
			t.Fatal(err)
		}
		return when
	}
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	office := &compliance.Window{Zone: time.UTC, From: 9 * 60, To: 17 * 60}
	night := &compliance.Window{Zone: time.UTC, From: 20 * 60, To: 4 * 60}
	local := &compliance.Window{Zone: berlin, From: 9 * 60, To: 24 * 60}
	for _, c := range []struct {
		what       string
		began, now string
		done, left int
		window     *compliance.Window
		want       string
	}{
		{"an hour for a half", "2026-03-02 10:00", "2026-03-02 11:00", 50, 50, nil, "2026-03-02 12:01"},
		{"a tenth an hour", "2026-03-02 10:00", "2026-03-02 11:00", 10, 90, nil, "2026-03-02 20:01"},
		{"within the window", "2026-03-02 10:00", "2026-03-02 11:00", 10, 50, office, "2026-03-02 16:01"},
		{"on the next day", "2026-03-02 10:00", "2026-03-02 11:00", 10, 90, office, "2026-03-03 12:01"},
		{"asked at night", "2026-03-02 10:00", "2026-03-02 23:00", 70, 10, office, "2026-03-03 10:01"},
		{"asked on the third morning", "2026-03-02 16:00", "2026-03-04 10:00", 100, 100, office, "2026-03-05 12:01"},
		{"over midnight", "2026-03-02 22:00", "2026-03-02 23:00", 1, 4, night, "2026-03-03 03:01"},
		{"after midnight", "2026-03-02 22:00", "2026-03-03 02:00", 4, 4, night, "2026-03-03 22:01"},
		{"in its zone", "2026-03-02 08:00", "2026-03-02 22:00", 15, 15, local, "2026-03-03 21:01"},
		{"it began at this moment", "2026-03-02 10:00", "2026-03-02 10:00", 1, 120, nil, "2026-03-02 10:03"},
		{"nobody finished", "2026-03-02 10:00", "2026-03-02 11:00", 0, 50, nil, ""},
		{"nobody left", "2026-03-02 10:00", "2026-03-02 11:00", 50, 0, nil, ""},
		{"not begun", "", "2026-03-02 11:00", 1, 1, nil, ""},
		{"too far away", "2026-03-02 10:00", "2026-03-02 11:00", 1, 1_000_000, nil, ""},
		{"too far away for its window", "2026-03-02 10:00", "2026-03-02 11:00", 1, 8_000, office, ""},
	} {
		campaign := &domain.Campaign{State: domain.CampaignActive, StartedAt: at(c.began)}
		counts := domain.CampaignCounts{Completed: c.done / 2, Failed: c.done - c.done/2, Waiting: c.left / 2, Active: c.left - c.left/2}
		if got := expectedEnd(campaign, counts, c.window, at(c.now)); !got.Equal(at(c.want)) {
			t.Errorf("%s: %s, want %s", c.what, got, c.want)
		}
		campaign.State = domain.CampaignPaused
		if got := expectedEnd(campaign, counts, c.window, at(c.now)); !got.IsZero() {
			t.Errorf("%s, paused: %s", c.what, got)
		}
	}
}
