package doctor

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/callwright/callwright/internal/phone"
	"github.com/callwright/callwright/internal/speech"
)

// lineRate is the rate of sound on a G.711 line, in hertz.
const lineRate = 8000

// A caller notices when an answer begins later than this.
const slowAnswer = 2 * time.Second

// listener is an audio.Writer that notes when sound came, and keeps it.
type listener struct {
	mu    sync.Mutex
	first time.Time
	pcm   []int16
}

func (*listener) SampleRate() int { return lineRate }

func (l *listener) WriteFrame(pcm []int16) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.first.IsZero() {
		l.first = time.Now()
	}
	l.pcm = append(l.pcm, pcm...)
	return nil
}

func (*listener) Close() error   { return nil }
func (*listener) String() string { return "doctor" }

func (l *listener) loud() bool {
	return slices.ContainsFunc(l.pcm, func(s int16) bool { return s > 500 || s < -500 })
}

// voices lets each voice say a sentence.
func (x *examination) voices(ctx context.Context) {
	for _, v := range x.Voices {
		_ = x.speak(ctx, v)
	}
	if len(x.Voices) == 0 {
		x.broken("install flite or espeak-ng, build with npm present, or name an engine under tts in callwright.yaml", "there is no voice: calls would only murmur")
	}
}

const probeSentence = "This is a test call."

func (x *examination) speak(ctx context.Context, v speech.TTS) []int16 {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	var l listener
	began := time.Now()
	err := v.Speak(ctx, "", probeSentence, &l)
	first := l.first.Sub(began)
	switch {
	case err != nil:
		x.broken(engineAdvice("tts", err), "%s cannot speak: %v", v.Name(), plain(err))
	case !l.loud():
		x.broken("try another voice of it, or another engine", "%s gives silence", v.Name())
	case first > slowAnswer:
		x.warn("put a quicker engine first in tts", "%s speaks, but its first sound comes after %v", v.Name(), first.Round(time.Millisecond))
	default:
		x.ok("%s speaks; its first sound comes after %v", v.Name(), first.Round(time.Millisecond))
	}
	return l.pcm
}

// ears plays a spoken sentence to each engine that hears.
func (x *examination) ears(ctx context.Context) {
	if len(x.Ears) == 0 {
		x.warn("name an engine under stt in callwright.yaml", "no engine hears: flows understand keys and real-time text, and no spoken words")
		return
	}
	var said listener
	for _, v := range x.Voices {
		if said = (listener{}); v.Speak(ctx, "", probeSentence, &said) == nil && said.loud() {
			break
		}
	}
	for _, e := range x.Ears {
		x.hear(ctx, e, said.pcm)
	}
}

// hear plays pcm, then two seconds of silence, at the pace of a line.
func (x *examination) hear(ctx context.Context, e speech.STT, pcm []int16) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	stream, err := e.Open(ctx, speech.Format{SampleRate: lineRate, Language: "en"})
	if err != nil {
		x.broken(engineAdvice("stt", err), "%s cannot be reached: %v", e.Name(), plain(err))
		return
	}
	defer func() { _ = stream.Close() }()
	go func() {
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		const frame = lineRate / 50
		sound := slices.Concat(pcm, make([]int16, 2*lineRate))
		for at := 0; at+frame <= len(sound); at += frame {
			select {
			case <-tick.C:
			case <-ctx.Done():
				return
			}
			if stream.WriteFrame(sound[at:at+frame]) != nil {
				return
			}
		}
	}()
	x.understood(ctx, e.Name(), stream)
}

func (x *examination) understood(ctx context.Context, name string, stream speech.Stream) {
	var words string
	for words == "" {
		select {
		case h, open := <-stream.Heard():
			if !open {
				err := stream.Err()
				x.broken(engineAdvice("stt", err), "%s gave up: %v", name, plain(err))
				return
			}
			if h.Final {
				words = strings.TrimSpace(h.Text)
			}
		case <-ctx.Done():
			x.warn("try it with the language and model of your callers", "%s was reached and understood nothing of %q", name, probeSentence)
			return
		}
	}
	x.ok("%s hears: it understood %q", name, words)
}

// models lets each model answer.
func (x *examination) models(ctx context.Context) {
	if len(x.Models) == 0 {
		x.warn("name an engine under llm in callwright.yaml if agents shall talk freely", "no model thinks in live mode: scripted flows work, agents with a prompt only do not")
		return
	}
	for _, m := range x.Models {
		x.think(ctx, m)
	}
}

func (x *examination) think(ctx context.Context, m speech.LLM) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	began := time.Now()
	var first time.Duration
	req := speech.Request{System: "You test a connection.", Messages: []speech.Message{{Role: "user", Text: "Answer with the word ready."}}}
	for chunk, err := range m.Chat(ctx, req) {
		if err != nil {
			x.broken(engineAdvice("llm", err), "%s does not answer: %v", m.Name(), plain(err))
			return
		}
		if chunk.Text != "" && first == 0 {
			first = time.Since(began)
		}
	}
	switch {
	case first == 0:
		x.broken("try the same model with another program", "%s answered with nothing", m.Name())
	case first > slowAnswer:
		x.warn("choose a quicker model, or another engine", "%s answers, but its first word comes after %v", m.Name(), first.Round(time.Millisecond))
	default:
		x.ok("%s answers; its first word comes after %v", m.Name(), first.Round(time.Millisecond))
	}
}

// engineAdvice says what usually helps against err.
func engineAdvice(section string, err error) string {
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return "see whether its address is right and this machine may reach it"
	case speech.Retryable(err):
		return "try again; if it stays so, look at the engine's own status and limits"
	}
	return "look at url, key, model and voice under " + section + " in callwright.yaml"
}

// plain shortens an error to what an operator reads.
func plain(err error) string {
	if err == nil {
		return "it said nothing"
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return "no answer within " + patience.String()
	}
	text := strings.Join(strings.Fields(err.Error()), " ")
	if r := []rune(text); len(r) > 300 {
		text = string(r[:300]) + "…"
	}
	return text
}

// zones checks the time zone database and the clock's plausibility.
func (x *examination) zones(context.Context) {
	for _, name := range []string{"America/New_York", "Europe/Berlin", "Asia/Kolkata", "Australia/Lord_Howe"} {
		if _, err := phone.Zone(name); err != nil {
			x.broken("install the package tzdata", "the time zone %s is not known", name)
			return
		}
	}
	if now := time.Now(); now.Year() < 2026 {
		x.broken("set the clock, and keep it with NTP", "the clock says %s", now.Format(time.RFC1123))
		return
	}
	zones := phone.Zones()
	if days, old := zones.Old(time.Now()); old {
		x.warn("install a newer version of the package tzdata, or of Callwright", "the time zones are of version %s, %d days old: laws may have changed since",
			zones.Version, days)
		return
	}
	x.ok("time zones are of version %s; it is %s", zones.Version, time.Now().Format(time.RFC1123))
}

func median(list []time.Duration) time.Duration {
	slices.Sort(list)
	return list[len(list)/2]
}
