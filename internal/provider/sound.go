package provider

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"github.com/callwright/callwright/internal/audio"
	"github.com/callwright/callwright/internal/speech"
)

// errNoSounds says that a voice cannot pronounce anything of a text.
var errNoSounds = errors.New("the voice has no sounds for this text")

// clauseSynth makes the sound of one clause at its own rate.
type clauseSynth func(ctx context.Context, clause string) (pcm []int16, rate int, err error)

// speakClauses speaks text clause by clause, so that the first is heard while
// the next is made. Errors are those of engine, but for ctx's and out's.
func speakClauses(ctx context.Context, engine, text string, out audio.Writer, synth clauseSynth) error {
	if err := speech.CheckText(engine, text); err != nil {
		return err
	}
	framer := audio.NewFramer(out)
	for _, clause := range speech.Clauses(text) {
		if err := ctx.Err(); err != nil {
			return err
		}
		if !hasSound(clause) {
			continue
		}
		pcm, rate, err := synth(ctx, clause)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			return &speech.Error{Engine: engine, Err: err, Retryable: true}
		}
		pcm, err = audio.ResampleAll(trimmed(pcm, rate, clause), rate, out.SampleRate())
		if err != nil {
			return &speech.Error{Engine: engine, Err: err}
		}
		if err := writePCM(ctx, framer, pcm, out.SampleRate()); err != nil {
			return err
		}
	}
	return framer.Flush()
}

func writePCM(ctx context.Context, framer *audio.Framer, pcm []int16, rate int) error {
	for len(pcm) > 0 {
		if err := ctx.Err(); err != nil {
			return err
		}
		n := min(len(pcm), audio.FrameSize(rate))
		if err := framer.Write(pcm[:n]); err != nil {
			return err
		}
		pcm = pcm[n:]
	}
	return nil
}

// readWAV reads what a synthesizer wrote, up to a bound no clause reaches.
func readWAV(r io.Reader) ([]int16, int, error) {
	pcm, rate, err := audio.ReadWAV(io.LimitReader(r, maxClauseSound))
	if err != nil {
		return nil, 0, fmt.Errorf("the synthesizer's sound: %w", err)
	}
	return pcm, rate, nil
}

// maxClauseSound is a bound in bytes on the sound of one clause.
const maxClauseSound = 32 << 20

// What is left of the silence around a clause.
const (
	leadIn        = 20 * time.Millisecond
	pauseWord     = 60 * time.Millisecond
	pauseComma    = 120 * time.Millisecond
	pauseSentence = 200 * time.Millisecond
	trimLevel     = 200 // samples below this (-44 dBFS) are silence
)

// trimmed takes away the silence that synthesizers put around a text (flite: 280
// ms before it), which a caller would wait for, and leaves the pause that the
// clause's last mark asks for.
func trimmed(pcm []int16, rate int, clause string) []int16 {
	first, last := len(pcm), 0
	for i, s := range pcm {
		if s > trimLevel || s < -trimLevel {
			first = min(first, i)
			last = i + 1
		}
	}
	if last == 0 {
		return nil
	}
	first = max(0, first-audio.Samples(leadIn, rate))
	end := last + audio.Samples(pauseAfter(clause), rate)
	if end <= len(pcm) {
		return pcm[first:end]
	}
	return append(pcm[first:len(pcm):len(pcm)], make([]int16, end-len(pcm))...)
}

func pauseAfter(clause string) time.Duration {
	clause = strings.TrimRight(clause, " \t\r\n\"')]}”’»")
	switch {
	case clause == "":
		return 0
	case strings.HasSuffix(clause, ",") || strings.HasSuffix(clause, ";") || strings.HasSuffix(clause, ":"):
		return pauseComma
	case strings.ContainsAny(clause[len(clause)-1:], ".!?"):
		return pauseSentence
	}
	return pauseWord
}

// hasSound reports whether anything of text is pronounced.
func hasSound(text string) bool {
	return strings.ContainsFunc(text, func(r rune) bool {
		return unicode.IsLetter(r) || unicode.IsNumber(r) || unicode.Is(unicode.Sc, r) || strings.ContainsRune("%&@+=", r)
	})
}

// plainMarks are the printer's marks that ASCII has another sign for.
var plainMarks = strings.NewReplacer(
	"‘", "'", "’", "'", "“", `"`, "”", `"`, "–", "-", "—", ", ", "…", "...", "ß", "ss", "æ", "ae", "ø", "o",
	"Æ", "Ae", "Ø", "O", "ł", "l", "Ł", "L", "€", " euros ", "£", " pounds ", "•", ",",
)

// asciiText is text for a voice that reads ASCII only: accents are dropped, other
// characters and control characters become spaces. It is "" when no letter is
// left of those that were there.
func asciiText(text string) string {
	var b strings.Builder
	for _, r := range norm.NFKD.String(plainMarks.Replace(text)) {
		switch {
		case r >= ' ' && r < 0x7f:
			b.WriteRune(r)
		case !unicode.Is(unicode.Mn, r):
			b.WriteByte(' ')
		}
	}
	if plain := strings.TrimSpace(b.String()); hasSound(plain) {
		return plain
	}
	return ""
}

// printable is text without control characters, for a voice that reads Unicode.
func printable(text string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == unicode.ReplacementChar {
			return ' '
		}
		return r
	}, text))
}

// pace is the wanted pace of speech: that of the voice's name, else the
// engine's, else 1.
func pace(asked, configured float64) float64 {
	for _, p := range []float64{asked, configured} {
		if p != 0 {
			return min(max(p, speech.MinPace), speech.MaxPace)
		}
	}
	return 1
}
