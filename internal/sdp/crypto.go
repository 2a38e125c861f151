package sdp

import (
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// The crypto suites that are offered and taken (RFC 4568 section 6.2), best
// first.
const (
	SuiteSHA80 = "AES_CM_128_HMAC_SHA1_80"
	SuiteSHA32 = "AES_CM_128_HMAC_SHA1_32"
)

var suites = []string{SuiteSHA80, SuiteSHA32}

// keySize is the length in bytes of the master key and salt of both suites.
const keySize = 16 + 14

// maxCrypto is how many crypto lines of a media line are read.
const maxCrypto = 16

// Crypto is one a=crypto line (RFC 4568 section 4): a key for what its writer
// sends.
type Crypto struct {
	Tag   int
	Suite string
	Key   []byte // 16 bytes of master key, 14 of salt
}

// Secured are the keys that an offer and an answer agreed on for one media line.
type Secured struct {
	Suite        string
	Ours, Theirs []byte // Crypto.Key of each side
}

// NewCrypto makes a line with a new random key for each suite. A key belongs to
// one media line of one call.
func NewCrypto() []Crypto {
	lines := make([]Crypto, 0, len(suites))
	for i, suite := range suites {
		key := make([]byte, keySize)
		_, _ = rand.Read(key) // never fails (crypto/rand)
		lines = append(lines, Crypto{Tag: i + 1, Suite: suite, Key: key})
	}
	return lines
}

// parseCrypto reads "1 AES_CM_128_HMAC_SHA1_80 inline:KEY|2^20 FEC_ORDER=FEC_SRTP".
// Lines that ask for what is not done here, such as packets in the clear or
// several keys, are not usable, which is no error: another line may be.
func parseCrypto(v string) (Crypto, bool) {
	f := strings.Fields(v)
	if len(f) < 3 || len(f[0]) > 9 || !slices.Contains(suites, f[1]) {
		return Crypto{}, false
	}
	tag, err := strconv.Atoi(f[0])
	if err != nil || tag < 0 {
		return Crypto{}, false
	}
	for _, param := range f[3:] {
		if !strings.HasPrefix(param, "WSH=") { // a window's size is the receiver's to choose
			return Crypto{}, false
		}
	}
	inline, ok := strings.CutPrefix(f[2], "inline:")
	if !ok || strings.Contains(inline, ";") {
		return Crypto{}, false
	}
	parts := strings.Split(inline, "|")
	for _, part := range parts[1:] {
		if strings.Contains(part, ":") { // a master key identifier in each packet
			return Crypto{}, false
		}
	}
	key, err := base64.StdEncoding.DecodeString(parts[0])
	if err != nil {
		key, err = base64.RawStdEncoding.DecodeString(parts[0])
	}
	if err != nil || len(key) != keySize {
		return Crypto{}, false
	}
	return Crypto{Tag: tag, Suite: f[1], Key: key}, true
}

func (c Crypto) String() string {
	return fmt.Sprintf("%d %s inline:%s", c.Tag, c.Suite, base64.StdEncoding.EncodeToString(c.Key))
}

// secured reports whether a media line's protocol asks for SRTP.
func secured(proto string) bool {
	return strings.EqualFold(proto, "RTP/SAVP") || strings.EqualFold(proto, "RTP/SAVPF")
}

// agreeOn chooses the first of the offered lines whose suite is among ours, and
// returns our line for the answer, with the offer's tag (RFC 4568 section 5.1.2).
func agreeOn(offered, ours []Crypto) (Crypto, *Secured) {
	for _, theirs := range offered {
		i := slices.IndexFunc(ours, func(c Crypto) bool { return c.Suite == theirs.Suite })
		if i >= 0 {
			reply := Crypto{Tag: theirs.Tag, Suite: theirs.Suite, Key: ours[i].Key}
			return reply, &Secured{Suite: theirs.Suite, Ours: ours[i].Key, Theirs: theirs.Key}
		}
	}
	return Crypto{}, nil
}

// answered finds the line of ours that an answer took: the same tag and suite
// (RFC 4568 section 5.1.3).
func answered(ours, answer []Crypto) *Secured {
	for _, theirs := range answer {
		for _, c := range ours {
			if c.Tag == theirs.Tag && c.Suite == theirs.Suite {
				return &Secured{Suite: c.Suite, Ours: c.Key, Theirs: theirs.Key}
			}
		}
	}
	return nil
}
