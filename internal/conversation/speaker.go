package conversation

import (
	"context"
	"strings"
	"sync"

	"github.com/callwright/callwright/internal/audio"
	"github.com/callwright/callwright/internal/speech"
)

// speaker turns text into sound on the line, in order, on a goroutine of its
// own, so that synthesis never holds up the talk. An utterance is a run of
// texts between begin and finish; cut drops what is not played of all of them.
type speaker struct {
	c       *Conversation
	jobs    chan job
	stopped chan struct{}

	mu     sync.Mutex
	gen    int // utterances of an older generation were cut
	cancel context.CancelFunc

	// Of run's goroutine: the utterance that is spoken, and whether any of its
	// sound is on the line.
	answer  *waterfall
	sounded bool
}

type job struct {
	gen    int
	kind   jobKind
	id     int
	text   string
	answer *waterfall // of the utterance that begins
}

type jobKind int

const (
	jobBegin jobKind = iota
	jobText
	jobFinish
)

// Marks of the line: an utterance's first and last moment.
func beginMark(id int) int { return 2 * id }
func endMark(id int) int   { return 2*id + 1 }

func newSpeaker(c *Conversation) *speaker {
	return &speaker{c: c, jobs: make(chan job, 256), stopped: make(chan struct{})}
}

func (s *speaker) begin(u *utterance)      { s.put(job{kind: jobBegin, id: u.id, answer: u.answer}) }
func (s *speaker) add(id int, text string) { s.put(job{kind: jobText, id: id, text: text}) }
func (s *speaker) finish(id int)           { s.put(job{kind: jobFinish, id: id}) }

func (s *speaker) put(j job) {
	s.mu.Lock()
	j.gen = s.gen
	s.mu.Unlock()
	select {
	case s.jobs <- j:
	default:
		s.c.o.Logger.Error("speech queue full, text dropped", "text", j.text)
	}
}

// cut drops everything that has been given so far.
func (s *speaker) cut() {
	s.mu.Lock()
	s.gen++
	if s.cancel != nil {
		s.cancel()
	}
	s.mu.Unlock()
	s.c.o.Line.Cut()
}

func (s *speaker) run(ctx context.Context) {
	defer close(s.stopped)
	defer s.c.survive("the voice")
	for {
		select {
		case <-ctx.Done():
			return
		case j := <-s.jobs:
			s.work(ctx, j)
		}
	}
}

func (s *speaker) work(ctx context.Context, j job) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	s.mu.Lock()
	if j.gen != s.gen {
		s.mu.Unlock()
		return
	}
	s.cancel = cancel
	s.mu.Unlock()
	switch j.kind {
	case jobBegin:
		s.answer, s.sounded = j.answer, false
	case jobFinish:
		s.onLine(j, func() {
			s.c.o.Line.Cue(lineBreak)
			s.c.o.Line.Mark(endMark(j.id))
		})
	case jobText:
		for _, clause := range speech.Clauses(j.text) {
			if !s.clause(ctx, j, clause) {
				return
			}
		}
		// Texts of one utterance are told apart by a space in the transcript.
		s.onLine(j, func() { s.c.o.Line.Cue(" ") })
	}
}

// onLine runs fn unless the job was cut; a cut waits for it.
func (s *speaker) onLine(j job, fn func()) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if j.gen != s.gen {
		return false
	}
	fn()
	return true
}

// clause speaks one clause and puts it on the line word by word, so that the
// line knows which words it has played.
func (s *speaker) clause(ctx context.Context, j job, clause string) bool {
	if strings.TrimSpace(clause) == "" {
		return s.onLine(j, func() { s.c.o.Line.Cue(clause) })
	}
	out := newClauseSound(s, j, clause)
	s.answer.begin(stageVoice)
	spoken, err := s.c.o.Voice.Say(ctx, s.c.o.VoiceName, clause, out)
	for _, fault := range spoken.Faults {
		s.c.o.Logger.Warn("a voice failed", "err", fault)
	}
	if err != nil {
		if ctx.Err() == nil {
			s.c.post(spoke{err})
		}
		return false
	}
	if spoken.Note != "" {
		s.c.post(noted{j.id, spoken.Note})
	}
	return out.finish()
}

// enqueue puts sound on the line. The mark of the utterance's begin passes
// together with its first frame of sound, not before.
func (s *speaker) enqueue(j job, pcm []int16) {
	if !s.sounded && len(pcm) > 0 {
		s.sounded = true
		first := min(len(pcm), audio.FrameSize(s.c.o.Rate))
		s.c.o.Line.Enqueue(pcm[:first])
		s.c.o.Line.Mark(beginMark(j.id))
		pcm = pcm[first:]
	}
	s.c.o.Line.Enqueue(pcm)
}
