package main

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
)

// TestKeysBesideServer makes, lists, rotates and revokes keys while a server
// runs on the same data; each change holds there at once.
func TestKeysBesideServer(t *testing.T) {
	t.Parallel()
	s := serve(t, dataDir(t))
	command := func(args ...string) string {
		t.Helper()
		out, log, exit := run(t, t.TempDir(), append(append([]string{"key"}, args...), "--data", s.data)...)
		if exit != 0 {
			t.Fatalf("key %v: exit %d: %s", args, exit, log)
		}
		return out
	}
	// The router checks a key anew after a second at the latest.
	works := func(secret string, want bool) {
		t.Helper()
		client := demoClient{base: s.api, key: secret}
		until(t, 10*time.Second, "as it should be", func() bool { return (client.get(t.Context(), "", &struct{}{}) == nil) == want })
	}
	var first, second madeKey
	unmarshal := func(text string, v any) {
		t.Helper()
		if err := json.Unmarshal([]byte(text), v); err != nil || strings.Count(text, "\n") != 1 {
			t.Fatalf("%v in %s", err, text)
		}
	}
	unmarshal(command("create", "--name", "one", "--mode", "test", "--allow", "127.0.0.1,::1", "--rate-limit", "250", "--json"), &first)
	works(first.Key, true)
	unmarshal(command("rotate", first.ID, "--overlap", "0s", "--json"), &second)
	if second.ID == first.ID || second.Name != "one" || second.Mode != "test" || second.WorkspaceID != first.WorkspaceID {
		t.Errorf("%+v became %+v", first, second)
	}
	works(first.Key, false)
	works(second.Key, true)

	listing := command("list", "--json")
	var keys []struct {
		ID, Prefix, Name, Mode, WorkspaceID string
		Scopes, Allow                       []string
		RateLimit                           *int
		Active                              bool
		CreatedAt, LastUsedAt, ExpiresAt    *time.Time
	}
	unmarshal(listing, &keys)
	byID := map[string]int{}
	for i, k := range keys {
		byID[k.ID] = i
	}
	old, now := keys[byID[first.ID]], keys[byID[second.ID]]
	if old.Active || old.ExpiresAt == nil || !now.Active || now.ExpiresAt != nil || now.CreatedAt == nil {
		t.Errorf("the keys are %+v and %+v", old, now)
	}
	if now.RateLimit == nil || *now.RateLimit != 250 || len(now.Allow) != 2 || now.Scopes[0] != "*" || !strings.HasPrefix(second.Key, now.Prefix) {
		t.Errorf("the key is %+v", now)
	}
	if strings.Contains(listing, second.Key) || strings.Contains(command("list"), second.Key) {
		t.Error("the list has a secret")
	}
	if out := command("revoke", second.ID); out != "key "+second.ID+" (one) is revoked\n" {
		t.Errorf("revoke: %s", out)
	}
	works(second.Key, false)
}
