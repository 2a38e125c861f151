package outreach_test

import (
	"archive/zip"
	"context"
	"io"
	"log/slog"
	"testing"
	"testing/fstest"
	"time"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/phone"
	"github.com/callwright/callwright/internal/service/outreach"
	"github.com/callwright/callwright/internal/service/rule"
	"github.com/callwright/callwright/internal/store"
	"github.com/callwright/callwright/internal/store/storetest"
)

// packed returns the file of a time zone out of the database that is compiled in.
func packed(t *testing.T, name string) []byte {
	t.Helper()
	z, err := zip.OpenReader("../../phone/zones.zip")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = z.Close() }()
	f, err := z.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := io.ReadAll(f)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// TestNewerZonesOfTheSystemDecide has a system whose time zones are newer than
// those that are compiled in, and older ones: only the newer move the hours.
func TestNewerZonesOfTheSystemDecide(t *testing.T) {
	db, err := store.Open(t.Context(), store.Options{Dir: storetest.Dir(t), DSN: storetest.URL(t), Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	in := domain.Scope{Workspace: domain.NewID(), Mode: domain.Live}
	err = db.InTx(t.Context(), domain.LaneAPI, func(ctx context.Context, st *domain.Stores) error {
		return st.Workspaces.Create(ctx, &domain.Workspace{ID: in.Workspace, Name: "W", Timezone: "UTC", CreatedAt: time.Now()})
	})
	if err != nil {
		t.Fatal(err)
	}
	o := outreach.New(rule.Kit{Store: db, Now: time.Now, Log: slog.New(slog.DiscardHandler)}, outreach.Options{})
	const newYorker = "+12125550123"
	allowed := func(hour int) bool {
		t.Helper()
		at := time.Date(2027, 1, 13, hour, 0, 0, 0, time.UTC) // a Wednesday
		a, err := o.CheckDialing(t.Context(), in, outreach.DialingQuestion{To: newYorker, At: at})
		if err != nil {
			t.Fatal(err)
		}
		return a.Allowed
	}
	if !allowed(17) || allowed(5) {
		t.Fatal("noon in New York is not what it is")
	}
	tokyo := packed(t, "Asia/Tokyo")
	system := func(version string) fstest.MapFS {
		return fstest.MapFS{"+VERSION": {Data: []byte(version + "\n")}, "America/New_York": {Data: tokyo}}
	}
	if phone.PreferZones(system("2020a")) || !allowed(17) {
		t.Fatal("older zones of the system are used")
	}
	if !phone.PreferZones(system("2099a")) || phone.Zones().Version != "2099a" {
		t.Fatal("newer zones of the system are not used")
	}
	if allowed(17) || !allowed(5) { // as if New York were where Tokyo is
		t.Error("the hours are kept by the older zones")
	}
}
