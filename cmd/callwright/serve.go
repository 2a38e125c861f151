package main

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/callwright/callwright/internal/app"
	"github.com/callwright/callwright/internal/config"
)

type serveCmd struct{}

// Run serves until it is told to stop.
func (serveCmd) Run(ctx context.Context, c *config.Config, log *slog.Logger, force forced) error {
	a, err := app.Open(ctx, app.Options{Config: c, Version: version, Logger: log, Worker: worker(), Force: force})
	if err != nil {
		return err
	}
	if a.First.Created {
		log.Info("first start: a workspace and the test mode's sample number were made",
			"workspace", a.First.Workspace.ID, "number", a.First.Number.Number,
			"next", "callwright key create --name first --mode test")
	}
	fmt.Printf("callwright ready: api %s/api/v1 sip %s voice %s data %s\n", a.URL(), a.SIPAddr(), a.Voice(), c.Data)
	return a.Run(ctx)
}
