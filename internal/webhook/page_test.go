package webhook_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"os"
	"regexp"
	"strings"
	"testing"
)

// TestPageVerifies runs the verifiers that docs/webhooks.md gives to receivers.
func TestPageVerifies(t *testing.T) {
	raw, err := os.ReadFile("../../docs/webhooks.md")
	if err != nil {
		t.Fatal(err)
	}
	body := `{"event":"call.ended","data":{"to":"Zoë"}}`
	sum := hmac.New(sha256.New, []byte(secret))
	sum.Write([]byte(body))
	signature := "sha256=" + hex.EncodeToString(sum.Sum(nil))
	const js = "\nconst [signature, secret, dialect] = process.argv.slice(1);\nconsole.log(isFromCallwright(require('fs').readFileSync(0), signature, secret, dialect) ? 'yes' : 'no');"
	const py = "\nimport sys\nprint('yes' if is_from_callwright(sys.stdin.buffer.read(), *sys.argv[1:]) else 'no')"
	for _, c := range []struct{ body, signature, want, dialect string }{
		{body, signature, "yes", "native"}, {body + " ", signature, "no", "native"}, {body, signature[:20], "no", "native"}, {body, "", "no", "native"}, {body, "sha256=é", "no", "native"},
		{body, signature[7:], "yes", "klen"}, {body, signature[7:], "yes", "trillet"}, {body, signature, "no", "klen"}, {body, signature[7:], "no", "native"},
	} {
		if got := script(t, c.body, "node", "-e", fenced(t, string(raw), "js")+js, "--", c.signature, secret, c.dialect); got != c.want {
			t.Errorf("Node.js says %s of %q, want %s", got, c.signature, c.want)
		}
		if got := script(t, c.body, "python3", "-c", fenced(t, string(raw), "python")+py, c.signature, secret, c.dialect); got != c.want {
			t.Errorf("Python says %s of %q, want %s", got, c.signature, c.want)
		}
	}
}

func fenced(t *testing.T, page, language string) string {
	t.Helper()
	m := regexp.MustCompile("(?s)```" + language + "\n(.*?)```").FindStringSubmatch(page)
	if m == nil {
		t.Fatalf("docs/webhooks.md has no block of %s", language)
	}
	return strings.TrimSpace(m[1])
}
