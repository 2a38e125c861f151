package conversation

import (
	"time"

	"github.com/callwright/callwright/internal/speech"
)

const (
	// atOnce is how long a voice may take, from its first sound, to be taken for
	// one that has all of a clause at once. The places of its words are known.
	atOnce = 30 * time.Millisecond
	// letterTime is how long a letter sounds, about, in a clause that is played
	// while it is still being synthesised; rather too long, so that no word counts
	// as said that was not.
	letterTime = 80 * time.Millisecond
)

// clauseSound takes the sound of one clause from the voice. A voice that is
// slower than that is played while it speaks.
type clauseSound struct {
	s     *speaker
	j     job
	words []speech.Word // not on the line yet; ends are estimates
	pcm   []int16       // not on the line yet
	put   int           // samples that are
	begun time.Time     // when the first sound came
	cut   bool
}

func newClauseSound(s *speaker, j job, clause string) *clauseSound {
	estimate := int(int64(len(clause)) * int64(letterTime) * int64(s.c.o.Rate) / int64(time.Second))
	return &clauseSound{s: s, j: j, words: speech.WordTimes(clause, estimate)}
}

// SampleRate is the line's.
func (c *clauseSound) SampleRate() int { return c.s.c.o.Rate }

// WriteFrame takes more sound.
func (c *clauseSound) WriteFrame(pcm []int16) error {
	c.pcm = append(c.pcm, pcm...)
	if len(c.pcm) > 0 && c.begun.IsZero() {
		c.begun = time.Now()
		c.s.answer.end(stageVoice)
	}
	if c.put > 0 || time.Since(c.begun) > atOnce {
		c.cut = !c.s.onLine(c.j, c.stream)
	}
	return nil
}

// stream puts on the line what is there, with the words that it says, about.
func (c *clauseSound) stream() {
	for len(c.words) > 1 && c.words[0].End <= c.put+len(c.pcm) {
		c.place(max(c.words[0].End-c.put, 0))
	}
	c.s.enqueue(c.j, c.pcm)
	c.put += len(c.pcm)
	c.pcm = c.pcm[:0]
}

// finish puts the rest on the line. It reports whether the clause was not cut.
func (c *clauseSound) finish() bool {
	c.s.answer.end(stageVoice)
	if c.cut {
		return false
	}
	return c.s.onLine(c.j, func() {
		text := ""
		for _, w := range c.words {
			text += w.Text
		}
		c.put, c.words = 0, speech.WordTimes(text, len(c.pcm))
		for len(c.words) > 0 {
			c.place(c.words[0].End - c.put)
		}
		c.s.enqueue(c.j, c.pcm)
	})
}

// place puts n samples on the line, and the next word as said.
func (c *clauseSound) place(n int) {
	c.s.enqueue(c.j, c.pcm[:n])
	c.pcm = c.pcm[n:]
	c.put += n
	c.s.c.o.Line.Cue(c.words[0].Text)
	c.words = c.words[1:]
}

func (c *clauseSound) String() string { return "clause" }

// Close does nothing: finish does.
func (c *clauseSound) Close() error { return nil }
