package domain

import (
	"crypto/sha256"
	"encoding/hex"
)

// Callback is a receiver of the events of one call, which was named in the
// request for it.
type Callback struct {
	URL     string
	Dialect string // of its payloads: native, trillet, klen
	Secret  string // whsec_<base64>, of this call's deliveries
}

// CallbackEndpoint is the call's own receiver as an endpoint, or nil. Calls of a
// workspace and mode that name the same URL have an endpoint with the same id:
// one that is slow to answer is one, however many calls name it.
func (c *Call) CallbackEndpoint() *Endpoint {
	if c.Callback == nil {
		return nil
	}
	sum := sha256.Sum256([]byte(string(c.WorkspaceID) + "\n" + string(c.Mode) + "\n" + c.Callback.URL))
	return &Endpoint{
		ID: ID(hex.EncodeToString(sum[:12])), WorkspaceID: c.WorkspaceID, Mode: c.Mode,
		URL: c.Callback.URL, Dialect: c.Callback.Dialect, Secret: c.Callback.Secret,
		Events: []string{AllEvents}, IsActive: true, Schedule: RetryStandard, CreatedAt: c.CreatedAt, UpdatedAt: c.CreatedAt,
	}
}
