package main

import (
	"bytes"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// postOnce sends a request under an Idempotency-Key and returns the answer.
func postOnce(t *testing.T, s *server, path, key, body string) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.api+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+key)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Idempotency-Key", "once "+path)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	var answer bytes.Buffer
	if _, err := answer.ReadFrom(res.Body); err != nil || res.StatusCode >= 300 {
		t.Fatalf("%s: %d %s, %v", path, res.StatusCode, answer.String(), err)
	}
	return answer.String()
}

// between cuts out what stands between two texts.
func between(t *testing.T, text, before, after string) string {
	t.Helper()
	_, rest, found := strings.Cut(text, before)
	cut, _, ends := strings.Cut(rest, after)
	if !found || !ends || cut == "" {
		t.Fatalf("there is no %s… in %s", before, text)
	}
	return cut
}

// TestSecretsStaySecret gives a server secrets of every kind, has it use them, and
// looks for them in its files and its log, while it runs and after it died. Then
// it must start with its key, and with no other.
func TestSecretsStaySecret(t *testing.T) {
	t.Parallel()
	data := t.TempDir() // SQLite: its files can be searched
	s := serve(t, data, "--log-level", "debug")
	key := s.client("live").key
	const password, incoming = "p4ss-of-the-trunk", "p4ss-of-callers"
	postOnce(t, s, "/trunks", key, `{"name":"t","host":"127.0.0.1","port":9,"transport":"tcp","username":"u","password":"`+password+`","register":true,"incoming":{"username":"i","password":"`+incoming+`"}}`)
	hook := `{"url":"http://127.0.0.1:9/x","events":["*"]}`
	endpoint := postOnce(t, s, "/webhooks", key, hook)
	id := between(t, endpoint, `"id":"`, `"`)
	rotated := postOnce(t, s, "/webhooks/"+id+"/rotate-secret", key, `{}`)
	postOnce(t, s, "/webhooks/"+id+"/test", key, `{}`)
	made := postOnce(t, s, "/keys", key, `{"name":"k"}`)
	secrets := map[string]string{
		"a trunk's password": password, "its callers' password": incoming, "an endpoint's old secret": between(t, endpoint, `"whsec_`, `"`),
		"its new one": between(t, rotated, `"whsec_`, `"`), "a key": between(t, made, `"key":"`, `"`), "the first key": key,
	}
	search := func(when string) {
		t.Helper()
		files := 0
		err := filepath.WalkDir(data, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			raw, err := os.ReadFile(path)
			files++
			for what, secret := range secrets {
				if bytes.Contains(raw, []byte(secret)) {
					t.Errorf("%s: %s is in %s", when, what, path)
				}
			}
			return err
		})
		if err != nil || files < 3 {
			t.Fatalf("%d files: %v", files, err)
		}
		for what, secret := range secrets {
			if strings.Contains(s.log.String(), secret) {
				t.Errorf("%s: %s is in the log", when, what)
			}
		}
	}
	search("while it runs")
	s.kill()
	search("after it died")

	s = serve(t, data, "--log-level", "debug")
	if again := postOnce(t, s, "/webhooks", key, hook); again != endpoint {
		t.Errorf("the answer is repeated as %s, not %s", again, endpoint)
	}
	s.kill()
	search("after it was started again")
	kept := filepath.Join(t.TempDir(), "kept")
	if err := os.Rename(filepath.Join(data, "secret.key"), kept); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"serve"}, {"serve", "--secret-key", strings.Repeat("ab", 32)}, {"key", "list"}} {
		out, log, exit := run(t, t.TempDir(), withFreePorts(append(args, "--data", data))...)
		if exit != 1 || strings.Count(log, "\n") != 1 || !strings.Contains(log, "sealed") || strings.Contains(log, "abab") {
			t.Errorf("%q without the key: exit %d, %s%s", args, exit, out, log)
		}
	}
	if err := os.Rename(kept, filepath.Join(data, "secret.key")); err != nil {
		t.Fatal(err)
	}
	serve(t, data)
}
