package webhook_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/callwright/callwright/internal/api/klen"
	"github.com/callwright/callwright/internal/api/native"
	"github.com/callwright/callwright/internal/api/trillet"
	"github.com/callwright/callwright/internal/domain"
)

// sealed is a payload with what a receiver verifies it by.
type sealed struct {
	Dialect   string            `json:"dialect"`
	Body      []byte            `json:"body"` // in base64
	Signature string            `json:"signature"`
	Headers   map[string]string `json:"headers"` // of Standard Webhooks
}

// voices are the dialects, and the headers of their signatures.
var voices = []struct {
	name, header string
	hooks        domain.HookDialect
}{
	{"native", "X-VoxForge-Signature", native.Hooks{RecordingURL: recordingAt, CallURL: recordingAt}},
	{"trillet", "X-Trillet-Signature", trillet.Hooks{RecordingURL: recordingAt, CallURL: recordingAt}},
	{"klen", "X-Klen-Signature", klen.Hooks{RecordingURL: recordingAt, CallURL: recordingAt}},
}

func recordingAt(c *domain.Call) string { return "https://x.example/r/" + string(c.ID) + "?a=1&b=<2>" }

// seals makes up payloads of every event in every dialect.
func seals(t *testing.T, rounds int) map[string][]sealed {
	t.Helper()
	a, now, all := newAdversary(1), time.Now(), make(map[string][]sealed)
	standard, err := standardwebhooks.NewWebhook(secret)
	if err != nil {
		t.Fatal(err)
	}
	for range rounds {
		for _, typ := range domain.EventTypes {
			ev := a.event(typ)
			for _, v := range voices {
				body, ok := v.hooks.Encode(ev)
				if !ok {
					continue // events_test.go says of which that is right
				}
				if len(body) > native.MaxHookBytes {
					t.Fatalf("%s of %s has %d bytes", typ, v.name, len(body))
				}
				signature, err := standard.Sign(string(ev.ID), now, body)
				if err != nil {
					t.Fatal(err)
				}
				all[v.name] = append(all[v.name], sealed{
					Dialect: v.name, Body: body, Signature: v.hooks.Sign(secret, domain.DeliveryHead{ID: ev.ID, Type: typ, At: now}, body)[v.header],
					Headers: map[string]string{"webhook-id": string(ev.ID), "webhook-timestamp": fmt.Sprint(now.Unix()), "webhook-signature": signature},
				})
			}
		}
	}
	return all
}

// TestAdversarialBytes has receivers of every dialect verify thousands of payloads
// in their own languages, and standardwebhooks of npm.
func TestAdversarialBytes(t *testing.T) {
	all := seals(t, 110)
	var lines, natives bytes.Buffer
	n := 0
	for _, v := range voices {
		for _, s := range all[v.name] {
			raw, err := json.Marshal(s)
			if err != nil {
				t.Fatal(err)
			}
			n++
			lines.Write(append(raw, '\n'))
			if v.name == "native" {
				natives.Write(append(raw, '\n'))
			}
		}
	}
	if n < 2000 {
		t.Fatalf("only %d payloads", n)
	}
	unanimous(t, fmt.Sprintf("%d letters", n), script(t, lines.String(), "node", "testdata/verify_all.js", secret, installed(t)))
	unanimous(t, fmt.Sprintf("%d letters", len(all["native"])), script(t, natives.String(), "python3", "testdata/verify_all.py", secret))
	byOpenSSL(t, all["trillet"])
}

func unanimous(t *testing.T, want, said string) {
	t.Helper()
	if said != want {
		lines := strings.Split(said, "\n")
		t.Errorf("%d lines, the last of them %q; want only %q. The first: %.2000s", len(lines), lines[len(lines)-1], want, lines[0])
	}
}

// byOpenSSL has one openssl sign all payloads, each in a file.
func byOpenSSL(t *testing.T, all []sealed) {
	t.Helper()
	dir := t.TempDir()
	args := []string{"sha256", "-hmac", secret}
	for i, s := range all {
		name := filepath.Join(dir, fmt.Sprintf("%04d.json", i))
		if err := os.WriteFile(name, s.Body, 0o600); err != nil {
			t.Fatal(err)
		}
		args = append(args, name)
	}
	said := strings.Split(script(t, "", "openssl", args...), "\n")
	if len(said) != len(all) || len(all) == 0 {
		t.Fatalf("openssl says %d lines for %d files", len(said), len(all))
	}
	for i, s := range all {
		if _, err := hex.DecodeString(s.Signature); err != nil || !strings.HasSuffix(said[i], "= "+s.Signature) {
			t.Errorf("openssl says %s, not %s of\n%s", said[i], s.Signature, s.Body)
		}
	}
}

// installed is a directory with standardwebhooks, as a receiver would install it
// by npm. Without npm, or without its registry, it is "", unless CI=true.
func installed(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{"package.json", "package-lock.json"} {
		raw, err := os.ReadFile(filepath.Join("testdata/npm", name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), raw, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.CommandContext(t.Context(), "npm", "ci", "--silent", "--prefer-offline", "--no-audit", "--no-fund", "--ignore-scripts")
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err == nil {
		return dir
	}
	if os.Getenv("CI") == "true" {
		t.Fatalf("npm cannot install standardwebhooks: %v\n%s", err, out)
	}
	t.Logf("not verified by standardwebhooks: npm cannot install it: %v\n%s", err, out)
	return ""
}

// TestSealedOverTheWire sends some of them through the worker: what arrives is
// what was sealed, in each dialect.
func TestSealedOverTheWire(t *testing.T) {
	d := newDesk(t)
	url, letters := receiver(t, status(http.StatusOK))
	d.run("127.0.0.0/8")
	e := d.endpoint(url)
	all := seals(t, 1)
	for _, v := range voices {
		for _, s := range all[v.name] {
			d.await(d.send(e, string(s.Body), 1)[0], domain.DeliveryDelivered, 1)
			if l := <-letters; l.body != string(s.Body) {
				t.Fatalf("sent\n%s\ngot\n%s", s.Body, l.body)
			}
		}
	}
}
