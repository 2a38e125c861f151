package speech_test

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/callwright/callwright/internal/speech"
)

func TestClauses(t *testing.T) {
	long := strings.Repeat("word ", 50)
	for _, want := range [][]string{
		nil,
		{"Hello."},
		{"Hello. ", "How are you?"},
		{"Wait! ", "Stop… ", "Really?! ", "Yes."},
		{"Dr. Smith and Mrs. Jones live on St. James street. ", "Call them."},
		{"It costs $4.20 or 3.5 percent, version 1.2.3. ", "Fine?"},
		{"Write to jane.doe@example.com or visit www.example.com. ", "Thanks."},
		{"We open at 9 a.m. on Friday. ", "Goodbye."},
		{"We open at 9 a.m. every day. ", "Goodbye."},
		{"He said \"Stop.\" ", "Then he left."},
		{"(See below.) ", "Next."},
		{"J. R. Smith is here. ", "So am I. ", "Good."},
		{"1. Open the door. ", "2. Close it."},
		{"It is item no. 5 on the list. ", "Ok."},
		{"Use e.g. a phone, i.e. this one. ", "Done."},
		{"First line\n", "second line"},
		{"Short, clause, stays whole."},
		{"This is a rather long sentence that goes on for quite some time, ", "and so it is cut at a comma that comes late."},
		{"你好。", "我可以帮你吗？", "谢谢"},
		{"  leading space is kept. ", "  And so is this."},
		{"... ... Hm. ", "Yes."},
		{long[:225], long[225:]},
		{strings.Repeat("x", 400), strings.Repeat("x", 7)},
		{"No. ", "That is wrong."},
	} {
		text := strings.Join(want, "")
		// Space goes with the clause before it.
		for i := 1; i < len(want); i++ {
			cut := strings.TrimLeft(want[i], " ")
			want[i-1] += want[i][:len(want[i])-len(cut)]
			want[i] = cut
		}
		if got := speech.Clauses(text); !slices.Equal(got, want) {
			t.Errorf("Clauses(%q)\n got %q\nwant %q", text, got, want)
		}
	}
}

// However a text comes in, nothing is lost and the cuts are the same.
func TestSplitterStreams(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		pieces := rapid.SliceOf(rapid.SampledFrom([]string{
			"Hello", " ", ".", "!", "\"", " Dr", "3", ".5", ",", "\n", "é", "。", "word ", "I", "a.m", "\xff", "…", "(", ")",
		})).Draw(t, "pieces")
		text := strings.Join(pieces, "")
		var s speech.Splitter
		var got []string
		for _, piece := range pieces {
			got = append(got, s.Push(piece)...)
		}
		got = append(got, s.Flush())
		if strings.Join(got, "") != text {
			t.Fatalf("%q became %q", text, got)
		}
		if whole := speech.Clauses(text); strings.Join(whole, "") != text {
			t.Fatalf("%q became %q", text, whole)
		}
	})
}

func FuzzClauses(f *testing.F) {
	for _, seed := range []string{"", "Hello. How are you?", "Dr. X paid $4.20, e.g. twice…", "\xff. \xfe", strings.Repeat("no end ", 99)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, clause := range speech.Clauses(text) {
			if clause == "" {
				t.Errorf("an empty clause in %q", text)
			}
			if len(clause) > 1200 && len(strings.TrimSpace(clause)) > 1200 && !strings.HasPrefix(text, clause) {
				t.Errorf("a clause of %d bytes", len(clause))
			}
			if !strings.HasPrefix(text, clause) {
				t.Fatalf("clause %q is not next in %q", clause, text)
			}
			text = text[len(clause):]
		}
		if text != "" {
			t.Errorf("%q is lost", text)
		}
	})
}

func TestWordTimes(t *testing.T) {
	words := speech.WordTimes("Your code is 4 7 1 1, thank you.  ", 8000)
	var text strings.Builder
	last := 0
	for _, w := range words {
		text.WriteString(w.Text)
		if w.End < last {
			t.Errorf("%q ends at %d, before %d", w.Text, w.End, last)
		}
		last = w.End
	}
	if text.String() != "Your code is 4 7 1 1, thank you.  " || last != 8000 || len(words) != 9 {
		t.Errorf("words %+v", words)
	}
	if half := words[4].End; half < 3000 || half > 5500 {
		t.Errorf("after \"Your code is 4 7\" %d of 8000 samples are gone", half)
	}
	for _, text := range []string{"", "   ", "…", "?!"} {
		words := speech.WordTimes(text, 100)
		var joined string
		for _, w := range words {
			joined += w.Text
		}
		if joined != text || len(words) > 0 && words[len(words)-1].End != 100 {
			t.Errorf("WordTimes(%q) = %+v", text, words)
		}
	}
}

func FuzzWordTimes(f *testing.F) {
	f.Add("Hello  there, 42.", 16000)
	f.Add(" \xff", 0)
	f.Fuzz(func(t *testing.T, text string, samples int) {
		samples = max(0, samples%1_000_000)
		last, joined := 0, ""
		for _, w := range speech.WordTimes(text, samples) {
			if w.End < last || w.End > samples {
				t.Fatalf("%q ends at %d after %d of %d", w.Text, w.End, last, samples)
			}
			last = w.End
			joined += w.Text
		}
		if joined != text || text != "" && last != samples {
			t.Errorf("%q became %q, ending at %d of %d", text, joined, last, samples)
		}
	})
}
