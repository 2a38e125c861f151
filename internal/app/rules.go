package app

import (
	"context"
	"log/slog"

	"github.com/callwright/callwright/internal/config"
	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/service"
	"github.com/callwright/callwright/internal/store"
)

// Rules are the rules over the data of a server that may be running beside this
// process: for commands that change one thing and end.
type Rules struct {
	Service   *service.Service
	Workspace *domain.Workspace
	store     *store.DB
	log       *slog.Logger
}

// OpenRules opens the data, which is made when there is none.
func OpenRules(ctx context.Context, c *config.Config, log *slog.Logger) (*Rules, error) {
	key, err := secretKey(c)
	if err != nil {
		return nil, err
	}
	db, err := store.Open(ctx, store.Options{Dir: c.Data, DSN: c.Database, Key: key, Shared: true, Logger: log})
	if err != nil {
		return nil, err
	}
	r := &Rules{store: db, log: log}
	r.Service = service.New(service.Options{Store: db, Hooks: dialects((&App{}).links()), CheckFlow: checkFlow, Logger: log})
	first, err := r.Service.FirstStart(ctx)
	if err != nil {
		r.Close()
		return nil, err
	}
	r.Workspace = first.Workspace
	return r, nil
}

// Close gives the data back.
func (r *Rules) Close() {
	r.Service.Close()
	if err := r.store.Close(); err != nil {
		r.log.Error("closing the database", "err", err)
	}
}
