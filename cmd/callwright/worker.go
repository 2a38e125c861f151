package main

import (
	"context"
	"os"

	"github.com/callwright/callwright/internal/provider"
)

// workerCmd is the process in which a server's own voice is computed.
type workerCmd struct{}

// Run works until its input ends.
func (workerCmd) Run(ctx context.Context) error {
	return provider.ServeWorker(ctx, os.Stdin, os.Stdout)
}

// worker is the command that has this program's voices computed in processes of
// their own; nil when it cannot tell what program it is.
func worker() []string {
	path, err := os.Executable()
	if err != nil {
		return nil
	}
	return []string{path, "worker"}
}
