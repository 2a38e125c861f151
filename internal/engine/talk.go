package engine

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/callwright/callwright/internal/conversation"
	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/failpoint"
	"github.com/callwright/callwright/internal/flow"
	"github.com/callwright/callwright/internal/rtp"
	"github.com/callwright/callwright/internal/speech"
)

// byeTime is how long the far end has to confirm that it was hung up.
const byeTime = 2 * time.Second

// voice is who speaks in a call.
type voice struct {
	tts  speech.TTS // the engine that has the agent's voice
	name string     // to ask the engine for
	llm  speech.LLM
}

// prepare chooses the voice, reads the flow and synthesises what is said first.
func (c *call) prepare() error {
	e, d := c.engine, c.dial
	tts, name, note := speech.Pick(e.o.Voices, d.Agent.Voice)
	if tts == nil {
		return domain.Invalid("voice", "no engine that talks is configured; run \"callwright doctor\" to see what is missing")
	}
	if note != "" && d.Agent.Voice != "" {
		c.notes = append(c.notes, note)
	}
	c.voice = voice{tts: tts, name: name}
	d.Call.Voice = speech.FullName(tts, name)
	if e.o.LLM != nil {
		if c.voice.llm = e.o.LLM(d.Call.Mode); c.voice.llm != nil {
			c.chooseModel()
		}
	}
	graph, err := c.graph()
	if err != nil {
		return err
	}
	c.media, err = e.openMedia(d.Trunk, rateOf(d.Trunk))
	if err != nil {
		return err
	}
	if d.Call.Direction == domain.Outbound {
		if c.media.detector, err = newDetector(c.media.rate); err != nil {
			return err
		}
	}
	if len(e.o.STT) > 0 {
		c.media.hearing = newHearing(e.o.STT, c.media.rate, d.Agent.Language, e.log.With("call", d.Call.ID))
	}
	optOutKey := ""
	if d.Call.Direction == domain.Outbound { // who calls us was not called
		optOutKey = d.Agent.OptOutKey
	}
	c.talk = conversation.New(conversation.Options{
		Graph: graph, Vars: d.Call.Variables, Line: c.media, Performer: (*performer)(c),
		Voice: e.voice, VoiceName: d.Call.Voice, Rate: c.media.rate, LLM: c.voice.llm, Router: c.router(), Fillers: c.fillers(), Zone: d.Zone,
		Ear: d.Trunk.RealtimeText || c.media.hearing != nil, Logger: e.log.With("call", d.Call.ID),
		OptOutKey: optOutKey, OptedOut: conversation.OptedOutFor(d.Agent.Language),
	})
	texts := graph.Texts(d.Call.Variables)
	if c.voice.llm != nil {
		texts = append(texts, c.fillers()...)
	}
	c.warm(texts)
	return nil
}

// warmFirst is how many clauses of a flow are synthesised before the dial; the
// others follow while it rings.
const warmFirst = 2

// preparer is a voice that can be asked for sound before it is needed.
type preparer interface {
	Prepare(ctx context.Context, p speech.Preparation) error
}

func (c *call) warm(texts []string) {
	cached, ok := c.voice.tts.(preparer)
	if !ok {
		return
	}
	var clauses []string
	for _, text := range texts {
		clauses = append(clauses, speech.Clauses(text)...)
	}
	p := speech.Preparation{Voice: c.voice.name, SampleRate: c.media.rate, Keep: true}
	p.Texts = clauses[:min(warmFirst, len(clauses))]
	if err := cached.Prepare(c.ctx, p); err != nil {
		c.log.Warn("the first words could not be prepared", "err", err)
	}
	if p.Texts = clauses[len(p.Texts):]; len(p.Texts) > 0 {
		c.engine.late.Go(func() { _ = cached.Prepare(c.ctx, p) }) // spoken anew if it failed
	}
}

// chooseModel takes the model that the agent asks for, if it is there.
func (c *call) chooseModel() {
	d := c.dial
	asked := d.Agent.Model
	if many, ok := c.voice.llm.(interface {
		Model(string) (speech.LLM, bool)
	}); ok && asked != "" {
		if wanted, found := many.Model(asked); found {
			c.voice.llm = wanted
			d.Call.Model = wanted.Name()
			return
		}
	}
	d.Call.Model = c.voice.llm.Name()
	if asked != "" && asked != d.Call.Model {
		c.notes = append(c.notes, fmt.Sprintf("the model %q is not configured; %s thinks instead", asked, d.Call.Model))
	}
}

// router tells intents apart in this call; nil when keywords do.
func (c *call) router() speech.LLM {
	if c.engine.o.Router == nil {
		return nil
	}
	return c.engine.o.Router(c.dial.Call.Mode)
}

// fillers are said when an answer takes long.
func (c *call) fillers() []string {
	if len(c.engine.o.Fillers) > 0 {
		return c.engine.o.Fillers
	}
	return conversation.FillersFor(c.dial.Agent.Language)
}

// graph is what the agent talks by: its flow, or one node made of its prompt.
func (c *call) graph() (*flow.Graph, error) {
	if c.dial.Message != "" {
		return flow.FromMessage(c.dial.Message), nil
	}
	if c.dial.Flow != nil {
		g, err := flow.Parse(c.dial.Flow.Definition)
		if err == nil {
			g.Route = c.router() != nil
		}
		return g, err
	}
	return flow.FromPrompt(c.dial.Agent.FirstMessage, c.dial.Agent.SystemPrompt), nil
}

// converse carries the talk of an answered call and returns why it ended.
func (c *call) converse() domain.EndReason {
	if err := c.answered(); err != nil {
		c.log.Error("the answer of the far end cannot be used", "err", err)
		c.notes = append(c.notes, fmt.Sprintf("the far end's answer cannot be used: %v", err))
		c.hangUp()
		return reasonOf(err)
	}
	defer c.engine.trunks.carry(c.dial.Trunk.ID)()
	limit := time.AfterFunc(c.dial.Call.MaxDuration, func() { c.end(domain.EndMaxDuration) })
	defer limit.Stop()
	ctx, cancel := context.WithCancel(context.WithoutCancel(c.ctx))
	defer cancel()
	c.work.Go(func() { c.watchFarEnd(ctx) })
	c.work.Go(func() {
		defer c.recovered("hearing")
		c.media.listen(ctx, c.talk)
	})
	talked := make(chan struct{})
	c.work.Go(func() {
		defer close(talked)
		defer c.recovered("conversation")
		c.talk.Run(ctx)
	})
	c.obey()
	c.serve(ctx)
	c.talk.Stop(c.reason())
	select {
	case <-talked:
	case <-time.After(time.Second):
	}
	c.hangUp()
	failpoint.Hit(failpoint.AfterBYE)
	if note := c.media.stop(); note != "" {
		c.notes = append(c.notes, note)
	}
	if c.reason() == domain.EndInterrupted {
		c.notes = append(c.notes, forcedNote)
	}
	c.reportMedia()
	cancel()
	c.work.Wait()
	return c.reason()
}

// reason is why the call's context was canceled.
func (c *call) reason() domain.EndReason {
	if why, ok := c.ending(); ok {
		return why
	}
	return domain.EndInterrupted // the process is being stopped
}

// recovered ends this call alone when one of its goroutines panics.
func (c *call) recovered(where string) {
	if r := recover(); r != nil {
		c.log.Error("a call broke", "where", where, "panic", r, "stack", string(debug.Stack()))
		c.end(domain.EndInternal)
	}
}

// faulted ends this call when its sound broke. It runs on the pacer's goroutine.
func (c *call) faulted(err error) {
	c.log.Error("the sound of a call failed", "err", err)
	if errors.Is(err, rtp.ErrBroken) {
		c.end(domain.EndInternal)
	}
}

// watchFarEnd ends the call when the far end hangs up or falls silent on the
// network.
func (c *call) watchFarEnd(ctx context.Context) {
	defer c.recovered("far end")
	look := time.NewTicker(time.Second)
	defer look.Stop()
	for {
		select {
		case <-c.dialog.Done():
			if c.handed.Load() {
				c.end(domain.EndTransferred)
			}
			c.end(domain.EndCallerHangup)
			return
		case <-ctx.Done():
			return
		case <-look.C:
			failpoint.Hit(failpoint.MidMedia)
			if c.media.silentFor() {
				c.end(domain.EndMediaTimeout)
				return
			}
		}
	}
}

// hangUp sends the BYE unless the far end was first.
func (c *call) hangUp() {
	ctx, cancel := context.WithTimeout(context.Background(), byeTime)
	defer cancel()
	if err := c.dialog.Bye(ctx); err != nil {
		c.log.Debug("the BYE was not confirmed", "err", err)
	}
}

// leave ends a call that broke, whatever it had come to.
func (c *call) leave() {
	switch {
	case c.dialog != nil:
		c.hangUp()
	case c.incoming != nil:
		_ = c.incoming.Reject(failed.status, failed.reason) // it may be answered already
	}
	c.abandon()
}

// abandon gives back what a call holds, however it ended. A recording that was
// begun and not stopped is of a call that could not be carried.
func (c *call) abandon() {
	if c.media != nil {
		c.media.stop()
	}
}
