package row

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/base64"
	"strings"

	"github.com/callwright/callwright/internal/domain"
)

// KeyBytes is the length of the key that a Seal is made of.
const KeyBytes = 32

// sealedPrefix begins what is sealed: the version of the form, and then the
// nonce and AES-256-GCM's output (NIST SP 800-38D) in unpadded base64.
const sealedPrefix = "sealed:1:"

// Seal keeps secrets unreadable in the database. A nil Seal keeps them as they
// are.
type Seal struct{ aead cipher.AEAD }

// Secret is one text of a row that is kept sealed.
type Secret struct {
	Column string
	Text   *string
}

// NewSeal makes a seal of a key. The key it works with is derived from it (RFC
// 5869), since the same key signs links elsewhere.
func NewSeal(key []byte) (*Seal, error) {
	own, err := hkdf.Key(sha256.New, key, nil, "callwright secrets in the database", KeyBytes)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(own)
	if err != nil {
		return nil, err
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	return &Seal{aead: aead}, err
}

// Locked is the seal of who has no key to a database whose secrets are sealed:
// what has none can be read and written.
func Locked() *Seal { return &Seal{} }

// Close seals the secrets of a row in place. What is sealed opens in the same
// table, row and column only.
func (s *Seal) Close(table, id string, secrets ...Secret) error {
	if s == nil {
		return nil
	}
	for _, secret := range secrets {
		switch {
		case *secret.Text == "":
		case s.aead == nil:
			return locked()
		default:
			sealed := s.aead.Seal(nil, nil, []byte(*secret.Text), place(table, id, secret.Column))
			*secret.Text = sealedPrefix + base64.RawStdEncoding.EncodeToString(sealed)
		}
	}
	return nil
}

// Open is the reverse of Close. A text that is not sealed stays as it is.
func (s *Seal) Open(table, id string, secrets ...Secret) error {
	for _, secret := range secrets {
		text, sealed := strings.CutPrefix(*secret.Text, sealedPrefix)
		if !sealed {
			continue
		}
		if s == nil || s.aead == nil {
			return locked()
		}
		raw, err := base64.RawStdEncoding.DecodeString(text)
		if err == nil {
			raw, err = s.aead.Open(nil, nil, raw, place(table, id, secret.Column))
		}
		if err != nil {
			return domain.Errorf(domain.CodeInternal, "the column %s of %s in %s is not what was sealed there, or was sealed with another key", secret.Column, id, table)
		}
		*secret.Text = string(raw)
	}
	return nil
}

func locked() error {
	return domain.Errorf(domain.CodeInternal, "the secrets of this database are sealed, and it was opened without their key")
}

// place is what a sealed text belongs to.
func place(table, id, column string) []byte { return []byte(table + "\x00" + id + "\x00" + column) }
