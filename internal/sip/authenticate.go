package sip

import (
	"crypto/md5"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	wire "github.com/emiago/sipgo/sip"

	"github.com/callwright/callwright/internal/sip/message"
)

// ErrUnauthorized says that a call's caller was asked to authenticate: its
// INVITE had no credentials, or wrong ones. It has been answered 401.
var ErrUnauthorized = errors.New("sip: the caller was asked for a password")

// Authenticate checks the digest credentials of the call (RFC 3261 section 22,
// RFC 7616, RFC 8760) and returns the user that they are of. password looks a
// user up, exactly as written, and reports false for one that there is not.
//
// Whatever is wrong, the call is answered 401 with fresh challenges
// (Options.DigestAlgorithms), and the error is ErrUnauthorized: known and unknown users cannot
// be told apart. Credentials are good once: each needs a nonce that was issued
// to the same source within five minutes and a higher count than the last. A
// source that sends wrong passwords is banned as Limits say.
func (in *Incoming) Authenticate(realm string, password func(user string) (string, bool)) (user string, err error) {
	req, now := in.t.req, time.Now()
	verdict, cred := in.u.verify(req, in.Source.Addr(), realm, password, now)
	switch verdict {
	case credentialsGood:
		return cred.User, nil
	case credentialsWrong:
		in.u.guard.Failed(in.Source.Addr(), now)
	}
	res := in.t.response(401, "Unauthorized", nil)
	for _, h := range in.u.challenges(in.t.from, realm, verdict == credentialsStale, now) {
		res.AppendHeader(h)
	}
	if !in.t.respond(res) {
		return "", in.decided()
	}
	return "", ErrUnauthorized
}

// challenges are the WWW-Authenticate headers, the best first (RFC 8760 section
// 2.3).
func (u *UA) challenges(from hop, realm string, stale bool, now time.Time) []wire.Header {
	nonce := u.nonces.Issue(from.Addr.Addr(), realm, now)
	var out []wire.Header
	for _, algorithm := range u.opts.DigestAlgorithms {
		value := fmt.Sprintf(`Digest realm=%s, nonce="%s", qop="auth", algorithm=%s`, message.Quoted(realm), nonce, algorithm)
		if stale {
			value += ", stale=true"
		}
		out = append(out, wire.NewHeader("WWW-Authenticate", value))
	}
	return out
}

// What credentials can be.
type verdict int

const (
	credentialsNone  verdict = iota // none, or with a nonce that is not ours: nothing was tried
	credentialsWrong                // the password or anything else
	credentialsStale                // right, but the nonce is old or was used: a replay, perhaps
	credentialsGood
)

// verify checks the credentials that a request has for a realm. A wrong
// password is one only with a nonce that this source was sent, so that nobody
// gets another source banned under its name.
func (u *UA) verify(req *wire.Request, source netip.Addr, realm string, password func(string) (string, bool), now time.Time) (verdict, message.Credentials) {
	cred, ok := credentialsFor(req, realm)
	if !ok {
		return credentialsNone, cred
	}
	issued, ours := u.nonces.IssuedAt(cred.Nonce, source, realm)
	if !ours {
		return credentialsNone, cred
	}
	secret, known := password(cred.User)
	sum := u.digestHash(cred.Algorithm)
	if sum == nil || cred.QOP != "auth" || cred.Cnonce == "" || !sameTarget(cred.URI, req.Recipient) {
		return credentialsWrong, cred
	}
	want := sum(sum(cred.User, realm, secret), cred.Nonce, cred.Nc, cred.Cnonce, cred.QOP, sum(string(req.Method), cred.URI))
	right := subtle.ConstantTimeCompare([]byte(want), []byte(cred.Response)) == 1
	count, err := strconv.ParseUint(cred.Nc, 16, 32)
	if !right || !known || err != nil || len(cred.Nc) != 8 {
		return credentialsWrong, cred
	}
	if !u.nonces.Spend(cred.Nonce, issued, uint32(count), now) {
		return credentialsStale, cred
	}
	return credentialsGood, cred
}

// sameTarget reports whether credentials are for the request that they came
// with. Proxies may have changed the host on the way (RFC 3261 section 22.4),
// and some callers name the host alone, so it is the user part, where there is
// one, that binds them to the number that is called.
func sameTarget(text string, target wire.Uri) bool {
	var uri wire.Uri
	if wire.ParseUri(text, &uri) != nil {
		return false
	}
	user := number(uri)
	return user == "" || user == number(target)
}

// digestHash returns the hash of an algorithm over parts joined with colons,
// nil when it is not offered here. None named is MD5 (RFC 7616 section 3.4).
func (u *UA) digestHash(algorithm string) func(parts ...string) string {
	algorithm = strings.ToUpper(algorithm)
	if algorithm == "" {
		algorithm = "MD5"
	}
	if !slices.Contains(u.opts.DigestAlgorithms, algorithm) {
		return nil
	}
	switch algorithm {
	case "SHA-256":
		return func(parts ...string) string {
			b := sha256.Sum256([]byte(strings.Join(parts, ":")))
			return hex.EncodeToString(b[:])
		}
	case "MD5":
		return func(parts ...string) string {
			b := md5.Sum([]byte(strings.Join(parts, ":"))) // what peers can do; SHA-256 is offered before it
			return hex.EncodeToString(b[:])
		}
	}
	return nil
}

// credentialsFor returns the one set of credentials of a realm. Two sets for it
// are none: which of them counts must not be a matter of taste.
func credentialsFor(req *wire.Request, realm string) (message.Credentials, bool) {
	var found message.Credentials
	n := 0
	for _, h := range req.GetHeaders("Authorization") {
		c, err := message.ParseCredentials(h.Value())
		if err == nil && c.Realm == realm {
			found = c
			n++
		}
	}
	return found, n == 1
}
