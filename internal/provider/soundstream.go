package provider

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/callwright/callwright/internal/audio"
	"github.com/callwright/callwright/internal/speech"
)

// Bounds of the sound that a service sends for one clause.
const (
	leastSound  = 60 * time.Millisecond // less is no word
	soundAtMost = 10 * time.Second      // of any clause, and for each byte of it
	soundPerOne = 500 * time.Millisecond
)

// errNoSound says that a service answered, and there is nothing to hear in it.
var errNoSound = errors.New("its answer has no sound in it")

// askSound asks a service for the sound of one clause. The caller closes the
// body.
type askSound func(ctx context.Context, clause string) (*http.Response, error)

// speakStreamed speaks text clause by clause. Each is heard as it arrives: raw
// 16-bit little-endian sound at rate hertz, or a WAV file.
func (s *service) speakStreamed(ctx context.Context, text string, rate int, out audio.Writer, ask askSound) error {
	if err := speech.CheckText(s.name, text); err != nil {
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
		if err := s.speakClause(ctx, clause, rate, framer, out.SampleRate(), ask); err != nil {
			return err
		}
	}
	return framer.Flush()
}

func (s *service) speakClause(ctx context.Context, clause string, rate int, framer *audio.Framer, lineRate int, ask askSound) error {
	waited, waiting := s.wait(ctx)
	defer waiting.stop()
	resp, err := ask(waited, clause)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	in := bufio.NewReaderSize(resp.Body, 8<<10)
	format, err := s.soundFormat(waited, resp, in, rate)
	if err != nil {
		return err
	}
	resampler, err := audio.NewResampler(format.Rate, lineRate)
	if err != nil {
		return s.fault(false, err)
	}
	var resampled []int16
	trim := newTrimmer(format.Rate, clause, func(pcm []int16) error {
		resampled = resampler.Process(resampled[:0], pcm)
		return writePCM(ctx, framer, resampled, lineRate)
	})
	limit := audio.Samples(soundAtMost+time.Duration(len(clause))*soundPerOne, format.Rate)
	if err := s.copySound(waited, waiting, in, format, trim, limit); err != nil {
		return err
	}
	if err := trim.end(); err != nil {
		if errors.Is(err, errNoSound) {
			return s.fault(true, err)
		}
		return err
	}
	return nil
}

// copySound reads sound to its end.
func (s *service) copySound(ctx context.Context, waiting *patience, in io.Reader, format audio.WAVFormat, trim *trimmer, limit int) error {
	if format.DataBytes >= 0 {
		in = io.LimitReader(in, format.DataBytes)
	}
	step := 2 * format.Channels
	raw := make([]byte, 4<<10/step*step)
	pcm := make([]int16, len(raw)/step)
	held, total := 0, 0
	for {
		n, err := in.Read(raw[held:])
		if n > 0 {
			waiting.piece()
		}
		held += n
		whole := held / step
		mono(pcm[:whole], raw, format.Channels)
		if total += whole; total > limit {
			return s.fault(true, fmt.Errorf("its answer goes on after %s of sound", audio.Duration(limit, format.Rate)))
		}
		if err := trim.write(pcm[:whole]); err != nil {
			return err // the writer's
		}
		held = copy(raw, raw[whole*step:held])
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return s.broken(ctx, err)
		}
	}
}

// mono averages the channels of interleaved samples.
func mono(pcm []int16, raw []byte, channels int) {
	for i := range pcm {
		sum := 0
		for c := range channels {
			sum += int(int16(binary.LittleEndian.Uint16(raw[(i*channels+c)*2:])))
		}
		pcm[i] = int16(sum / channels)
	}
}

// soundFormat finds out what an answer holds, by its first bytes before what it
// says about itself.
func (s *service) soundFormat(ctx context.Context, resp *http.Response, in *bufio.Reader, rate int) (audio.WAVFormat, error) {
	start, err := in.Peek(12)
	if err != nil && !errors.Is(err, io.EOF) {
		return audio.WAVFormat{}, s.broken(ctx, err)
	}
	kind := mediaType(resp)
	if bytes.HasPrefix(start, []byte("RIFF")) {
		format, err := audio.ReadWAVHeader(in)
		if err != nil {
			return format, s.fault(true, err)
		}
		return format, nil
	}
	if what := foreignSound(kind, start); what != "" {
		raw, _ := io.ReadAll(io.LimitReader(in, 16<<10)) // for its words, if it has some
		if words := s.clean(wordsOf(raw)); words != "" {
			what += " (" + words + ")"
		}
		return audio.WAVFormat{}, s.fault(false, fmt.Errorf("%s sent %s where raw sound or WAV was asked for", s.base.Host, what))
	}
	return audio.WAVFormat{Rate: rate, Channels: 1, DataBytes: -1}, nil
}

// foreignSound says what an answer is that is no raw sound, "" when it may be.
func foreignSound(kind string, start []byte) string {
	text := strings.ToLower(string(start))
	switch {
	case kind == "text/html", strings.HasPrefix(text, "<!doctype"), strings.HasPrefix(text, "<html"):
		return "a web page"
	case strings.HasPrefix(kind, "text/"), strings.HasSuffix(kind, "json"), strings.HasPrefix(text, `{"`):
		return "text"
	case strings.HasPrefix(text, "id3"), kind == "audio/mpeg", kind == "audio/mp3":
		return "MP3"
	case strings.HasPrefix(text, "oggs"), kind == "audio/ogg", kind == "audio/opus":
		return "Ogg"
	case strings.HasPrefix(text, "flac"), kind == "audio/flac":
		return "FLAC"
	case kind == "audio/wav", kind == "audio/x-wav", kind == "audio/wave":
		return "a WAV file without its header"
	}
	return ""
}

// trimmer takes away the silence around the sound of one clause as it streams
// by, and leaves the pause that the clause's last mark asks for. A caller would
// wait for that silence. It works on blocks of 10 ms.
type trimmer struct {
	out   func(pcm []int16) error
	lead  int     // samples of silence that stay before the sound
	least int     // samples that are no word yet
	pause int     // samples of silence that stay after it
	block []int16 // the block that is being filled
	held  []int16 // before it began: its start; later: silence that may be the end
	loud  bool    // there was sound
	begun bool    // and enough of it
	quiet int     // samples of silence since the last sound that were passed on
}

// maxHeld bounds the silence in the middle of a clause that is held back.
const maxHeld = 2 * time.Second

func newTrimmer(rate int, clause string, out func([]int16) error) *trimmer {
	return &trimmer{
		out: out, lead: audio.Samples(leadIn, rate), least: audio.Samples(leadIn+leastSound, rate),
		pause: audio.Samples(pauseAfter(clause), rate), block: make([]int16, 0, rate/100),
		held: make([]int16, 0, audio.Samples(maxHeld, rate)),
	}
}

func (t *trimmer) write(pcm []int16) error {
	for len(pcm) > 0 {
		n := min(len(pcm), cap(t.block)-len(t.block))
		t.block = append(t.block, pcm[:n]...)
		pcm = pcm[n:]
		if len(t.block) == cap(t.block) {
			if err := t.take(); err != nil {
				return err
			}
		}
	}
	return nil
}

// take works on the block.
func (t *trimmer) take() error {
	pcm := t.block
	t.block = t.block[:0]
	loud := slices.ContainsFunc(pcm, func(s int16) bool { return s > trimLevel || s < -trimLevel })
	switch {
	case !t.begun:
		return t.start(pcm, loud)
	case loud:
		t.quiet = 0
		if err := t.release(); err != nil {
			return err
		}
		return t.out(pcm)
	case t.quiet < t.pause:
		t.quiet += len(pcm)
		return t.out(pcm)
	}
	t.held = append(t.held, pcm[:min(len(pcm), cap(t.held)-len(t.held))]...)
	return nil
}

// start collects the beginning, until it is enough to be a word.
func (t *trimmer) start(pcm []int16, loud bool) error {
	t.loud = t.loud || loud
	t.held = append(t.held, pcm...)
	if !t.loud {
		t.held = t.held[:copy(t.held, t.held[max(0, len(t.held)-t.lead):])]
		return nil
	}
	if t.begun = len(t.held) >= t.least; !t.begun {
		return nil
	}
	return t.release()
}

func (t *trimmer) release() error {
	if len(t.held) == 0 {
		return nil
	}
	err := t.out(t.held)
	t.held = t.held[:0]
	return err
}

// end passes on the last block and what is missing of the pause.
func (t *trimmer) end() error {
	if len(t.block) > 0 {
		if err := t.take(); err != nil {
			return err
		}
	}
	if !t.begun {
		return errNoSound
	}
	if t.quiet >= t.pause {
		return nil
	}
	return t.out(make([]int16, t.pause-t.quiet))
}
