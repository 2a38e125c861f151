package engine

import (
	"context"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/callwright/callwright/internal/speech"
)

// understood is what the blocks lead to: finals end with a full stop.
func understood(t *testing.T, blocks ...string) string {
	t.Helper()
	c := newCaptions()
	for _, b := range blocks {
		c.text(b)
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	var out []string
	for h := range c.Heard() {
		if h.Final {
			h.Text += "."
		}
		out = append(out, h.Text)
	}
	return strings.Join(out, "|")
}

func TestCaptions(t *testing.T) {
	for name, c := range map[string]struct {
		blocks []string
		want   string
	}{
		"word by word":                {[]string{"I ", "want ", "tea", "\u2028"}, "I|I want|I want tea|I want tea."},
		"a word taken back":           {[]string{"too", "\b\b\bTwo", " please\u2028"}, "too|Two|Two please."},
		"all of it taken back":        {[]string{"no", "\b\b", "yes\u2028"}, "no|yes."},
		"more taken back than said":   {[]string{"\b\b\bhi", "\b\b\b\b\b", "a\u2028"}, "hi|a."},
		"not over the end of a turn":  {[]string{"one\u2028", "\b\btwo\u2028"}, "one.|two."},
		"two turns in a block":        {[]string{"one\u2028two\u2028thr"}, "one.|two.|thr"},
		"other ends of lines":         {[]string{"a\r\nb\rc\nd"}, "a.|b.|c.|d"},
		"a byte order mark":           {[]string{"\ufeff", "\ufeffhi\u2028"}, "hi."},
		"whole characters taken back": {[]string{"né", "\bå\u2028"}, "né|nå."},
		"a lost block":                {[]string{"\ufffd", "tea\u2028"}, "\ufffd|\ufffdtea."},
		"nothing":                     {[]string{"", ""}, ""},
		"an empty turn":               {[]string{"\u2028"}, "."},
	} {
		if got := understood(t, c.blocks...); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

func TestCaptionsBearAFlood(t *testing.T) {
	c := newCaptions()
	began := time.Now()
	for range 2000 {
		c.text(strings.Repeat("é", 500))
	}
	if len(c.line) > maxLine+1000 {
		t.Errorf("%d bytes are kept", len(c.line))
	}
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("it took %s", took)
	}
	_ = c.Close()
	for h := range c.Heard() {
		if !utf8.ValidString(h.Text) {
			t.Fatalf("a character was parted")
		}
	}
}

func TestInterimCaptionsLeaveRoomForFinalOnes(t *testing.T) {
	blocks := append(strings.Split(strings.Repeat("a", 500), ""), "\u2028", "b\u2028")
	if got := understood(t, blocks...); !strings.HasSuffix(got, "|"+strings.Repeat("a", 500)+".|b.") {
		t.Errorf("heard …%s", got[len(got)-40:])
	}
}

func TestCaptionsEndWithTheirContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	c := newCaptions()
	s, err := c.Open(ctx, speech.Format{SampleRate: 8000})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.WriteFrame(make([]int16, 160)); err != nil || s.SampleRate() != 8000 || s.String() != c.Name() {
		t.Errorf("%v, %d Hz, %s", err, s.SampleRate(), s)
	}
	cancel()
	for range s.Heard() {
		t.Error("heard something")
	}
	c.text("too late\u2028") // must not panic
	if err := s.Close(); err != nil || s.Err() != nil {
		t.Error(err, s.Err())
	}
}
