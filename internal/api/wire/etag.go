package wire

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"strings"

	"github.com/callwright/callwright/internal/domain"
)

// ETag is the header that names the version of an object (RFC 9110 section
// 8.8.3). It is embedded in the outputs of routes.
type ETag struct {
	ETag string `header:"ETag" doc:"The version of the object."`
}

// ETagOf is the ETag of version v of an object. What an answer shows of other
// objects follows: the tag is another one when that has changed.
func ETagOf(v int64, shown ...string) ETag {
	tag := strconv.FormatInt(v, 10)
	if len(shown) > 0 {
		sum := sha256.Sum256([]byte(strings.Join(shown, "\x00")))
		tag += "." + hex.EncodeToString(sum[:6])
	}
	return ETag{ETag: strconv.Quote(tag)}
}

// TagOf is the tag of an answer that is another one when content is.
func TagOf(content []byte) string {
	sum := sha256.Sum256(content)
	return `"` + hex.EncodeToString(sum[:12]) + `"`
}

// IfMatch is the condition of a change. It is embedded in the inputs of routes.
type IfMatch struct {
	IfMatch string `header:"If-Match" doc:"Change the object only if this is its ETag."`
}

// Version returns the version that the object must have, 0 for any. Weak tags
// are taken like strong ones: a proxy that compresses weakens them.
func (m IfMatch) Version() (int64, error) {
	tag := strings.TrimSpace(m.IfMatch)
	if tag == "" || tag == "*" {
		return 0, nil
	}
	tag = strings.TrimPrefix(tag, "W/")
	// A change is about the object's own version only.
	whole := strings.Trim(tag, `"`)
	own, _, _ := strings.Cut(whole, ".")
	v, err := strconv.ParseInt(own, 10, 64)
	if err != nil || own != strconv.FormatInt(v, 10) || v <= 0 || tag != strconv.Quote(whole) {
		return 0, domain.Errorf(domain.CodePrecondition, "If-Match must be one ETag as it was received; read the object again and repeat the change")
	}
	return v, nil
}
