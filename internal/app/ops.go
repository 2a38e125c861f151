package app

import (
	"context"
	"time"

	"github.com/callwright/callwright/internal/ops"
	"github.com/callwright/callwright/internal/rtp"
)

// tracesGrace is how long a stop waits for traces to be taken.
const tracesGrace = 2 * time.Second

// openOps opens what operators asked for: metrics with --ops, traces with the
// variables of OpenTelemetry.
func (a *App) openOps(ctx context.Context) (err error) {
	a.watched = a.store
	if a.o.Observer != nil {
		a.observer = append(a.observer, a.o.Observer)
	}
	if address := a.o.Config.Ops; address != "" {
		a.ops, err = ops.Listen(ops.Options{
			Listen: address, Version: a.o.Version, Logger: a.log,
			Lateness: func() rtp.Lateness { return a.engine.Lateness() },
			Draining: func() bool { return a.engine.Draining() },
		})
		if err != nil {
			return err
		}
		a.observer = append(a.observer, a.ops)
	}
	if ops.WantsTraces() {
		if a.traces, err = ops.OpenTraces(ctx, a.o.Version, a.log); err != nil {
			return err
		}
		a.observer = append(a.observer, a.traces)
	}
	if len(a.observer) > 0 {
		a.watched = ops.Watch(a.store, a.observer)
	}
	return nil
}

// closeOps ends both. Traces that nobody takes are lost.
func (a *App) closeOps(ctx context.Context) error {
	var err error
	if a.ops != nil {
		err = a.ops.Close()
	}
	if a.traces != nil {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), tracesGrace)
		defer cancel()
		if lost := a.traces.Close(ctx); lost != nil {
			a.log.Warn("the last traces were lost", "err", lost)
		}
	}
	return err
}

// OpsURL is where metrics are served, "" when they are not.
func (a *App) OpsURL() string {
	if a.ops == nil {
		return ""
	}
	return a.ops.URL()
}
