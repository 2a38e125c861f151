package callee

import (
	"context"
	"math/rand/v2"
	"strings"
	"time"
	"unicode/utf8"
)

// typist sends what the simulated person says as captions, the way a
// recogniser would: late by 150 to 400 ms, and now and then with a word that is
// wrong at first and then taken back.
type typist struct {
	words chan word
	write func(string)
	rng   *rand.Rand
	owed  string // what takes the last caption back and puts it right
}

type word struct {
	text    string
	at      time.Time     // when its sound was played
	reached chan struct{} // instead of a text: closed when all before it is sent
}

// The delay of captions behind the sound.
const (
	captionMin = 150 * time.Millisecond
	captionMax = 400 * time.Millisecond
)

func newTypist(seed uint64, write func(string)) *typist {
	return &typist{words: make(chan word, 256), write: write, rng: rand.New(rand.NewPCG(seed, 1))}
}

// played takes a word at the moment when its sound was played. It is called on
// the pacer's goroutine and does not block.
func (t *typist) played(text string) {
	select {
	case t.words <- word{text: text, at: time.Now()}:
	default:
	}
}

// catchUp waits until what was played so far has been captioned; false when ctx
// was done before.
func (t *typist) catchUp(ctx context.Context) bool {
	last := word{reached: make(chan struct{})}
	select {
	case t.words <- last:
	case <-ctx.Done():
		return false
	}
	select {
	case <-last.reached:
		return true
	case <-ctx.Done():
		return false
	}
}

func (t *typist) run(ctx context.Context) {
	var due time.Time
	for {
		select {
		case <-ctx.Done():
			return
		case w := <-t.words:
			if w.reached != nil {
				close(w.reached)
				continue
			}
			// Words do not overtake one another.
			if at := w.at.Add(captionMin + time.Duration(t.rng.Int64N(int64(captionMax-captionMin)))); at.After(due) {
				due = at
			}
			if !sleepUntil(ctx, due) {
				return
			}
			t.caption(w.text)
		}
	}
}

// caption sends one word, sometimes wrong at first; what comes next puts it
// right.
func (t *typist) caption(text string) {
	t.write(t.owed)
	t.owed = ""
	said := strings.TrimRight(text, " ")
	if len(said) < 5 || t.rng.IntN(3) != 0 {
		t.write(text)
		return
	}
	wrong := said[:len(said)-2]
	t.write(wrong)
	t.owed = strings.Repeat("\b", utf8.RuneCountInString(wrong)) + text
}

func sleepUntil(ctx context.Context, at time.Time) bool {
	timer := time.NewTimer(time.Until(at))
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
