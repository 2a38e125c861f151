package main

import (
	"errors"
	"fmt"
	"net"

	"github.com/callwright/callwright/client"
	"github.com/callwright/callwright/internal/config"
)

// remote is the server that a command talks to, and the key for it.
type remote struct {
	URL string `name:"url" help:"Where the server is; the default is the address of --http." placeholder:"URL"`
	Key string `name:"key" env:"CALLWRIGHT_API_KEY" help:"API key that may read and write what the command is about." placeholder:"KEY"`
}

// client is the client of the server that the command line names.
func (k *remote) client(c *config.Config) (*client.Client, error) {
	if k.Key == "" {
		return nil, fmt.Errorf("an API key is needed: set CALLWRIGHT_API_KEY or --key; "+
			"beside the server's data directory you make one with: callwright key create --name calls --mode test --data %s", c.Data)
	}
	if k.URL == "" {
		host, port, err := net.SplitHostPort(c.HTTP)
		if err != nil || port == "0" {
			return nil, fmt.Errorf("the server's address is not known from --http %q; name the server with --url http://HOST:PORT", c.HTTP)
		}
		if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
			host = "127.0.0.1"
		}
		k.URL = "http://" + net.JoinHostPort(host, port)
	}
	return client.New(client.Options{URL: k.URL, Key: k.Key, UserAgent: "callwright/" + version})
}

// explained says what to do about an error of the first request.
func (k *remote) explained(err error) error {
	var refused *net.OpError
	if errors.As(err, &refused) {
		return fmt.Errorf("no server answers at %s (%w); start one with callwright serve, or name it with --url", k.URL, refused.Err)
	}
	return err
}
