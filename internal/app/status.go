package app

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/service/uptime"
)

// workerSilence is how long a worker may not look for work until it is taken
// for stuck. While all its hands are busy it does not look.
const workerSilence = 2 * time.Minute

// openBoard makes what looks at the components for the status page.
func (a *App) openBoard() {
	began := time.Now()
	looks := func(looked func() time.Time) func(context.Context) (domain.Health, error) {
		return func(context.Context) (domain.Health, error) {
			at := looked()
			if at.IsZero() {
				at = began
			}
			if silent := time.Since(at); silent > workerSilence {
				return domain.HealthDown, fmt.Errorf("it has not looked for work for %s", silent.Round(time.Second))
			}
			return domain.HealthUp, nil
		}
	}
	a.board = uptime.New(uptime.Options{Store: a.watched, Logger: a.log, Checks: []uptime.Check{
		{Component: domain.ComponentAPI, Run: a.checkAPI},
		{Component: domain.ComponentDatabase, Run: a.checkDatabase},
		{Component: domain.ComponentCalls, Run: a.checkCalls},
		{Component: domain.ComponentCarriers, Run: a.Service.TrunkHealth},
		{Component: domain.ComponentSpeech, Run: a.checkSpeech},
		{Component: domain.ComponentWebhooks, Run: looks(a.webhooks.Looked)},
		{Component: domain.ComponentAnalysis, Run: looks(a.analysis.Looked)},
		{Component: domain.ComponentMessages, Run: looks(a.courier.Looked)},
	}})
}

// verdict is down with an error, up without.
func verdict(err error) (domain.Health, error) {
	if err != nil {
		return domain.HealthDown, err
	}
	return domain.HealthUp, nil
}

// checkAPI asks our own listener, as a client would.
func (a *App) checkAPI(ctx context.Context) (domain.Health, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, a.URL()+"/healthz", nil)
	if err != nil {
		return verdict(err)
	}
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	res, err := client.Do(req)
	if err != nil {
		return verdict(err)
	}
	defer func() { _ = res.Body.Close() }()
	if _, err := io.Copy(io.Discard, io.LimitReader(res.Body, 1<<10)); err != nil {
		return verdict(err)
	}
	if res.StatusCode != http.StatusOK {
		return verdict(fmt.Errorf("/healthz answered %s", res.Status))
	}
	return domain.HealthUp, nil
}

// checkDatabase reads; the board itself writes.
func (a *App) checkDatabase(ctx context.Context) (domain.Health, error) {
	return verdict(a.store.View(ctx, func(ctx context.Context, s *domain.Stores) error {
		_, err := s.Workspaces.First(ctx)
		return err
	}))
}

// checkCalls asks the engine. One that is told to stop is not broken.
func (a *App) checkCalls(context.Context) (domain.Health, error) {
	if a.engine.Draining() {
		return domain.HealthUnknown, nil
	}
	return verdict(a.engine.Working())
}

// checkSpeech looks whether engines of each sense work: those of this machine
// always do.
func (a *App) checkSpeech(context.Context) (domain.Health, error) {
	senses := map[string]func() (failing, all int){"talk": a.engine.Voices}
	if a.ears != nil {
		senses["hear"] = a.ears.Failing
	}
	if a.models != nil {
		senses["think"] = a.models.Failing
	}
	health, err := domain.HealthUp, error(nil)
	for sense, count := range senses {
		failing, all := count()
		if failing == 0 {
			continue
		}
		err = fmt.Errorf("%d of %d engines that %s have failed lately", failing, all, sense)
		if failing == all {
			return domain.HealthDown, err
		}
		health = domain.HealthDegraded
	}
	return health, err
}
