package app

import (
	"github.com/callwright/callwright/internal/config"
	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/provider"
	"github.com/callwright/callwright/internal/speech"
)

// engines opens what is configured for a sense, in order.
func engines[E any](c *config.Config, sense string, open func(string, speech.Config) (E, error)) ([]E, error) {
	list, err := c.Engines(sense)
	if err != nil {
		return nil, err
	}
	var out []E
	for i, e := range list {
		engine, err := open(e.Engine, speech.Config{
			Name: e.Name, URL: e.URL, Key: e.Key, Model: e.Model, Voice: e.Voice, Rate: e.Pace, Options: e.Settings(),
		})
		if err != nil {
			return nil, domain.Invalid(sense, "--%s: engine %d of the list cannot be used: %v", sense, i+1, err)
		}
		out = append(out, engine)
	}
	return out, nil
}

// openModels opens the models that are configured.
func (a *App) openModels() error {
	models, err := engines(a.o.Config, "llm", speech.OpenLLM)
	if err != nil {
		return err
	}
	models = append(a.o.Models, models...)
	if len(models) > 0 {
		a.models = speech.NewThinkers(speech.ThinkersOptions{Engines: models, OnFault: a.fault("think")})
	}
	return nil
}

// model returns what thinks in a mode, or nil. Where no model is configured, a
// sandbox model does in test mode: it needs no service and costs nothing.
func (a *App) model(m domain.Mode) speech.LLM {
	switch {
	case a.models != nil:
		return a.models
	case m == domain.Test:
		return provider.NewSandboxModel()
	}
	return nil
}

// router returns the model that tells intents apart, or nil. The sandbox model
// cannot.
func (a *App) router(domain.Mode) speech.LLM {
	if a.models == nil {
		return nil
	}
	return a.models
}

// openEars opens the engines that hear: those that were brought, and those that
// are configured. To a call they are one, which goes on to the next by itself.
func (a *App) openEars() ([]speech.STT, error) {
	ears, err := engines(a.o.Config, "stt", speech.OpenSTT)
	if err != nil {
		return nil, err
	}
	if ears = append(a.o.Ears, ears...); len(ears) == 0 {
		return nil, nil
	}
	a.ears = speech.NewEars(speech.EarsOptions{Engines: ears, OnFault: a.fault("hear")})
	return []speech.STT{a.ears}, nil
}

// fault logs that an engine failed.
func (a *App) fault(sense string) func(string, error) {
	return func(name string, err error) {
		a.log.Warn("an engine failed", "sense", sense, "engine", name, "err", err)
	}
}
