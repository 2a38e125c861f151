package trunk_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/trunk"
)

// pigeon is a carrier that remembers that it was closed.
type pigeon struct {
	name   string
	err    error
	closed int
}

func (p *pigeon) Name() string { return p.name }

func (p *pigeon) Route(_ context.Context, t domain.Trunk, number string) (trunk.Route, error) {
	return trunk.Route{URI: "sip:" + number + "@" + p.name, Username: t.Username}, p.err
}

func (p *pigeon) Close() error { p.closed++; return p.err }

func TestCarriers(t *testing.T) {
	home, broken := &pigeon{name: "home"}, &pigeon{name: "broken", err: errors.New("it rains")}
	c, err := trunk.NewCarriers(home, broken)
	if err != nil {
		t.Fatal(err)
	}
	route, err := c.Route(t.Context(), domain.Trunk{Carrier: "home", Username: "me"}, "+15005550006")
	if err != nil || route != (trunk.Route{URI: "sip:+15005550006@home", Username: "me"}) {
		t.Errorf("%+v, %v", route, err)
	}
	if _, err := c.Route(t.Context(), domain.Trunk{Carrier: "broken"}, "+15005550006"); !errors.Is(err, broken.err) {
		t.Errorf("a carrier's own error: %v", err)
	}
	_, err = c.Route(t.Context(), domain.Trunk{ID: "t1", Carrier: "owl"}, "+15005550006")
	if domain.CodeOf(err) != domain.CodeInvalid || !strings.Contains(err.Error(), "it has broken, home") || !strings.Contains(err.Error(), "trunk t1") {
		t.Errorf("an unknown carrier: %v", err)
	}
	if err := c.Close(); !errors.Is(err, broken.err) || home.closed != 1 || broken.closed != 1 {
		t.Errorf("closed %d and %d times: %v", home.closed, broken.closed, err)
	}
	if _, err := trunk.NewCarriers(home, &pigeon{name: "home"}); err == nil {
		t.Error("two carriers have one name")
	}
}
