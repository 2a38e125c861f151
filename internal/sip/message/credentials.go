package message

import (
	"fmt"
	"strings"
)

// Credentials are the parameters of an Authorization header that count, as they
// were written (RFC 7616 section 3.4).
type Credentials struct {
	User, Realm, Nonce, URI, Response, Algorithm, Cnonce, QOP, Nc string
}

// ParseCredentials reads the value of an Authorization header, strictly: what
// is written twice, is not closed or has bytes that do not belong is an error.
func ParseCredentials(value string) (Credentials, error) {
	var c Credentials
	scheme, rest, ok := strings.Cut(value, " ")
	if !ok || !strings.EqualFold(scheme, "Digest") {
		return c, fmt.Errorf("sip: the credentials are not for Digest")
	}
	fields := map[string]*string{
		"username": &c.User, "realm": &c.Realm, "nonce": &c.Nonce, "uri": &c.URI, "response": &c.Response,
		"algorithm": &c.Algorithm, "cnonce": &c.Cnonce, "qop": &c.QOP, "nc": &c.Nc,
	}
	seen := map[string]bool{}
	for {
		name, text, left, err := authParam(rest)
		if err != nil {
			return c, err
		}
		if seen[name] {
			return c, fmt.Errorf("sip: credentials name %s twice", name)
		}
		seen[name] = true
		if at := fields[name]; at != nil {
			*at = text
		}
		if left = strings.TrimLeft(left, " \t"); left == "" {
			return c, nil
		}
		if left[0] != ',' {
			return c, fmt.Errorf("sip: credentials have %q after %s", left[0], name)
		}
		rest = left[1:]
	}
}

// authParam reads name=token or name="string" off the front of s. The name
// comes back in lower case.
func authParam(s string) (name, value, rest string, err error) {
	s = strings.TrimLeft(s, " \t")
	n := TokenLen(s)
	name, s = strings.ToLower(s[:n]), strings.TrimLeft(s[n:], " \t")
	if n == 0 || s == "" || s[0] != '=' {
		return "", "", "", fmt.Errorf("sip: credentials are not a list of name=value")
	}
	s = strings.TrimLeft(s[1:], " \t")
	if s == "" || s[0] != '"' {
		n = TokenLen(s)
		if n == 0 {
			return "", "", "", fmt.Errorf("sip: credentials have no value for %s", name)
		}
		return name, s[:n], s[n:], nil
	}
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		switch ch := s[i]; {
		case ch == '"':
			return name, b.String(), s[i+1:], nil
		case ch == '\\' && i+1 < len(s):
			i++
			if s[i] < ' ' || s[i] >= 0x7f {
				return "", "", "", fmt.Errorf("sip: credentials escape a byte of %s that is not text", name)
			}
			b.WriteByte(s[i])
		case ch < ' ' || ch == 0x7f:
			return "", "", "", fmt.Errorf("sip: credentials have a control character in %s", name)
		default:
			b.WriteByte(ch)
		}
	}
	return "", "", "", fmt.Errorf("sip: credentials do not close the quotes of %s", name)
}
