package webhook_test

import (
	"net/http"
	"os/exec"
	"strings"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/callwright/callwright/internal/api/native"
	"github.com/callwright/callwright/internal/domain"
)

// TestReceiversCanVerify runs the documented verifiers, with their own
// languages, on bytes that came over a socket.
func TestReceiversCanVerify(t *testing.T) {
	answered := time.Date(2025, 1, 15, 14, 22, 0, 0, time.UTC)
	body, ok := native.Hooks{}.Encode(&domain.Event{
		Type: domain.EventTranscriptReady, At: answered, Sequence: 3,
		Call: &domain.Call{ID: "c", AgentID: "a", To: "+15551234567", State: domain.CallCompleted, AnsweredAt: answered, EndedAt: answered.Add(time.Minute)},
		Turns: []domain.Turn{
			{Role: domain.RoleAgent, Text: "Grüß Gott, \"Zoë\" <zoe@example.com> & Söhne\u2028\u2029 世界 😀 \\ / \x00\x1f"},
			{Role: domain.RoleCaller, Text: "€ 1.50\r\n"},
		},
	})
	if !ok {
		t.Fatal("the event is not known")
	}
	d := newDesk(t)
	url, letters := receiver(t, status(http.StatusOK))
	d.run("127.0.0.0/8")
	d.await(d.send(d.endpoint(url), string(body), 1)[0], domain.DeliveryDelivered, 1)
	l := <-letters
	if l.body != string(body) {
		t.Fatalf("sent\n%s\ngot\n%s", body, l.body)
	}
	signature := l.header.Get("X-VoxForge-Signature")
	for _, c := range []struct{ body, want string }{{l.body, "true true|True"}, {l.body + " ", "false true|False"}} {
		got := script(t, c.body, "node", "testdata/verify.js", signature, secret) + "|" +
			script(t, c.body, "python3", "testdata/verify.py", signature, secret)
		if got != c.want {
			t.Errorf("the verifiers say %s, want %s", got, c.want)
		}
	}
	if got := script(t, l.body, "openssl", "dgst", "-sha256", "-hmac", secret); !strings.HasSuffix(got, " "+strings.TrimPrefix(signature, "sha256=")) {
		t.Errorf("openssl says %s, not %s", got, signature)
	}
	standard, err := standardwebhooks.NewWebhook(secret)
	if err != nil {
		t.Fatal(err)
	}
	if err := standard.Verify([]byte(l.body), l.header); err != nil {
		t.Errorf("Standard Webhooks: %v", err)
	}
	if standard.Verify([]byte(l.body+" "), l.header) == nil {
		t.Error("Standard Webhooks verifies any body")
	}
}

// script runs a program, which is needed on PATH, and returns what it printed.
func script(t *testing.T, stdin, name string, args ...string) string {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Stdin = strings.NewReader(stdin)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s (it is needed on PATH): %v\n%s", name, err, out)
	}
	return strings.TrimSpace(string(out))
}

// TestHeaderSpelling reads a request off the wire: Go's own servers would hide
// how names are spelt.
func TestHeaderSpelling(t *testing.T) {
	d := newDesk(t)
	addr, raw := wireTap(t)
	d.run("127.0.0.0/8")
	d.await(d.send(d.endpoint("http://"+addr+"/x"), `{}`, 1)[0], domain.DeliveryDelivered, 1)
	request := <-raw
	for _, want := range []string{
		"POST /x HTTP/1.1\r\n", "\r\nX-VoxForge-Signature: sha256=", "\r\nX-Webhook-Event: call.ended\r\n", "\r\nX-Webhook-Timestamp: ",
		"\r\nwebhook-id: event", "\r\nwebhook-timestamp: ", "\r\nwebhook-signature: v1,", "\r\nContent-Length: 2\r\n", "\r\n\r\n{}",
	} {
		if !strings.Contains(request, want) {
			t.Errorf("there is no %q in\n%s", want, request)
		}
	}
}
