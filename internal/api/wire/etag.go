package wire

import (
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

// ETagOfMore is the ETag of version v of an object with parts that change without
// the version. An If-Match asks for the version only.
func ETagOfMore(v int64, parts ...int64) ETag {
	tag := strconv.FormatInt(v, 10)
	for _, part := range parts {
		tag += "." + strconv.FormatInt(part, 10)
	}
	return ETag{ETag: strconv.Quote(tag)}
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
	version, _, _ := strings.Cut(strings.Trim(tag, `"`), ".")
	v, err := strconv.ParseInt(version, 10, 64)
	if err != nil || v <= 0 || len(tag) < 3 || tag[0] != '"' {
		return 0, domain.Errorf(domain.CodePrecondition, "If-Match must be one ETag as it was received; read the object again and repeat the change")
	}
	return v, nil
}
