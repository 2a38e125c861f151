package message

import (
	"fmt"
	"testing"
)

func FuzzDigest(f *testing.F) {
	f.Add(`Digest username="alice", realm="r", nonce="n", uri="sip:a@b", response="0f", algorithm=MD5, cnonce="c", qop=auth, nc=00000001`)
	f.Add(`Digest username="a\"l\\ice" , realm = "r",nonce=n`)
	f.Add(`Basic YWxpY2U6c2VjcmV0`)
	f.Add(`Digest username="alice`)
	f.Add(`Digest a="b" c="d"`)
	f.Add("Digest username=\"\\\x00\"")
	f.Fuzz(func(t *testing.T, value string) {
		c, err := ParseCredentials(value)
		if err != nil {
			return
		}
		// What is understood means the same when it is written by the book.
		text := fmt.Sprintf("Digest username=%s, realm=%s, nonce=%s, uri=%s, response=%s, algorithm=%s, cnonce=%s, qop=%s, nc=%s",
			Quoted(c.User), Quoted(c.Realm), Quoted(c.Nonce), Quoted(c.URI), Quoted(c.Response), Quoted(c.Algorithm), Quoted(c.Cnonce), Quoted(c.QOP), Quoted(c.Nc))
		if again, err := ParseCredentials(text); err != nil || again != c {
			t.Errorf("%q is %+v, written as %q it is %+v, %v", value, c, text, again, err)
		}
	})
}
