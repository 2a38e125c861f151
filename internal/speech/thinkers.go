package speech

import (
	"context"
	"errors"
	"iter"
	"strings"
	"time"
)

// ThinkersOptions says who thinks, and who when they cannot.
type ThinkersOptions struct {
	Engines []LLM                      // in order of preference; at least one
	First   time.Duration              // from the request to the first piece of an answer, while another engine is left; 4 s
	OnFault func(name string, e error) // is told of each engine that failed; nil is nobody
}

// Thinkers is an LLM over several. When one fails, or is silent for too long,
// before the first piece of its answer, the next is asked. After that none takes
// over: two answers would be mixed. An engine that failed is asked last for a
// while.
type Thinkers struct {
	options ThinkersOptions
	health  health
}

// NewThinkers makes an LLM over the engines.
func NewThinkers(o ThinkersOptions) *Thinkers {
	if o.First == 0 {
		o.First = 4 * time.Second
	}
	if o.OnFault == nil {
		o.OnFault = func(string, error) {}
	}
	return &Thinkers{options: o}
}

// Name is the preferred engine's.
func (t *Thinkers) Name() string { return t.options.Engines[0].Name() }

// Chat streams the answer of the first engine that has one.
func (t *Thinkers) Chat(ctx context.Context, req Request) iter.Seq2[Chunk, error] {
	return t.chat(ctx, req, -1)
}

// modelled is an LLM that has more models than one.
type modelled interface{ Models() []string }

// Model returns the engines with the one first that has the model a client asked
// for, "gpt-4o-mini" or "openai/gpt-4o-mini"; false when none has it.
func (t *Thinkers) Model(wanted string) (LLM, bool) {
	for i, e := range t.options.Engines {
		if strings.EqualFold(e.Name(), wanted) {
			return &preferring{of: t, first: i, name: e.Name()}, true
		}
		m, ok := e.(modelled)
		if !ok {
			continue
		}
		label, _, _ := strings.Cut(e.Name(), "/")
		for _, model := range m.Models() {
			if strings.EqualFold(model, wanted) || strings.EqualFold(label+"/"+model, wanted) {
				return &preferring{of: t, first: i, model: model, name: label + "/" + model}, true
			}
		}
	}
	return nil, false
}

// preferring is Thinkers for who wants one of their models.
type preferring struct {
	of    *Thinkers
	first int
	model string // "" is the engine's default
	name  string
}

// Name is the wanted engine's and model's.
func (p *preferring) Name() string { return p.name }

// Chat asks for the wanted model.
func (p *preferring) Chat(ctx context.Context, req Request) iter.Seq2[Chunk, error] {
	req.Model = p.model
	return p.of.chat(ctx, req, p.first)
}

// chat asks one engine after the other. The request's model is for the engine
// at first, others answer by their default.
func (t *Thinkers) chat(ctx context.Context, req Request, first int) iter.Seq2[Chunk, error] {
	return func(yield func(Chunk, error) bool) {
		wanted := req.Model
		var notes []string
		order := t.health.order(len(t.options.Engines), first)
		for i, at := range order {
			engine := t.options.Engines[at]
			if req.Model = ""; at == first {
				req.Model = wanted
			}
			patience := t.options.First
			if i == len(order)-1 {
				patience = 0
			}
			begun, err := t.try(ctx, engine, req, patience, strings.Join(notes, "; "), yield)
			switch {
			case begun && err == nil:
				t.health.worked(at)
				return
			case errors.Is(err, errUnwanted):
				return
			case ctx.Err() != nil:
				yield(Chunk{}, ctx.Err())
				return
			}
			t.health.failed(at)
			t.options.OnFault(engine.Name(), err)
			if begun || i == len(order)-1 {
				yield(Chunk{}, err)
				return
			}
			notes = append(notes, reproach(engine.Name(), err))
		}
	}
}

// errUnwanted says that nobody wants the rest of an answer.
var errUnwanted = errors.New("speech: the answer is not wanted any more")

// try asks one engine and reports whether a piece of its answer was passed on.
// Patience 0 is without end.
func (t *Thinkers) try(ctx context.Context, engine LLM, req Request, patience time.Duration, note string, yield func(Chunk, error) bool) (begun bool, err error) {
	defer caught(engine.Name(), &err)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	late := &Error{Engine: engine.Name(), Err: ErrLate, Retryable: true}
	inTime := func() bool { return true }
	if patience > 0 {
		inTime = time.AfterFunc(patience, cancel).Stop
	}
	for chunk, err := range engine.Chat(ctx, req) {
		if !begun {
			if !inTime() {
				return false, late
			}
			chunk.Note = note
		}
		if err != nil {
			return begun, err
		}
		begun = true
		if !yield(chunk, nil) {
			return begun, errUnwanted
		}
	}
	if !begun {
		if !inTime() {
			return false, late
		}
		return false, &Error{Engine: engine.Name(), Err: ErrNoAnswer, Retryable: true}
	}
	return true, nil
}
