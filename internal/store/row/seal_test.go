package row_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/callwright/callwright/internal/store/row"
)

func sealOf(t *testing.T, key byte) *row.Seal {
	t.Helper()
	seal, err := row.NewSeal(bytes.Repeat([]byte{key}, row.KeyBytes))
	if err != nil {
		t.Fatal(err)
	}
	return seal
}

func TestSeal(t *testing.T) {
	seal := sealOf(t, 1)
	for _, plain := range []string{"x", "sealed:1:AAAA", "whsec_MfKQ9r8G", "\x00\xff", strings.Repeat("long ", 10_000)} {
		var seen []string
		for range 2 {
			text, empty := plain, ""
			if err := seal.Close("t", "1", row.Secret{Column: "c", Text: &text}, row.Secret{Column: "d", Text: &empty}); err != nil {
				t.Fatal(err)
			}
			if empty != "" || !strings.HasPrefix(text, "sealed:1:") || len(plain) > 3 && strings.Contains(text[9:], plain) {
				t.Fatalf("%q was sealed as %q, and nothing as %q", plain, text, empty)
			}
			seen = append(seen, text)
			for name, at := range map[string]struct {
				seal          *row.Seal
				table, id, in string
			}{
				"another key": {sealOf(t, 2), "t", "1", "c"}, "another table": {seal, "u", "1", "c"}, "another row": {seal, "t", "2", "c"},
				"another column": {seal, "t", "1", "d"}, "no seal": {nil, "t", "1", "c"}, "a locked one": {row.Locked(), "t", "1", "c"},
			} {
				stolen := text
				if err := at.seal.Open(at.table, at.id, row.Secret{Column: at.in, Text: &stolen}); err == nil || stolen != text {
					t.Errorf("%s opens it as %q", name, stolen)
				}
			}
			for _, broken := range []string{text[:len(text)-1], text + "A", "sealed:1:", "sealed:1:!", text[:20] + "A" + text[20:]} {
				was := broken
				if err := seal.Open("t", "1", row.Secret{Column: "c", Text: &broken}); err == nil || broken != was || strings.Contains(err.Error(), plain) && len(plain) > 3 {
					t.Errorf("%q opens as %q: %v", was, broken, err)
				}
			}
			if err := seal.Open("t", "1", row.Secret{Column: "c", Text: &text}, row.Secret{Column: "d", Text: &empty}); err != nil || text != plain {
				t.Errorf("%q came back as %q: %v", plain, text, err)
			}
		}
		if seen[0] == seen[1] {
			t.Errorf("the same text is sealed the same")
		}
	}
}

func TestNoSeal(t *testing.T) {
	text := "as it is"
	var none *row.Seal
	for _, err := range []error{
		none.Close("t", "1", row.Secret{Column: "c", Text: &text}), none.Open("t", "1", row.Secret{Column: "c", Text: &text}),
		sealOf(t, 1).Open("t", "1", row.Secret{Column: "c", Text: &text}), row.Locked().Open("t", "1", row.Secret{Column: "c", Text: &text}),
	} {
		if err != nil || text != "as it is" {
			t.Errorf("it is %q: %v", text, err)
		}
	}
	if err := row.Locked().Close("t", "1", row.Secret{Column: "c", Text: &text}); err == nil {
		t.Error("a secret is written beside sealed ones")
	}
}
