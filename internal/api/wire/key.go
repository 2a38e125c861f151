package wire

import (
	"net/http"
	"strings"
)

// KeyOf returns the API key that a request carries: "Authorization: Bearer
// KEY", "Authorization: KEY" or "X-API-Key: KEY".
func KeyOf(r *http.Request) string {
	if auth := strings.TrimSpace(r.Header.Get("Authorization")); auth != "" {
		if scheme, rest, two := strings.Cut(auth, " "); two && strings.EqualFold(scheme, "Bearer") {
			return strings.TrimSpace(rest)
		}
		return auth
	}
	return strings.TrimSpace(r.Header.Get("X-Api-Key"))
}
