package access

import (
	"slices"
	"strings"

	"github.com/callwright/callwright/internal/domain"
)

// AllScopes lets a key do everything.
const AllScopes = "*"

// keyResources are the first path segments of the native API: what comes before
// ":read" and ":write" in a scope.
var keyResources = []string{
	"agents", "appointments", "batches", "calls", "campaigns", "contacts", "dialing", "do-not-call", "flows",
	"keys", "live", "messages", "notices", "phone-numbers", "recordings", "trunks", "usage", "webhooks", "workspaces",
}

// scopeAliases are other words for scopes: those of Klen's keys.
var scopeAliases = map[string]string{
	"can_read_agents": "agents:read", "can_write_agents": "agents:write",
	"can_read_calls": "calls:read", "can_initiate_calls": "calls:write",
	"can_read_contacts": "contacts:read", "can_write_contacts": "contacts:write",
	"can_read_calendar": "appointments:read", "can_write_calendar": "appointments:write",
	"can_read_webhooks": "webhooks:read", "can_write_webhooks": "webhooks:write",
}

// scopes checks the words of a key's scopes and returns them each once, aliases
// as what they stand for.
func scopes(field string, list []string) ([]string, error) {
	if len(list) == 0 {
		return nil, domain.Invalid(field, "%s must list at least one scope; %q is all", field, AllScopes)
	}
	var out []string
	for i, scope := range list {
		if alias, known := scopeAliases[scope]; known {
			scope = alias
		}
		resource, right, _ := strings.Cut(scope, ":")
		if scope != AllScopes && (!slices.Contains(keyResources, resource) || right != "read" && right != "write") {
			return nil, domain.Invalid(field, "%s: entry %d is not a scope; use <resource>:read or <resource>:write with one of %s, or *",
				field, i+1, strings.Join(keyResources, ", "))
		}
		if !slices.Contains(out, scope) {
			out = append(out, scope)
		}
	}
	return out, nil
}

// grant refuses scopes that the key by has not got itself; nil is the operator,
// who may give all.
func grant(by *domain.Key, scopes []string) error {
	for _, scope := range scopes {
		if by != nil && !by.Can(scope) {
			return domain.Errorf(domain.CodeForbidden, "the API key lacks the scope %s, and no key gives what it has not", scope)
		}
	}
	return nil
}

// allowlist reads addresses and CIDRs into CIDRs.
func allowlist(field string, list []string) ([]string, error) {
	if len(list) > maxAllow {
		return nil, domain.Invalid(field, "%s has %d entries; at most %d are allowed", field, len(list), maxAllow)
	}
	var out []string
	for i, word := range list {
		p, ok := domain.ParseNetwork(word)
		if !ok {
			return nil, domain.Invalid(field, "%s: entry %d is neither an IP address nor a CIDR such as 203.0.113.0/24", field, i+1)
		}
		if text := p.String(); !slices.Contains(out, text) {
			out = append(out, text)
		}
	}
	return out, nil
}

// maxAllow bounds a key's allowlist, which every request is compared with.
const maxAllow = 200
