package provider

import (
	"slices"
	"testing"
	"time"

	"github.com/callwright/callwright/internal/audio"
)

func TestTrimmed(t *testing.T) {
	loud := slices.Repeat([]int16{4000, -4000}, 4000)
	pcm := slices.Concat(audio.Silence(8000, 280*time.Millisecond), loud, audio.Silence(8000, 120*time.Millisecond))
	for clause, pause := range map[string]time.Duration{
		"Hello.": 200 * time.Millisecond, "hello, ": 120 * time.Millisecond,
		"(Really?) ": 200 * time.Millisecond, "hello": 60 * time.Millisecond, "": 0,
	} {
		want := len(loud) + audio.Samples(20*time.Millisecond+pause, 8000)
		if got := trimmed(pcm, 8000, clause); len(got) != want || got[160] != 4000 {
			t.Errorf("after %q: %d samples, want %d", clause, len(got), want)
		}
	}
	if got := trimmed(make([]int16, 8000), 8000, "Hm."); len(got) != 0 {
		t.Errorf("of silence %d samples are left", len(got))
	}
	if &pcm[0] == &trimmed(pcm, 8000, "x")[0] || pcm[len(pcm)-1] != 0 {
		t.Error("the source was changed")
	}
}

func TestASCIIText(t *testing.T) {
	for in, want := range map[string]string{
		"Café “naïve” – it’s ½": `Cafe "naive" - it's 1 2`,
		"Straße in Łódź":        "Strasse in Lodz",
		"5 €":                   "5  euros",
		"a\x00b\nc":             "a b c",
		"🙂 hi":                  "hi",
		"日本":                    "",
		"...":                   "",
	} {
		if got := asciiText(in); got != want {
			t.Errorf("asciiText(%q) = %q, want %q", in, got, want)
		}
	}
}

func FuzzTexts(f *testing.F) {
	for _, seed := range []string{"Hello.", "\xff\x00", "e\u0301", "ﬁ", "½ €"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, r := range asciiText(text) {
			if r < ' ' || r > '~' {
				t.Fatalf("%q is left of %q", r, text)
			}
		}
		if got := printable(text); printable(got) != got {
			t.Fatalf("%q is left of %q, and less the next time", got, text)
		}
		pauseAfter(text)
		for _, word := range []string{text, text + "e"} {
			if hasSound(word) && len(syllables(word)) == 0 {
				t.Fatalf("%q has no syllables", word)
			}
		}
	})
}

func TestMachineWithoutModule(t *testing.T) {
	for name, load := range map[string]func() ([]byte, error){
		"nothing":  func() ([]byte, error) { return nil, errNoSounds },
		"nonsense": func() ([]byte, error) { return []byte("nonsense"), nil },
	} {
		m := newMachine(load)
		for range 2 {
			if _, _, err := m.run(t.Context(), "-t", "x"); err == nil {
				t.Errorf("%s runs", name)
			}
		}
	}
}
