package store_test

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/store"
	"github.com/callwright/callwright/internal/store/storetest"
)

// planted is in every secret of the tests below.
const planted = "pl4nted-s3cret"

// vault is one of each row that has secrets.
type vault struct {
	endpoint domain.Endpoint
	trunk    domain.Trunk
	call     domain.Call
	answer   domain.Idempotent
}

var vaultScope = domain.Scope{Workspace: "aaaaaaaaaaaaaaaaaaaaaaaa", Mode: domain.Live}

func newVault() *vault {
	w, m := vaultScope.Workspace, vaultScope.Mode
	return &vault{
		endpoint: domain.Endpoint{ID: domain.NewID(), WorkspaceID: w, Mode: m, Secret: planted + "-a", OldSecret: planted + "-b", Events: []string{"*"}, Version: 1},
		trunk:    domain.Trunk{ID: domain.NewID(), WorkspaceID: w, Mode: m, Password: planted + "-c", Incoming: domain.Incoming{Username: "u", Password: planted + "-d"}, Version: 1},
		call:     domain.Call{ID: domain.NewID(), WorkspaceID: w, Mode: m, State: domain.CallQueued, Callback: &domain.Callback{URL: "https://x.example", Secret: planted + "-e"}},
		answer:   domain.Idempotent{WorkspaceID: w, Mode: m, KeyID: "k", Key: string(domain.NewID()), Body: []byte(`{"secret":"` + planted + `-f"}`)},
	}
}

func (v *vault) put(t *testing.T, db *store.DB) {
	t.Helper()
	err := db.InTx(t.Context(), domain.LaneAPI, func(ctx context.Context, s *domain.Stores) error {
		e, tr, c := v.endpoint, v.trunk, v.call
		return errors.Join(s.Endpoints.Create(ctx, &e), s.Trunks.Create(ctx, &tr), s.Calls.Create(ctx, &c), s.Idempotency.Create(ctx, &v.answer))
	})
	if err != nil {
		t.Fatal(err)
	}
}

// see checks that every way to read the rows shows their secrets.
func (v *vault) see(t *testing.T, db *store.DB) {
	t.Helper()
	var got []string
	err := db.View(t.Context(), func(ctx context.Context, s *domain.Stores) error {
		e, err1 := s.Endpoints.Get(ctx, vaultScope, v.endpoint.ID)
		list, err2 := s.Endpoints.List(ctx, vaultScope, domain.Page{})
		tr, err3 := s.Trunks.Get(ctx, vaultScope, v.trunk.ID)
		all, err4 := s.Trunks.All(ctx)
		c, err5 := s.Calls.ByID(ctx, v.call.ID)
		calls, _, err6 := s.Calls.List(ctx, vaultScope, domain.CallFilter{}, domain.Page{Limit: 9})
		answer, err7 := s.Idempotency.Get(ctx, vaultScope, "k", v.answer.Key)
		if err := errors.Join(err1, err2, err3, err4, err5, err6, err7); err != nil {
			return err
		}
		got = []string{e.Secret, e.OldSecret, list[0].Secret, tr.Password, tr.Incoming.Password, all[0].Password, c.Callback.Secret, calls[0].Callback.Secret, string(answer.Body)}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	p := planted
	if want := []string{p + "-a", p + "-b", p + "-a", p + "-c", p + "-d", p + "-c", p + "-e", p + "-e", `{"secret":"` + p + `-f"}`}; !reflect.DeepEqual(got, want) {
		t.Errorf("read  %q\nwant  %q", got, want)
	}
}

// kept says whether the database holds what was planted as it is: in the files
// of SQLite, or in the rows of PostgreSQL.
func kept(t *testing.T, dir, url string) bool {
	t.Helper()
	if url != "" {
		var n int
		err := beside(t, dir, url).QueryRow(`SELECT (SELECT count(*) FROM endpoints t WHERE t::text LIKE $1) + (SELECT count(*) FROM trunks t WHERE t::text LIKE $1) +
			(SELECT count(*) FROM calls t WHERE t::text LIKE $1) + (SELECT count(*) FROM idempotency WHERE encode(body, 'escape') LIKE $1)`, "%"+planted+"%").Scan(&n)
		if err != nil {
			t.Fatal(err)
		}
		return n > 0
	}
	found := false
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		raw, err := os.ReadFile(path)
		found = found || bytes.Contains(raw, []byte(planted))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// TestSecretsAreSealed takes a database whose secrets are kept as they are, and
// one that never had such.
func TestSecretsAreSealed(t *testing.T) {
	for name, plain := range map[string]bool{"from the beginning": false, "later": true} {
		t.Run(name, func(t *testing.T) {
			dir, url, v := storetest.Dir(t), storetest.URL(t), newVault()
			open := func(key store.Key) (*store.DB, error) {
				return store.Open(t.Context(), store.Options{Dir: dir, DSN: url, Key: key})
			}
			with := func(key store.Key, do func(*testing.T, *store.DB)) {
				t.Helper()
				db, err := open(key)
				if err != nil {
					t.Fatal(err)
				}
				do(t, db)
				if kept(t, dir, url) != (plain && key.Bytes == nil) {
					t.Error("secrets lie in the database as they are, or do not where they should")
				}
				if err := db.Close(); err != nil {
					t.Fatal(err)
				}
			}
			keys := t.TempDir()
			if plain {
				with(store.Key{}, v.put)
				with(store.KeyFile(keys), v.see)
				plain = false
			} else {
				with(store.KeyFile(keys), v.put)
			}
			with(store.KeyFile(keys), v.see)
			refuses(t, open, keys)
			with(store.Key{}, func(t *testing.T, db *store.DB) { v.locked(t, db) })
			with(store.KeyFile(keys), func(t *testing.T, db *store.DB) { v.change(t, db); v.see(t, db) })
		})
	}
}

// change stores the rows once more.
func (v *vault) change(t *testing.T, db *store.DB) {
	t.Helper()
	err := db.InTx(t.Context(), domain.LaneAPI, func(ctx context.Context, s *domain.Stores) error {
		e, err1 := s.Endpoints.Get(ctx, vaultScope, v.endpoint.ID)
		tr, err2 := s.Trunks.Get(ctx, vaultScope, v.trunk.ID)
		c, err3 := s.Calls.ByID(ctx, v.call.ID)
		if err := errors.Join(err1, err2, err3); err != nil {
			return err
		}
		if err := errors.Join(s.Endpoints.Update(ctx, e), s.Trunks.Update(ctx, tr), s.Calls.Update(ctx, c)); err != nil {
			return err
		}
		if e.Secret != v.endpoint.Secret || !reflect.DeepEqual(tr.Incoming, v.trunk.Incoming) || c.Callback.Secret != v.call.Callback.Secret {
			t.Errorf("after an update they are %q, %+v, %+v", e.Secret, tr.Incoming, c.Callback)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// locked proves that without the key no secret is read or written, and the rest is.
func (v *vault) locked(t *testing.T, db *store.DB) {
	t.Helper()
	err := db.View(t.Context(), func(ctx context.Context, s *domain.Stores) error {
		if _, err := s.Endpoints.Get(ctx, vaultScope, v.endpoint.ID); domain.CodeOf(err) != domain.CodeInternal {
			t.Errorf("an endpoint's secret: %v", err)
		}
		_, err := s.Workspaces.First(ctx)
		return err
	})
	if err != nil && domain.CodeOf(err) != domain.CodeNotFound {
		t.Error(err)
	}
	err = db.InTx(t.Context(), domain.LaneAPI, func(ctx context.Context, s *domain.Stores) error {
		return s.Endpoints.Create(ctx, &domain.Endpoint{ID: domain.NewID(), WorkspaceID: vaultScope.Workspace, Mode: vaultScope.Mode, Secret: planted})
	})
	if domain.CodeOf(err) != domain.CodeInternal {
		t.Errorf("a secret is written without the key: %v", err)
	}
}

// refuses proves that a wrong or missing key opens nothing and changes nothing.
func refuses(t *testing.T, open func(store.Key) (*store.DB, error), keys string) {
	t.Helper()
	wrong := store.Key{From: "a drawer", Bytes: func(bool) ([]byte, error) { return bytes.Repeat([]byte{7}, 32), nil }}
	empty := t.TempDir()
	short := t.TempDir()
	if err := os.WriteFile(filepath.Join(short, "secret.key"), []byte("short"), 0o600); err != nil {
		t.Fatal(err)
	}
	for want, key := range map[string]store.Key{
		"another key than the one from a drawer":        wrong,
		"not at " + filepath.Join(empty, "secret.key"):  store.KeyFile(empty),
		filepath.Join(short, "secret.key") + " holds 5": store.KeyFile(short),
	} {
		db, err := open(key)
		if domain.CodeOf(err) != domain.CodeInvalid || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, %v", want, db, err)
		}
	}
	if left, err := os.ReadDir(empty); err != nil || len(left) != 0 {
		t.Errorf("a key was made for a database that has one: %v, %v", left, err)
	}
	if info, err := os.Stat(filepath.Join(keys, "secret.key")); err != nil || info.Mode().Perm() != 0o600 || info.Size() != 32 {
		t.Errorf("the key's file: %v, %v", info, err)
	}
}

// TestKeyIsMadeOnce has many want a key at once.
func TestKeyIsMadeOnce(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new")
	var keys [20][]byte
	var all sync.WaitGroup
	for i := range keys {
		all.Go(func() {
			var err error
			if keys[i], err = store.KeyFile(dir).Bytes(false); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	for _, key := range keys {
		if len(key) != 32 || !bytes.Equal(key, keys[0]) {
			t.Fatalf("keys %x and %x", keys[0], key)
		}
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 1 {
		t.Errorf("beside the key there is more: %v, %v", left, err)
	}
}
