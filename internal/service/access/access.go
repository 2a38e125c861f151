// Package access decides who may come in: keys and what they may do, how often
// they ask, and what they were used for.
package access

import (
	"sync/atomic"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/service/rule"
)

// Access is the rules of keys over one store. Its methods may be called at once.
type Access struct {
	rule.Kit
	keys     keyCache
	uses     keyUses
	unfolded atomic.Bool // there may be usage to fold
	rates    domain.RateLimits
}

// New returns the rules. rates counts requests for all processes that share the
// store; nil counts in this one.
func New(kit rule.Kit, rates domain.RateLimits) *Access {
	a := &Access{Kit: kit}
	a.keys.entries = make(map[domain.ID]keyEntry)
	a.unfolded.Store(true) // what an earlier run left
	a.rates = newRates(rates, kit.Now, kit.Log)
	return a
}
