package service_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/service/access"
)

// TestKeysGiveWhatTheyHave: no key makes, changes or replaces one so that it may
// do more than itself.
func TestKeysGiveWhatTheyHave(t *testing.T) {
	k := newKit(t)
	create := func(req access.NewKey) (*domain.Key, error) {
		req.Workspace, req.Name = k.first.Workspace.ID, "k"
		key, _, err := k.CreateKey(t.Context(), req)
		return key, err
	}
	all, err := create(access.NewKey{})
	k.ok(err)
	few, err := create(access.NewKey{Scopes: []string{"keys:write", "calls:read", "calls:read", "can_write_calendar"}})
	k.ok(err)
	if got := strings.Join(few.Scopes, " "); got != "keys:write calls:read appointments:write" {
		t.Errorf("scopes %s", got)
	}
	for _, c := range []struct {
		by     *domain.Key
		scopes []string
		want   domain.Code
	}{
		{few, nil, ""}, {few, []string{"calls:read"}, ""}, {few, []string{"can_read_calls"}, ""}, {few, []string{"calls:write"}, domain.CodeForbidden},
		{few, []string{"calls:read", "*"}, domain.CodeForbidden}, {all, []string{"*"}, ""}, {all, []string{"calls:write"}, ""},
		{few, []string{"can_initiate_calls"}, domain.CodeForbidden},
	} {
		got, err := create(access.NewKey{By: c.by, Scopes: c.scopes, Within: domain.Live})
		k.code(err, c.want)
		if err == nil && c.scopes == nil && !slices.Equal(got.Scopes, c.by.Scopes) {
			t.Errorf("a key without scopes got %v", got.Scopes)
		}
		if c.scopes != nil {
			target, err := create(access.NewKey{Scopes: []string{"agents:read"}})
			k.ok(err)
			_, err = k.UpdateKey(t.Context(), k.prod, target.ID, access.KeyChange{Scopes: &c.scopes, By: c.by})
			k.code(err, c.want)
		}
	}
	_, _, err = k.RotateKeyIn(t.Context(), k.prod, all.ID, access.Rotation{By: few})
	k.code(err, domain.CodeForbidden)
	_, _, err = k.RotateKeyIn(t.Context(), k.prod, few.ID, access.Rotation{By: few})
	k.ok(err)
}

// TestKeysOfModes: test mode has its own keys only, live mode sees those of both,
// and nobody those of another workspace.
func TestKeysOfModes(t *testing.T) {
	k := newKit(t)
	workspace := k.first.Workspace.ID
	create := func(mode, within domain.Mode) (*domain.Key, error) {
		key, _, err := k.CreateKey(t.Context(), access.NewKey{Workspace: workspace, Name: "k", Mode: mode, Within: within})
		return key, err
	}
	live, err := create("", domain.Live)
	k.ok(err)
	test, err := create("", domain.Test)
	k.ok(err)
	if live.Mode != domain.Live || test.Mode != domain.Test {
		t.Errorf("%s %s", live.Mode, test.Mode)
	}
	_, err = create(domain.Live, domain.Test)
	k.code(err, domain.CodeForbidden)
	other, err := create(domain.Test, domain.Live)
	k.ok(err)
	stranger := domain.Scope{Workspace: domain.NewID(), Mode: domain.Live}
	for _, c := range []struct {
		in   domain.Scope
		want []domain.ID
	}{{k.prod, []domain.ID{other.ID, test.ID, live.ID}}, {k.test, []domain.ID{other.ID, test.ID}}, {domain.Scope{Workspace: workspace}, []domain.ID{other.ID, test.ID, live.ID}}, {stranger, nil}} {
		rows, total, err := k.Keys(t.Context(), c.in, domain.Page{Limit: 50})
		k.ok(err)
		var got []domain.ID
		for _, row := range rows {
			got = append(got, row.ID)
		}
		if total != len(c.want) || !slices.Equal(got, c.want) {
			t.Errorf("%+v sees %v of %d, want %v", c.in, got, total, c.want)
		}
	}
	name := "x"
	for _, in := range []domain.Scope{k.test, stranger} {
		_, err := k.Key(t.Context(), in, live.ID)
		k.code(err, domain.CodeNotFound)
		_, err = k.UpdateKey(t.Context(), in, live.ID, access.KeyChange{Name: &name})
		k.code(err, domain.CodeNotFound)
		_, err = k.RevokeKeyIn(t.Context(), in, live.ID, nil)
		k.code(err, domain.CodeNotFound)
		_, _, err = k.RotateKeyIn(t.Context(), in, live.ID, access.Rotation{})
		k.code(err, domain.CodeNotFound)
		k.code(k.DeleteKey(t.Context(), in, live.ID, 0), domain.CodeNotFound)
	}
}

func TestKeyChanges(t *testing.T) {
	k := newKit(t)
	key, secret, err := k.CreateKey(t.Context(), access.NewKey{Workspace: k.first.Workspace.ID, Name: "k"})
	k.ok(err)
	late, past := k.now().Add(time.Hour), k.now()
	changed, err := k.UpdateKey(t.Context(), k.prod, key.ID, access.KeyChange{
		Name: new("new"), Scopes: &[]string{"calls:read"}, Allow: &[]string{"::ffff:10.0.0.0/104", "10.1.2.3/8", "2001:db8::1"}, RateLimit: new(7), ExpiresAt: &late, IfVersion: 1,
	})
	k.ok(err)
	if changed.Version != 2 || changed.Name != "new" || changed.RateLimit != 7 || strings.Join(changed.Allow, " ") != "10.0.0.0/8 2001:db8::1/128" || !changed.ExpiresAt.Equal(late) {
		t.Errorf("%+v", changed)
	}
	who, err := k.VerifyKey(t.Context(), secret, home) // at once, although the key is remembered
	k.ok(err)
	if who.RequestsPerMinute(0) != 7 || who.Key.Can("calls:write") {
		t.Errorf("%+v", who.Key)
	}
	for _, c := range []struct {
		change access.KeyChange
		want   domain.Code
	}{
		{access.KeyChange{Name: new("x"), IfVersion: 1}, domain.CodePrecondition}, {access.KeyChange{Name: new("")}, domain.CodeInvalid},
		{access.KeyChange{ExpiresAt: &past}, domain.CodeInvalid}, {access.KeyChange{Scopes: &[]string{}}, domain.CodeInvalid},
		{access.KeyChange{RateLimit: new(-1)}, domain.CodeInvalid}, {access.KeyChange{Allow: &[]string{"x"}}, domain.CodeInvalid},
		{access.KeyChange{ExpiresAt: &time.Time{}, Allow: &[]string{}, RateLimit: new(0)}, ""},
	} {
		_, err := k.UpdateKey(t.Context(), k.prod, key.ID, c.change)
		k.code(err, c.want)
	}
	k.pass(2 * time.Hour)
	_, err = k.VerifyKey(t.Context(), secret, home)
	k.ok(err)
	k.code(k.DeleteKey(t.Context(), k.prod, key.ID, 1), domain.CodePrecondition)
	k.ok(k.DeleteKey(t.Context(), k.prod, key.ID, 3))
	_, err = k.VerifyKey(t.Context(), secret, home)
	k.code(err, domain.CodeUnauthorized)
	_, err = k.Key(t.Context(), k.prod, key.ID)
	k.code(err, domain.CodeNotFound)
}
