package access

import (
	"crypto/rand"
	"hash/crc32"
	"strings"

	"github.com/callwright/callwright/internal/domain"
)

// A key string is "cw_live_" or "cw_test_", the key's id (24 hex digits), 32
// random base62 characters (190 bits) and a checksum of 6 base62 characters, so
// that a typing error or a random string is told apart without the database.
const (
	keyPrefixLen   = len("cw_live_")
	keyIDLen       = 24
	keyRandomLen   = 32
	keyChecksumLen = 6
	keyLen         = keyPrefixLen + keyIDLen + keyRandomLen + keyChecksumLen
	keyShownLen    = keyPrefixLen + 8
)

const base62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

// newKeyString returns a fresh secret for the key named id.
func newKeyString(mode domain.Mode, id domain.ID) string {
	var b strings.Builder
	b.WriteString("cw_" + string(mode) + "_" + string(id))
	for b.Len() < keyLen-keyChecksumLen {
		var raw [keyRandomLen]byte
		_, _ = rand.Read(raw[:]) // crypto/rand.Read never fails (Go 1.24)
		for _, c := range raw {
			// 248 is the greatest multiple of 62 in a byte: above it, characters
			// would not be equally likely.
			if c < 248 && b.Len() < keyLen-keyChecksumLen {
				b.WriteByte(base62[c%62])
			}
		}
	}
	return b.String() + keyChecksum(b.String())
}

// keyChecksum is CRC-32 (IEEE) in base62.
func keyChecksum(body string) string {
	sum := crc32.ChecksumIEEE([]byte(body))
	var out [keyChecksumLen]byte
	for i := len(out) - 1; i >= 0; i-- {
		out[i] = base62[sum%62]
		sum /= 62
	}
	return string(out[:])
}

// keyIDOf returns the id inside a key string, or false when it cannot be one.
func keyIDOf(secret string) (domain.ID, bool) {
	if len(secret) != keyLen {
		return "", false
	}
	if p := secret[:keyPrefixLen]; p != "cw_live_" && p != "cw_test_" {
		return "", false
	}
	if keyChecksum(secret[:keyLen-keyChecksumLen]) != secret[keyLen-keyChecksumLen:] {
		return "", false
	}
	id := domain.ID(secret[keyPrefixLen : keyPrefixLen+keyIDLen])
	return id, id.Valid()
}
