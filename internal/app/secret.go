package app

import (
	"github.com/callwright/callwright/internal/config"
	"github.com/callwright/callwright/internal/store"
)

// secretKey is where the key comes from that seals secrets in the database and
// signs links: the configuration, or a file of the data directory.
func secretKey(c *config.Config) (store.Key, error) {
	key, err := c.Secret()
	if key == nil {
		return store.KeyFile(c.Data), err
	}
	return store.Key{From: "the setting secret-key", Bytes: func(bool) ([]byte, error) { return key, nil }}, nil
}
