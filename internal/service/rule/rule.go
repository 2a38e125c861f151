// Package rule holds what the application's rules are made of: transactions whose
// answer is kept with their effect, checks of fields, and lists.
package rule

import (
	"log/slog"
	"time"

	"github.com/callwright/callwright/internal/domain"
)

// Kit is what every rule works with.
type Kit struct {
	Store domain.Store
	Now   func() time.Time
	Log   *slog.Logger
}

// Clock is the present as the store keeps it: UTC microseconds.
func (k *Kit) Clock() time.Time { return k.Now().UTC().Truncate(time.Microsecond) }
