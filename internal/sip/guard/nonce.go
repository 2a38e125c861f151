package guard

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"net/netip"
	"sync"
	"time"
)

// How long a nonce may be used, and how many used ones are remembered.
const (
	nonceLife = 5 * time.Minute
	maxNonces = 10000
)

// Nonces issues and checks the nonces of digest challenges (RFC 7616 section
// 3.3). One that was issued costs no memory: it is its time, made authentic
// together with the source and realm it is for. Only those that a right
// password came with are remembered, with their last count.
type Nonces struct {
	key [32]byte

	mu    sync.Mutex
	used  *recent[string, *usedNonce]
	floor time.Time // Nonces of this time or before are spent unless remembered
}

type usedNonce struct {
	issued time.Time
	count  uint32 // the highest nc
}

// NewNonces makes a set of nonces with a key of its own: those of another
// process are not known to it.
func NewNonces() *Nonces {
	n := &Nonces{used: newRecent[string, *usedNonce](maxNonces)}
	_, _ = rand.Read(n.key[:]) // never fails
	return n
}

// A nonce is 8 bytes of time, 8 random ones and 16 of MAC.
const nonceBytes = 32

// Issue makes a nonce for one source and realm, good for five minutes.
func (n *Nonces) Issue(source netip.Addr, realm string, now time.Time) string {
	b := make([]byte, 16, nonceBytes)
	binary.BigEndian.PutUint64(b, uint64(now.UnixNano()))
	_, _ = rand.Read(b[8:]) // never fails
	return base64.RawURLEncoding.EncodeToString(append(b, n.mac(b, source, realm)...))
}

func (n *Nonces) mac(head []byte, source netip.Addr, realm string) []byte {
	h := hmac.New(sha256.New, n.key[:])
	h.Write(head)
	addr := source.As16()
	h.Write(addr[:])
	h.Write([]byte(realm))
	return h.Sum(nil)[:nonceBytes-16]
}

// IssuedAt returns when a nonce was issued to that source for that realm, and
// whether it ever was.
func (n *Nonces) IssuedAt(text string, source netip.Addr, realm string) (time.Time, bool) {
	b, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil || len(b) != nonceBytes || !hmac.Equal(b[16:], n.mac(b[:16], source, realm)) {
		return time.Time{}, false
	}
	return time.Unix(0, int64(binary.BigEndian.Uint64(b))), true
}

// Spend uses a nonce with a count and reports whether it was fresh: young, and
// never used with that count or a higher one. Call it for right passwords only.
func (n *Nonces) Spend(text string, issued time.Time, count uint32, now time.Time) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if now.Sub(issued) > nonceLife {
		return false
	}
	if u, ok := n.used.get(text); ok {
		if count <= u.count {
			return false
		}
		u.count = count
		return true
	}
	if !issued.After(n.floor) {
		return false
	}
	// What is forgotten must not become fresh again.
	if old, full := n.used.put(text, &usedNonce{issued, count}); full && old.issued.After(n.floor) {
		n.floor = old.issued
	}
	return true
}
