package compliance_test

import (
	"os"
	"strings"
	"testing"

	"github.com/callwright/callwright/internal/compliance"
)

// lines reads a file of testdata: one utterance a line, # begins a comment.
func lines(t *testing.T, name string) []string {
	t.Helper()
	raw, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for _, line := range strings.Split(string(raw), "\n") {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			list = append(list, line)
		}
	}
	return list
}

// TestOptsOut proves that every listed way to opt out is understood, and none of
// the harmless ones is taken for it.
func TestOptsOut(t *testing.T) {
	wishes, harmless := lines(t, "optout.txt"), lines(t, "harmless.txt")
	if len(wishes) < 100 || len(harmless) < 100 {
		t.Fatalf("only %d and %d utterances", len(wishes), len(harmless))
	}
	for _, text := range wishes {
		if !compliance.OptsOut(text) {
			t.Errorf("not understood: %s", text)
		}
		if shouted := strings.ToUpper(strings.TrimRight(text, ".!")); !compliance.OptsOut(shouted) {
			t.Errorf("not understood in capitals without a mark: %s", shouted)
		}
	}
	for _, text := range harmless {
		if compliance.OptsOut(text) {
			t.Errorf("taken for a wish: %s", text)
		}
	}
}

func FuzzOptsOut(f *testing.F) {
	for _, seed := range []string{"", "Please do not call me again.", "don’t\x00call", "\xff take me off your list", "NO ME LLAMEN MÁS"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		// A wish stays one whatever is said after it.
		if compliance.OptsOut("Do not call me again. "+text) == false {
			t.Errorf("not understood before %q", text)
		}
		if compliance.OptsOut(text) && !compliance.OptsOut(text+". ") {
			t.Errorf("%q depends on how it ends", text)
		}
	})
}
