// Package people holds the rules about those who are called: contacts, what
// agents know of them, and the list of who must not be called.
package people

import (
	"context"

	"github.com/callwright/callwright/internal/service/rule"
)

// People is the rules over one store. Its methods may be called at once.
type People struct {
	rule.Kit
	stopRinging func(ctx context.Context) error
}

// New returns the rules. stopRinging hangs up calls to numbers that nobody has
// answered yet.
func New(kit rule.Kit, stopRinging func(ctx context.Context) error) *People {
	return &People{Kit: kit, stopRinging: stopRinging}
}
