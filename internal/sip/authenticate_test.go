package sip

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/icholy/digest"

	wire "github.com/emiago/sipgo/sip"
)

// guarded takes calls of alice, whose password is secret, and hands the users
// out that authenticated.
func guarded(t *testing.T, o Options) (*UA, <-chan string) {
	t.Helper()
	users := make(chan string, 64)
	o.OnInvite = func(in *Incoming) {
		user, err := in.Authenticate("callwright", func(user string) (string, bool) { return "secret", user == "alice" })
		if err != nil {
			if !errors.Is(err, ErrUnauthorized) {
				t.Errorf("Authenticate: %v", err)
			}
			return
		}
		users <- user
		if err := in.Reject(486, "Busy Here"); err != nil {
			t.Errorf("Reject: %v", err)
		}
	}
	return newUA(t, o), users
}

const target = "sip:+15550002@127.0.0.1"

// attempt sends an INVITE with credentials ("" for none) and returns its final
// response, acknowledged.
func (r *raw) attempt(callID, credentials string) *wire.Response {
	r.t.Helper()
	callID = strings.ReplaceAll(callID, " ", "-")
	extra := ""
	if credentials != "" {
		extra = "Authorization: " + credentials + "\n"
	}
	r.send(r.ask("INVITE", target, peerFrom, ourTo, callID, 1, extra, offer))
	for deadline := time.Now().Add(5 * time.Second); time.Now().Before(deadline); {
		res, ok := r.next(time.Until(deadline)).(*wire.Response)
		if !ok || res.StatusCode < 200 || res.CallID().Value() != callID {
			continue
		}
		ack := strings.Replace(r.ask("ACK", target, peerFrom, res.To().Value(), callID, 1, "", ""), "branch=z9hG4bK", "branch=", 1)
		via, _ := res.Via().Params.Get("branch")
		head, tail, _ := strings.Cut(ack, "branch=")
		_, tail, _ = strings.Cut(tail, "\n")
		r.send(head + "branch=" + via + "\n" + tail)
		return res
	}
	r.t.Fatal("no final response came")
	return nil
}

// challenge returns the one of an algorithm from a 401.
func challenge(t *testing.T, res *wire.Response, algorithm string) *digest.Challenge {
	t.Helper()
	if res.StatusCode != 401 {
		t.Fatalf("answered %s, want 401", res.StartLine())
	}
	for _, h := range res.GetHeaders("WWW-Authenticate") {
		c, err := digest.ParseChallenge(h.Value())
		if err != nil {
			t.Fatal(err)
		}
		if c.Algorithm == algorithm {
			return c
		}
	}
	t.Fatalf("no challenge for %s:\n%s", algorithm, res)
	return nil
}

// sign makes credentials with another implementation than ours.
func sign(t *testing.T, c *digest.Challenge, user, password string, count int) string {
	t.Helper()
	cred, err := digest.Digest(c, digest.Options{Method: "INVITE", URI: target, Username: user, Password: password, Count: count})
	if err != nil {
		t.Fatal(err)
	}
	return cred.String()
}

func TestAuthenticate(t *testing.T) {
	t.Parallel()
	u, users := guarded(t, Options{})
	r := newRaw(t, u)
	for _, algorithm := range []string{"SHA-256", "MD5"} {
		res := r.attempt("first "+algorithm, "")
		if first := res.GetHeaders("WWW-Authenticate")[0].Value(); !strings.Contains(first, "SHA-256") {
			t.Errorf("the first challenge is %s, want SHA-256", first)
		}
		c := challenge(t, res, algorithm)
		if c.Realm != "callwright" || len(c.QOP) != 1 || c.QOP[0] != "auth" || c.Stale {
			t.Errorf("challenge %s", c)
		}
		good := sign(t, c, "alice", "secret", 1)
		if got := r.attempt("good "+algorithm, good); got.StatusCode != 486 {
			t.Fatalf("%s: the right password got %s", algorithm, got.StartLine())
		}
		if user := <-users; user != "alice" {
			t.Errorf("user %q", user)
		}
		if again := challenge(t, r.attempt("replay "+algorithm, good), algorithm); !again.Stale || again.Nonce == c.Nonce {
			t.Errorf("a replay got %s, want a fresh nonce with stale", again)
		}
		if got := r.attempt("next "+algorithm, sign(t, c, "alice", "secret", 2)); got.StatusCode != 486 {
			t.Errorf("%s: the next count got %s", algorithm, got.StartLine())
		}
		<-users
	}
}

// TestUnauthorizedLooksTheSame: nothing in an answer tells why it is no.
func TestUnauthorizedLooksTheSame(t *testing.T) {
	t.Parallel()
	u, users := guarded(t, Options{Limits: Limits{AuthFailures: 1000}})
	r := newRaw(t, u)
	c := challenge(t, r.attempt("begin", ""), "SHA-256")
	good := sign(t, c, "alice", "secret", 1)
	edit := func(from, to string) string {
		if !strings.Contains(good, from) {
			t.Fatalf("%s has no %s", good, from)
		}
		return strings.Replace(good, from, to, 1)
	}
	response := digestValue(t, good, "response")
	elsewhere, err := digest.Digest(c, digest.Options{Method: "INVITE", URI: "sip:+19005550000@127.0.0.1", Username: "alice", Password: "secret"})
	if err != nil {
		t.Fatal(err)
	}
	register, err := digest.Digest(c, digest.Options{Method: "REGISTER", URI: target, Username: "alice", Password: "secret"})
	if err != nil {
		t.Fatal(err)
	}
	old := *c
	old.QOP = nil
	shape := ""
	for name, credentials := range map[string]string{
		"unknown user":           sign(t, c, "mallory", "secret", 1),
		"wrong password":         sign(t, c, "alice", "guess", 1),
		"empty password":         sign(t, c, "mallory", "", 1),
		"user in other case":     sign(t, c, "Alice", "secret", 1),
		"user with a space":      sign(t, c, "alice ", "secret", 1),
		"user with a tab":        edit(`"alice"`, "\"\talice\""),
		"response in upper case": edit(response, strings.ToUpper(response)),
		"response with a space":  edit(`"`+response, `" `+response),
		"response cut":           edit(response, response[:20]),
		"no response":            edit(`response="`+response+`"`, `response=""`),
		"two users":              edit(`username="alice"`, `username="mallory", username="alice"`),
		"two responses":          good + `, response="` + response + `"`,
		"quote left open":        strings.TrimSuffix(good, `"`),
		"basic":                  "Basic YWxpY2U6c2VjcmV0",
		"empty scheme":           strings.TrimPrefix(good, "Digest"),
		"a nonce of nobody":      edit(c.Nonce, strings.Repeat("A", len(c.Nonce))),
		"an empty nonce":         edit(c.Nonce, ""),
		"another realm":          edit(`"callwright"`, `"Callwright"`),
		"another method":         register.String(),
		"another number":         elsewhere.String(),
		"without qop":            sign(t, &old, "alice", "secret", 1),
		"qop auth-int":           edit("qop=auth", "qop=auth-int"),
		"unknown algorithm":      edit("SHA-256", "SHA-256-sess"),
		"count of nine digits":   edit("nc=00000001", "nc=000000001"),
		"count with a sign":      edit("nc=00000001", "nc=+0000001"),
		"two headers":            good + "\nAuthorization: " + good,
		"blank before the colon": "x\nAuthorization\x0b: " + good,
		"blank before the name":  "x\n\x0cAuthorization: " + good,
	} {
		res := r.attempt(name, credentials)
		if res.StatusCode == 400 { // what is no SIP does not come so far
			continue
		}
		if res.StatusCode != 401 {
			t.Fatalf("%s: %s", name, res.StartLine())
		}
		got := challenge(t, res, "SHA-256")
		if got.Stale {
			t.Errorf("%s: stale, so the password is right", name)
		}
		plain := strings.ReplaceAll(res.String(), got.Nonce, "N")
		_, plain, _ = strings.Cut(plain, "CSeq")
		if shape == "" {
			shape = plain
		}
		if plain != shape {
			t.Errorf("%s is answered\n%s\nothers\n%s", name, plain, shape)
		}
	}
	select {
	case user := <-users:
		t.Errorf("%q got in", user)
	default:
	}
}

func digestValue(t *testing.T, credentials, name string) string {
	t.Helper()
	_, rest, ok := strings.Cut(credentials, name+`="`)
	value, _, closed := strings.Cut(rest, `"`)
	if !ok || !closed {
		t.Fatalf("%s has no %s", credentials, name)
	}
	return value
}

func TestGuessingPasswordsBansTheSource(t *testing.T) {
	t.Parallel()
	u, users := guarded(t, Options{})
	r, other := newRawAt(t, u, "127.0.0.2"), newRaw(t, u)
	tried := 0
	for i := range 40 {
		r.send(r.ask("INVITE", target, peerFrom, ourTo, fmt.Sprint("begin-", i), 1, "", offer))
		var res *wire.Response
		for end := time.Now().Add(time.Second); time.Now().Before(end); { // older ones are repeated
			m, ok := r.next(time.Until(end)).(*wire.Response)
			if ok && m.StatusCode >= 200 && m.CallID().Value() == fmt.Sprint("begin-", i) {
				res = m
				break
			}
		}
		if res == nil {
			break
		}
		c := challenge(t, res, "MD5")
		if got := r.attempt(fmt.Sprint("guess ", i), sign(t, c, "alice", fmt.Sprint("guess", i), 1)); got.StatusCode != 401 {
			t.Fatalf("a guess got %s", got.StartLine())
		}
		tried++
	}
	if tried != 20 {
		t.Errorf("%d passwords were tried before the ban, want 20", tried)
	}
	c := challenge(t, other.attempt("other", ""), "MD5")
	if got := other.attempt("other", sign(t, c, "alice", "secret", 1)); got.StatusCode != 486 {
		t.Errorf("another source got %s", got.StartLine())
	}
	<-users
}

// TestNobodyBansAnother: failures count only against who was sent the nonce.
func TestNobodyBansAnother(t *testing.T) {
	t.Parallel()
	u, users := guarded(t, Options{})
	victim, attacker := newRaw(t, u), newRawAt(t, u, "127.0.0.2")
	stolen := challenge(t, attacker.attempt("own", ""), "MD5")
	for i := range 30 { // the packets have the victim's address
		victim.attempt(fmt.Sprint("spoofed ", i), sign(t, stolen, "alice", "guess", 1))
	}
	c := challenge(t, victim.attempt("begin", ""), "MD5")
	if got := victim.attempt("good", sign(t, c, "alice", "secret", 1)); got.StatusCode != 486 {
		t.Errorf("the victim got %s", got.StartLine())
	}
	<-users
}
