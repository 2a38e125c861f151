package doctor

import (
	"context"
	"errors"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"time"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/store"
)

// trunkCheck is a trunk of the database and where it is.
type trunkCheck struct {
	domain.Trunk
	numbers int          // that use it
	uri     string       // of its server
	addrs   []netip.Addr // of its host, when that could be resolved
	problem error        // why it could not
}

// title names a trunk for people.
func (t *trunkCheck) title() string {
	if t.Name != "" {
		return t.Name
	}
	return string(t.ID)
}

// database opens the database beside a server that may be running, and returns
// the SIP trunks that it holds.
func (x *examination) database(ctx context.Context) []trunkCheck {
	if x.Database == "" {
		_, err := os.Stat(filepath.Join(x.Data, store.File))
		if errors.Is(err, fs.ErrNotExist) {
			x.ok("there is no database yet; the first start makes one")
			return nil
		}
	}
	began := time.Now()
	db, err := store.Open(ctx, store.Options{Dir: x.Data, DSN: x.Database, Key: x.known(), Shared: true})
	if err != nil {
		x.broken("see the message; \"callwright migrate\" brings old tables up to date", "the database cannot be used: %v", plain(err))
		return nil
	}
	defer func() { _ = db.Close() }()
	var trunks []trunkCheck
	err = db.View(ctx, func(ctx context.Context, s *domain.Stores) (err error) {
		trunks, err = listTrunks(ctx, s)
		return err
	})
	if err != nil {
		x.broken("restore a backup, or look at the database's own log", "the database cannot be read: %v", plain(err))
		return nil
	}
	x.ok("the database opens and answers within %v", time.Since(began).Round(time.Millisecond))
	if db.Sealed() {
		x.ok("the secrets in it are sealed, and the key from %s opens them", x.Key.From)
	} else {
		x.warn("start the server: it seals them", "the secrets in the database are kept as they are")
	}
	for i := range trunks {
		trunks[i].resolve(ctx)
	}
	return trunks
}

// known is the key to secrets that are sealed already: looking makes none.
func (x *examination) known() store.Key {
	return store.Key{From: x.Key.From, Bytes: func(sealed bool) ([]byte, error) {
		if !sealed || x.Key.Bytes == nil {
			return nil, nil
		}
		return x.Key.Bytes(true)
	}}
}

// listTrunks returns the trunks of live mode that lead to SIP peers.
func listTrunks(ctx context.Context, s *domain.Stores) ([]trunkCheck, error) {
	w, err := s.Workspaces.First(ctx)
	if domain.CodeOf(err) == domain.CodeNotFound {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	in := domain.Scope{Workspace: w.ID, Mode: domain.Live}
	page := domain.Page{Limit: 200}
	trunks, err := s.Trunks.List(ctx, in, page)
	if err != nil {
		return nil, err
	}
	numbers, err := s.Numbers.List(ctx, in, page)
	if err != nil {
		return nil, err
	}
	var out []trunkCheck
	for _, t := range trunks {
		if t.Carrier != domain.CarrierSIP {
			continue
		}
		c := trunkCheck{Trunk: t}
		for _, n := range numbers {
			if n.TrunkID == t.ID {
				c.numbers++
			}
		}
		out = append(out, c)
	}
	return out, nil
}
