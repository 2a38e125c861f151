package app

import (
	"crypto/rand"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/callwright/callwright/internal/domain"
)

// secretBytes is the length of the key that signs links.
const secretBytes = 32

// secretKey reads the key of this data directory, or makes it with the first
// start. Links that it signed stay good across restarts.
func secretKey(dir string) ([]byte, error) {
	path := filepath.Join(dir, "secret.key")
	key, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		key = make([]byte, secretBytes)
		_, _ = rand.Read(key) // crypto/rand.Read never fails (Go 1.24)
		return key, os.WriteFile(path, key, 0o600)
	case err != nil:
		return nil, err
	case len(key) != secretBytes:
		return nil, domain.Errorf(domain.CodeInvalid, "%s holds %d bytes where %d are expected; restore it, or remove it to make a new one", path, len(key), secretBytes)
	}
	return key, nil
}
