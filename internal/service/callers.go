package service

import (
	"slices"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/service/rule"
)

// IncomingChange is what is to change in who may call in over a trunk.
type IncomingChange struct {
	Networks rule.Change[[]string]
	Username rule.Change[string] // "" lets callers in without a password
	Password rule.Change[string]
}

// Bounds of who may call in.
const (
	maxNetworks     = 100
	minCallPassword = 8 // characters: strangers may try
)

func (req *IncomingChange) apply(in *domain.Incoming) error {
	if req == nil {
		return nil
	}
	rule.Set(&in.Networks, req.Networks)
	rule.Set(&in.Username, req.Username)
	rule.Set(&in.Password, req.Password)
	if in.Username == "" {
		in.Password = ""
	}
	var err error
	if in.Networks, err = networks("incoming.networks", in.Networks); err != nil {
		return err
	}
	if err := rule.First(rule.Text("incoming.username", in.Username, rule.MaxName), rule.Text("incoming.password", in.Password, rule.MaxName)); err != nil {
		return err
	}
	if in.Username != "" && len(in.Password) < minCallPassword {
		return domain.Invalid("incoming.password", "incoming.password must have at least %d characters: anybody may try to guess it", minCallPassword)
	}
	return nil
}

// networks checks a list of networks, of which an address is one, and writes
// them as CIDR.
func networks(field string, list []string) ([]string, error) {
	if len(list) > maxNetworks {
		return nil, domain.Invalid(field, "%s has %d entries; at most %d are allowed", field, len(list), maxNetworks)
	}
	var out []string
	for i, entry := range list {
		p, ok := domain.ParseNetwork(entry)
		switch {
		case !ok:
			return nil, domain.Invalid(field, "%s: entry %d is not a network; write it like 198.51.100.0/24 or 198.51.100.7", field, i+1)
		case p.Bits() == 0:
			return nil, domain.Invalid(field, "%s: entry %d is every address there is; give callers a username and password instead", field, i+1)
		}
		if word := p.String(); !slices.Contains(out, word) {
			out = append(out, word)
		}
	}
	return out, nil
}
