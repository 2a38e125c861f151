package message

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// frames cuts a stream that comes in pieces of the given size.
func frames(data string, size int) []string {
	var out []string
	f := Framer{}
	for len(data) > 0 {
		n := copy(f.Space(), data[:min(size, len(data))])
		data = data[n:]
		f.Filled(n, time.Now())
		for {
			got, what := f.Next()
			if what == None {
				break
			}
			out = append(out, fmt.Sprint(what, ":", string(got)))
			if what == Broken {
				return out
			}
		}
	}
	return out
}

func TestFrames(t *testing.T) {
	message := func(length, body string) string {
		return "INVITE sip:a@b SIP/2.0\r\nVia: x\r\n" + length + "\r\n" + body
	}
	a, b := message("Content-Length: 3\r\n", "abc"), message("l : 0\r\n", "")
	folded := message("Content-Length:\r\n  2\r\n", "ok")
	tests := map[string]struct {
		data string
		want []string
	}{
		"one":                {a, []string{"1:" + a}},
		"two":                {a + b, []string{"1:" + a, "1:" + b}},
		"folded length":      {folded + a, []string{"1:" + folded, "1:" + a}},
		"lines before":       {"\r\n" + a + "\r\n" + b, []string{"1:" + a, "1:" + b}},
		"unfinished":         {a + b[:20], []string{"1:" + a}},
		"no length":          {message("", "abc"), []string{"3:" + message("", "")}},
		"two lengths":        {message("Content-Length: 3\r\nl: 3\r\n", "abc"), []string{"3:" + message("Content-Length: 3\r\nl: 3\r\n", "")}},
		"negative":           {message("l: -1\r\n", ""), []string{"3:" + message("l: -1\r\n", "")}},
		"signed":             {message("l: +1\r\n", "a"), []string{"3:" + message("l: +1\r\n", "")}},
		"larger than int":    {message("l: 99999999999999999999\r\n", ""), []string{"3:" + message("l: 99999999999999999999\r\n", "")}},
		"larger than wanted": {message("l: 65536\r\n", ""), []string{"3:" + message("l: 65536\r\n", "")}},
	}
	for name, tt := range tests {
		for _, size := range []int{1, 2, 3, 7, 64, 1 << 20} {
			if got := frames(tt.data, size); strings.Join(got, "¦") != strings.Join(tt.want, "¦") {
				t.Errorf("%s, in pieces of %d: %q, want %q", name, size, got, tt.want)
			}
		}
	}
	if got := frames("\r\n\r\n", 4); len(got) != 1 || got[0] != "2:" {
		t.Errorf("a ping is %q", got)
	}
	if got := frames(strings.Repeat("x", MaxLen+10), 4096); len(got) != 1 || !strings.HasPrefix(got[0], "3:") {
		t.Errorf("a header without an end is %d frames", len(got))
	}
	long := message("l: 60000\r\n", strings.Repeat("y", 60000))
	if got := frames(long+long, 1000); len(got) != 2 || got[1] != "1:"+long {
		t.Errorf("two long messages are %d frames", len(got))
	}
}

// FuzzFrames: however a stream is cut into reads, it has the same messages.
func FuzzFrames(f *testing.F) {
	f.Add("INVITE sip:a@b SIP/2.0\r\nContent-Length: 3\r\n\r\nabcOPTIONS sip:a@b SIP/2.0\r\nl: 0\r\n\r\n", 3)
	f.Add("\r\n\r\nSIP/2.0 200 OK\r\nl:\r\n 1\r\n\r\n.", 1)
	f.Add("x\r\n\r\n", 2)
	f.Fuzz(func(t *testing.T, data string, size int) {
		if size < 1 || size > 1<<16 {
			return
		}
		whole, cut := messagesOf(frames(data, 1<<20)), messagesOf(frames(data, size))
		if strings.Join(whole, "¦") != strings.Join(cut, "¦") {
			t.Errorf("at once %q, in pieces of %d %q", whole, size, cut)
		}
	})
}

// messagesOf leaves pings out, which depend on the reads.
func messagesOf(frames []string) []string {
	var out []string
	for _, f := range frames {
		if !strings.HasPrefix(f, "2:") {
			out = append(out, f)
		}
	}
	return out
}
