package outreach

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/phone"
	"github.com/callwright/callwright/internal/service/rule"
)

// Reachable refuses numbers that no call of a workspace may reach over a trunk
// of its own, whoever asks for it: classes that toll fraud lives from, and
// regions that it does not call.
func Reachable(ctx context.Context, st *domain.Stores, in domain.Scope, number string) error {
	n, err := phone.Parse(number)
	if err != nil {
		return domain.Invalid("to", "to %s", err).For(domain.ReasonInvalidNumber, "")
	}
	if n.Class.Risky() {
		return domain.Errorf(domain.CodeForbidden, "calls to %s numbers are not allowed", n.Class).
			For(domain.ReasonDestinationNotAllowed, "to")
	}
	called, err := calls(ctx, st, in, n)
	if err != nil || called {
		return err
	}
	return domain.Errorf(domain.CodeForbidden,
		"the workspace does not call %s; add it to the workspace's regions, which are those of its own numbers unless they are set", place(n)).
		For(domain.ReasonRegionNotAllowed, "to")
}

func place(n phone.Number) string {
	if home := n.Home(); home != "" {
		return "numbers of " + home
	}
	return fmt.Sprintf("numbers that begin with +%d, a code of no country", n.Country)
}

// maxRegions is how many regions a workspace may name: more than there are.
const maxRegions = 300

// CheckRegions returns a list of regions as it is kept: each once, in order. nil
// stays nil.
func CheckRegions(regions []string) ([]string, error) {
	if regions == nil {
		return nil, nil
	}
	if len(regions) > maxRegions {
		return nil, domain.Invalid("regions", "regions has %d entries; at most %d are allowed", len(regions), maxRegions)
	}
	kept := make([]string, len(regions))
	for i, region := range regions {
		kept[i] = strings.ToUpper(strings.TrimSpace(region))
		if kept[i] != domain.AnyRegion && !phone.IsRegion(kept[i]) {
			return nil, domain.Invalid("regions", "regions: entry %d is not a code of ISO 3166-1 that has telephone numbers, such as US, nor *, which is any", i+1)
		}
	}
	slices.Sort(kept)
	return slices.Compact(kept), nil
}

// errFound ends a scan.
var errFound = errors.New("found")

// calls reports whether a workspace calls the region of a number: one that it
// names, else one of its own live numbers. Without any of those there is nothing
// to protect: nothing can be called from.
func calls(ctx context.Context, st *domain.Stores, in domain.Scope, to phone.Number) (bool, error) {
	w, err := st.Workspaces.Get(ctx, in.Workspace)
	if err != nil {
		return false, err
	}
	home := to.Home()
	if w.Regions != nil {
		return slices.Contains(w.Regions, domain.AnyRegion) || home != "" && slices.Contains(w.Regions, home), nil
	}
	none := true
	live := domain.Scope{Workspace: in.Workspace, Mode: domain.Live}
	err = rule.Scan(ctx, st.Numbers, live, func(n *domain.PhoneNumber) domain.ID { return n.ID }, func(own *domain.PhoneNumber) error {
		none = false
		if n, err := phone.Parse(own.Number); err == nil && home != "" && n.Home() == home {
			return errFound
		}
		return nil
	})
	if errors.Is(err, errFound) {
		return true, nil
	}
	return none, err
}
