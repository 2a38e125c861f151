package conversation

import (
	"context"
	"iter"
	"sync"
	"time"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/speech"
)

// stage is a part of an answer's time that somebody else takes.
type stage int

const (
	stageWords stage = iota // the ear's engine, until the last words are there
	stageRoute              // the model that chooses the way
	stageTool               // a request or tool
	stageToken              // the model, until its first token
	stageText               // the model, until it has said something
	stageVoice              // the voice, until its first sound
	stageHeld               // the caller has the floor
	stages
)

// waterfall measures one answer: from the end of the caller's speech to the
// first packet of the agent's. Its methods may be called from any goroutine, and
// on nil, which measures nothing. What happens after the first packet, or twice,
// does not count.
type waterfall struct {
	mu      sync.Mutex
	voiceAt time.Time // when the caller's last sound was
	eotAt   time.Time // when that was decided to be the end
	began   [stages]time.Time
	took    [stages]time.Duration
	firstAt time.Time     // when the first packet of the answer left
	running int           // stages that run now
	since   time.Time     // when the first of these began
	others  time.Duration // in which a stage ran: it was not our own
	fillers int
}

// newWaterfall starts the clock at eotAt. voiceAt is when the caller's voice
// ended, zero when there was none.
func newWaterfall(voiceAt, eotAt time.Time) *waterfall {
	if voiceAt.IsZero() || voiceAt.After(eotAt) {
		voiceAt = eotAt
	}
	return &waterfall{voiceAt: voiceAt, eotAt: eotAt}
}

// begin starts a stage; one that runs already goes on.
func (w *waterfall) begin(of ...stage) {
	if w == nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, s := range of {
		if !w.firstAt.IsZero() || !w.began[s].IsZero() {
			continue
		}
		w.began[s] = time.Now()
		if w.running++; w.running == 1 {
			w.since = w.began[s]
		}
	}
}

// end stops a stage; one that does not run stays as it is.
func (w *waterfall) end(of ...stage) {
	if w == nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, s := range of {
		w.close(s, time.Now())
	}
}

func (w *waterfall) close(s stage, at time.Time) {
	if w.began[s].IsZero() || !w.firstAt.IsZero() {
		return
	}
	w.took[s] += max(at.Sub(w.began[s]), 0)
	w.began[s] = time.Time{}
	if w.running--; w.running == 0 {
		w.others += max(at.Sub(w.since), 0)
	}
}

// words counts the time from the end of speech until now as the ear's.
func (w *waterfall) words() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.took[stageWords] = max(time.Since(w.eotAt), 0)
	w.others += w.took[stageWords]
}

// filler counts something said only so that the line is not dead.
func (w *waterfall) filler() {
	if w == nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.fillers++
}

// first stops the clock: the first packet of the answer was sent.
func (w *waterfall) first(at time.Time) {
	if w == nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for s := range stages {
		w.close(s, at)
	}
	if w.firstAt.IsZero() {
		w.firstAt = at
	}
}

// latency is what was measured, nil when nothing was sent. Times are counted
// from answered.
func (w *waterfall) latency(answered time.Time) *domain.TurnLatency {
	if w == nil {
		return nil
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.firstAt.IsZero() {
		return nil
	}
	total := max(w.firstAt.Sub(w.eotAt), 0)
	ms := func(d time.Duration) int64 { return max(d, 0).Milliseconds() }
	return &domain.TurnLatency{
		EotAt: ms(w.eotAt.Sub(answered)), Endpoint: ms(w.eotAt.Sub(w.voiceAt)),
		STT: ms(w.took[stageWords]), Route: ms(w.took[stageRoute]), Tool: ms(w.took[stageTool]),
		LLMFirstToken: ms(w.took[stageToken]), LLMText: ms(w.took[stageText]), TTSFirstAudio: ms(w.took[stageVoice]),
		Held: ms(w.took[stageHeld]), FirstRTP: ms(total), Own: ms(total - w.others), Fillers: w.fillers,
	}
}

// answerKey is under which a context carries the answer that is measured.
type answerKey struct{}

// timedLLM notes the first token of an answer.
type timedLLM struct{ speech.LLM }

// Chat streams the answer to a request.
func (t timedLLM) Chat(ctx context.Context, req speech.Request) iter.Seq2[speech.Chunk, error] {
	answer, _ := ctx.Value(answerKey{}).(*waterfall)
	if answer == nil {
		return t.LLM.Chat(ctx, req)
	}
	return func(yield func(speech.Chunk, error) bool) {
		for chunk, err := range t.LLM.Chat(ctx, req) {
			if chunk.Text != "" || chunk.Call != nil || err != nil {
				answer.end(stageToken)
			}
			if !yield(chunk, err) {
				return
			}
		}
	}
}
