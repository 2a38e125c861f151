package sip

import (
	"bytes"
	"fmt"
	"io"
	"strings"

	"github.com/icholy/digest"

	wire "github.com/emiago/sipgo/sip"
)

// maxChallenges is how often one request is sent again with credentials: once
// for a proxy, once for the server, once for a stale nonce.
const maxChallenges = 3

// credentials answer digest challenges (RFC 3261 section 22, RFC 8760).
type credentials struct {
	username, password string
	tried              map[string]bool // header and realm that our answer went to
}

// answer adds to req what res asks for. It reports false when that is not
// possible or has been refused already.
func (c *credentials) answer(req *wire.Request, res *wire.Response) (bool, error) {
	ask, reply := "WWW-Authenticate", "Authorization"
	if res.StatusCode == 407 {
		ask, reply = "Proxy-Authenticate", "Proxy-Authorization"
	} else if res.StatusCode != 401 {
		return false, nil
	}
	if c.username == "" {
		return false, nil
	}
	chal, err := pickChallenge(res.GetHeaders(ask))
	if err != nil {
		return false, fmt.Errorf("sip: %d %s: %w", res.StatusCode, res.Reason, err)
	}
	mark := reply + " " + chal.Realm
	if len(c.tried) >= maxChallenges || c.tried[mark] && !chal.Stale {
		return false, nil // these credentials are wrong
	}
	cred, err := digest.Digest(chal, digest.Options{
		Method: string(req.Method), URI: req.Recipient.String(),
		Username: c.username, Password: c.password,
		GetBody: func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(req.Body())), nil },
	})
	if err != nil {
		return false, fmt.Errorf("sip: %w", err)
	}
	if c.tried == nil {
		c.tried = map[string]bool{}
	}
	if c.tried[mark] {
		mark += " stale" // a second stale nonce is refused
		if c.tried[mark] {
			return false, nil
		}
	}
	c.tried[mark] = true
	req.RemoveHeader(reply)
	req.AppendHeader(wire.NewHeader(reply, cred.String()))
	return true, nil
}

// pickChallenge takes the first challenge that can be answered: the server
// lists them in its order of preference (RFC 8760 section 2.3).
func pickChallenge(hs []wire.Header) (*digest.Challenge, error) {
	err := digest.ErrNoChallenge
	for _, h := range hs {
		chal, problem := digest.ParseChallenge(h.Value())
		if problem != nil {
			err = problem
			continue
		}
		for i, q := range chal.QOP {
			chal.QOP[i] = strings.TrimSpace(q)
		}
		if digest.CanDigest(chal) {
			return chal, nil
		}
		err = fmt.Errorf("cannot answer a challenge with algorithm %q and qop %q", chal.Algorithm, chal.QOP)
	}
	return nil, err
}
