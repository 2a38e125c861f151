package message

import "testing"

func TestPlainName(t *testing.T) {
	for in, want := range map[string]string{
		"": "", "Alice": "Alice", `J \"Doc\" O\\Neil`: `J "Doc" O\Neil`, "Bob\x00\x07\u202eetiB": "BobetiB", "\xff\xfe": "", `trailing \`: `trailing \`, "Жора": "Жора",
	} {
		if got := PlainName(in); got != want {
			t.Errorf("%q reads %q, want %q", in, got, want)
		}
	}
}

func TestUnescaped(t *testing.T) {
	for in, want := range map[string]string{
		"+15551234": "+15551234", "%2B15551234": "+15551234", "null-%00-null": "null-%00-null", "%7f": "%7f", "100%": "100%", "%ff": "%ff", "a%20b": "a b", "a+b": "a+b",
	} {
		if got := Unescaped(in); got != want {
			t.Errorf("%q is %q, want %q", in, got, want)
		}
	}
}
