// Package trunk defines what the house needs of a carrier and keeps the
// registry of the carriers that are there.
package trunk

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/callwright/callwright/internal/domain"
)

// Route is the way to a number over a trunk.
type Route struct {
	URI      string // SIP URI to send the INVITE to
	Server   string // SIP URI of the peer itself, to register and to ask whether it is there; "" when there is no need
	Username string // for digest authentication, or ""
	Password string
}

// Carrier knows how to reach numbers over trunks of one kind.
type Carrier interface {
	// Name is the word that a trunk's Carrier field holds.
	Name() string
	// Route returns the way to number, E.164. An error with domain.CodeInvalid
	// means that this carrier cannot reach such a number.
	Route(ctx context.Context, t domain.Trunk, number string) (Route, error)
	// Close ends what the carrier runs in this process.
	Close() error
}

// Carriers is the registry: carriers by name.
type Carriers struct {
	mu   sync.Mutex
	list map[string]Carrier
}

// NewCarriers returns a registry of the given carriers.
func NewCarriers(list ...Carrier) (*Carriers, error) {
	c := &Carriers{list: map[string]Carrier{}}
	for _, one := range list {
		if _, twice := c.list[one.Name()]; twice {
			return nil, fmt.Errorf("carrier %q is registered twice", one.Name())
		}
		c.list[one.Name()] = one
	}
	return c, nil
}

// Route asks the trunk's carrier for the way to number.
func (c *Carriers) Route(ctx context.Context, t domain.Trunk, number string) (Route, error) {
	one, err := c.of(t)
	if err != nil {
		return Route{}, err
	}
	return one.Route(ctx, t, number)
}

// of returns the carrier of a trunk.
func (c *Carriers) of(t domain.Trunk) (Carrier, error) {
	c.mu.Lock()
	one, ok := c.list[t.Carrier]
	c.mu.Unlock()
	if !ok {
		return nil, domain.Invalid("carrier", "trunk %s names the carrier %q, which this build does not have; it has %s",
			t.ID, t.Carrier, strings.Join(c.names(), ", "))
	}
	return one, nil
}

func (c *Carriers) names() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	names := make([]string, 0, len(c.list))
	for name := range c.list {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// Close closes every carrier.
func (c *Carriers) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	var first error
	for _, one := range c.list {
		if err := one.Close(); err != nil && first == nil {
			first = err
		}
	}
	return first
}
