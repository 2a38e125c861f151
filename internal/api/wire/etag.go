package wire

import (
	"crypto/sha256"
	"encoding/hex"
	"regexp"
	"strconv"
	"strings"

	"github.com/callwright/callwright/internal/domain"
)

// ETag is the header that names the version of an object (RFC 9110 section
// 8.8.3). It is embedded in the outputs of routes.
type ETag struct {
	ETag string `header:"ETag" doc:"The version of the object."`
}

// ETagOf is the ETag of version v of an object.
func ETagOf(v int64) ETag { return ETag{ETag: strconv.Quote(strconv.FormatInt(v, 10))} }

// ETagBeside is the ETag of version v of an object that is shown with what is
// not its own and changes without it: the tag is another one then, for reading.
func ETagBeside(v int64, shown ...string) ETag {
	sum := sha256.Sum256([]byte(strings.Join(shown, " ")))
	return ETag{ETag: strconv.Quote(strconv.FormatInt(v, 10) + "." + hex.EncodeToString(sum[:6]))}
}

// besideTag is what ETagBeside makes.
var besideTag = regexp.MustCompile(`^(?:W/)?"(\d+)\.[0-9a-f]{12}"$`)

// IfMatch is the condition of a change. It is embedded in the inputs of routes.
type IfMatch struct {
	IfMatch string `header:"If-Match" doc:"Change the object only if this is its ETag."`
}

// Version returns the version that the object must have, 0 for any. Weak tags
// are taken like strong ones: a proxy that compresses weakens them.
func (m IfMatch) Version() (int64, error) {
	tag := besideTag.ReplaceAllString(strings.TrimSpace(m.IfMatch), `"$1"`)
	if tag == "" || tag == "*" {
		return 0, nil
	}
	tag = strings.TrimPrefix(tag, "W/")
	v, err := strconv.ParseInt(strings.Trim(tag, `"`), 10, 64)
	if err != nil || v <= 0 || len(tag) < 3 || tag[0] != '"' {
		return 0, domain.Errorf(domain.CodePrecondition, "If-Match must be one ETag as it was received; read the object again and repeat the change")
	}
	return v, nil
}
