package store

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/uptrace/bun"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/store/calling"
	"github.com/callwright/callwright/internal/store/directory"
	"github.com/callwright/callwright/internal/store/outbox"
	"github.com/callwright/callwright/internal/store/row"
)

// Key is where the key comes from that secrets in the database are sealed with.
// The zero Key is none: it opens every database, but reads no secret of one that
// has sealed ones.
type Key struct {
	From string // for messages: "/data/secret.key"
	// Bytes returns the key. When nothing was sealed yet it may make one, which
	// must be safe on disk when it returns, or return nil: then nothing is sealed.
	Bytes func(sealed bool) ([]byte, error)
}

// KeyFile is a key in the file secret.key of a directory, which is made for the
// first database that needs it.
func KeyFile(dir string) Key {
	path := filepath.Join(dir, "secret.key")
	return Key{From: path, Bytes: func(sealed bool) ([]byte, error) {
		key, err := readKey(path)
		if !errors.Is(err, fs.ErrNotExist) {
			return key, err
		}
		if sealed {
			return nil, domain.Errorf(domain.CodeInvalid,
				"The secrets in the database are sealed, and their key is not at %s: put the one there that they were sealed with, or give it in CALLWRIGHT_SECRET_KEY", path)
		}
		return makeKey(path)
	}}
}

func readKey(path string) ([]byte, error) {
	key, err := os.ReadFile(path) //nolint:gosec // of the operator's own data directory
	if err == nil && len(key) != row.KeyBytes {
		return nil, domain.Errorf(domain.CodeInvalid, "%s holds %d bytes where %d are expected: restore it from a backup", path, len(key), row.KeyBytes)
	}
	return key, err
}

// makeKey makes a key that is on disk before anybody uses it. Of several
// processes that do so at once, one makes it for all.
func makeKey(path string) (_ []byte, err error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, err
	}
	key := make([]byte, row.KeyBytes)
	_, _ = rand.Read(key)                                           // crypto/rand.Read never fails (Go 1.24)
	file, err := os.CreateTemp(filepath.Dir(path), ".secret.key-*") // with mode 0600
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.Remove(file.Name())) }()
	_, err = file.Write(key)
	if err = errors.Join(err, file.Sync(), file.Close()); err != nil {
		return nil, err
	}
	if err := os.Link(file.Name(), path); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, err
	}
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return nil, err
	}
	if err := errors.Join(dir.Sync(), dir.Close()); err != nil {
		return nil, err
	}
	return readKey(path)
}

// sealRow proves that a key is the one of the database.
type sealRow struct {
	bun.BaseModel `bun:"table:seals"`

	ID     string `bun:",pk"`
	Sealed string
	MadeAt row.Micros
}

// proof is what is sealed in the one row of seals.
const proof = "callwright"

func (r *sealRow) secret() row.Secret { return row.Secret{Column: "sealed", Text: &r.Sealed} }

// openSeal returns the seal of a database whose tables are up to date. The first
// time, it seals what is there.
func openSeal(ctx context.Context, db *bun.DB, key Key) (_ *row.Seal, first bool, err error) {
	known := &sealRow{ID: "proof"}
	err = db.NewSelect().Model(known).WherePK().Scan(ctx)
	sealed := !errors.Is(err, sql.ErrNoRows)
	if sealed && err != nil {
		return nil, false, row.Error(err, "read whether secrets are sealed")
	}
	var bytes []byte
	if key.Bytes != nil {
		if bytes, err = key.Bytes(sealed); err != nil {
			return nil, false, err
		}
	}
	switch {
	case bytes == nil && sealed:
		return row.Locked(), false, nil
	case bytes == nil:
		return nil, false, nil
	}
	seal, err := row.NewSeal(bytes)
	if err != nil {
		return nil, false, err
	}
	if !sealed {
		return seal, true, sealAll(ctx, db, seal)
	}
	if seal.Open("seals", known.ID, known.secret()) != nil || known.Sealed != proof {
		return nil, false, domain.Errorf(domain.CodeInvalid,
			"The secrets in the database are sealed with another key than the one from %s: give the one that they were sealed with. Nothing was changed", key.From)
	}
	return seal, false, nil
}

// sealAll seals what is in a database in which nothing is.
func sealAll(ctx context.Context, db *bun.DB, seal *row.Seal) error {
	first := &sealRow{ID: "proof", Sealed: proof, MadeAt: row.At(time.Now())}
	if err := seal.Close("seals", first.ID, first.secret()); err != nil {
		return err
	}
	return db.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
		if _, err := tx.NewInsert().Model(first).Exec(ctx); err != nil {
			return row.Error(err, "note that secrets are sealed")
		}
		for _, all := range []func(context.Context, bun.IDB, *row.Seal) error{directory.SealAll, calling.SealAll, outbox.SealAll} {
			if err := all(ctx, tx, seal); err != nil {
				return err
			}
		}
		return nil
	})
}
