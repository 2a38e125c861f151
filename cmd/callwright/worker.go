package main

import (
	"context"
	"os"

	"github.com/callwright/callwright/internal/config"
	"github.com/callwright/callwright/internal/provider"
)

// workerCmd is the process in which a server's own voice is computed.
type workerCmd struct{}

// Run works until its input ends.
func (workerCmd) Run(ctx context.Context) error {
	return provider.ServeWorker(ctx, os.Stdin, os.Stdout)
}

// nameWorker has this program's voices computed in processes of its own, unless
// it cannot tell what program it is.
func nameWorker(c *config.Config) {
	if path, err := os.Executable(); err == nil {
		c.Worker = []string{path, "worker"}
	}
}
