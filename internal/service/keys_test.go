package service_test

import (
	"context"
	"net/netip"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/service/access"
)

// home is where keys are used from.
var home = netip.MustParseAddr("10.0.0.7")

var keyForm = regexp.MustCompile(`^cw_(live|test)_[0-9a-f]{24}[0-9A-Za-z]{38}$`)

func TestKeys(t *testing.T) {
	k := newKit(t)
	workspace := k.first.Workspace.ID
	key, secret, err := k.CreateKey(t.Context(), access.NewKey{Workspace: workspace, Name: "CRM Sync", Scopes: []string{"calls:read"}, Allow: []string{"10.0.0.7", "2001:db8::/32"}})
	k.ok(err)
	if !keyForm.MatchString(secret) || key.Prefix != secret[:16] || key.Mode != domain.Live || strings.Join(key.Allow, " ") != "10.0.0.7/32 2001:db8::/32" {
		t.Errorf("%s %+v", secret, key)
	}
	who, err := k.VerifyKey(t.Context(), secret, home)
	k.ok(err)
	if who.Workspace.ID != workspace || who.Key.ID != key.ID || who.RequestsPerMinute(0) != 300 || !who.Key.Can("calls:read") || who.Key.Can("calls:write") {
		t.Errorf("%+v", who)
	}
	for i := range len(secret) {
		wrong := secret[:i] + flip(secret[i]) + secret[i+1:]
		if _, err := k.VerifyKey(t.Context(), wrong, home); domain.CodeOf(err) != domain.CodeUnauthorized {
			t.Fatalf("%s was taken: %v", wrong, err)
		}
	}
	for _, wrong := range []string{"", "cw_live_", secret + "x", secret[1:], strings.Repeat("x", len(secret)), strings.ToUpper(secret)} {
		_, err := k.VerifyKey(t.Context(), wrong, home)
		k.code(err, domain.CodeUnauthorized)
	}
	_, err = k.RevokeKey(t.Context(), workspace, key.ID)
	k.ok(err)
	_, err = k.VerifyKey(t.Context(), secret, home)
	k.code(err, domain.CodeUnauthorized)
	_, err = k.RevokeKey(t.Context(), domain.NewID(), key.ID)
	k.code(err, domain.CodeNotFound)
}

func flip(c byte) string {
	if c == 'a' {
		return "b"
	}
	return "a"
}

// A key that another process revokes stops working within a second.
func TestKeyStaleness(t *testing.T) {
	k := newKit(t)
	key, secret, err := k.CreateKey(t.Context(), access.NewKey{Workspace: k.first.Workspace.ID, Name: "k"})
	k.ok(err)
	_, err = k.VerifyKey(t.Context(), secret, home)
	k.ok(err)
	k.ok(k.store.InTx(t.Context(), domain.LaneAPI, func(ctx context.Context, s *domain.Stores) error {
		row, err := s.Keys.ByID(ctx, key.ID)
		if err != nil {
			return err
		}
		row.RevokedAt = k.now()
		return s.Keys.Update(ctx, row)
	}))
	k.pass(time.Second)
	_, err = k.VerifyKey(t.Context(), secret, home)
	k.code(err, domain.CodeUnauthorized)
}

func TestKeyExpiryAndRotation(t *testing.T) {
	k := newKit(t)
	workspace := k.first.Workspace.ID
	_, _, err := k.CreateKey(t.Context(), access.NewKey{Workspace: workspace, Name: "k", ExpiresAt: k.now()})
	k.code(err, domain.CodeInvalid)
	key, old, err := k.CreateKey(t.Context(), access.NewKey{Workspace: workspace, Name: "k", Mode: domain.Test, ExpiresAt: k.now().Add(time.Hour)})
	k.ok(err)
	fresh, secret, err := k.RotateKey(t.Context(), workspace, key.ID, 10*time.Minute)
	k.ok(err)
	if fresh.Mode != domain.Test || fresh.Name != "k" || secret == old || !strings.HasPrefix(secret, "cw_test_") {
		t.Errorf("%+v", fresh)
	}
	for _, step := range []struct {
		after      time.Duration
		old, fresh domain.Code
	}{{9 * time.Minute, "", ""}, {2 * time.Minute, domain.CodeUnauthorized, ""}, {50 * time.Minute, domain.CodeUnauthorized, domain.CodeUnauthorized}} {
		k.pass(step.after)
		_, err := k.VerifyKey(t.Context(), old, home)
		k.code(err, step.old)
		_, err = k.VerifyKey(t.Context(), secret, home)
		k.code(err, step.fresh)
	}
	_, _, err = k.RotateKey(t.Context(), workspace, key.ID, 0)
	k.code(err, domain.CodeConflict)
	_, _, err = k.RotateKey(t.Context(), workspace, fresh.ID, 8*24*time.Hour)
	k.code(err, domain.CodeInvalid)
}

func TestKeyRefusals(t *testing.T) {
	k := newKit(t)
	for _, req := range []access.NewKey{
		{}, {Name: " "}, {Name: "k", Mode: "prod"}, {Name: "k", Scopes: []string{"calls"}}, {Name: "k", Scopes: []string{"calls:delete"}},
		{Name: "k", Scopes: []string{"planets:read"}}, {Name: "k", Allow: []string{"example.com"}}, {Name: "k", Allow: []string{"10.0.0.1/33"}},
		{Name: "k", Allow: []string{"fe80::1%eth0"}}, {Name: "k", RateLimit: -1}, {Name: "k", RateLimit: 1_000_001}, {Name: "k", Scopes: []string{}},
		{Name: "k", Scopes: []string{"calls:read", "can_fly"}}, {Name: "k", Allow: make([]string, 201)}, {Name: "k", Allow: []string{"::ffff:10.0.0.0/90"}},
	} {
		req.Workspace = k.first.Workspace.ID
		_, _, err := k.CreateKey(t.Context(), req)
		k.code(err, domain.CodeInvalid)
	}
	_, _, err := k.CreateKey(t.Context(), access.NewKey{Workspace: domain.NewID(), Name: "k"})
	k.code(err, domain.CodeNotFound)
}
