package message

import (
	"strings"
	"testing"
)

// TestAddresses: what is read of addresses, "" for what is refused.
func TestAddresses(t *testing.T) {
	for in, want := range map[string]string{
		"sip:a@b":                             "<sip:a@b>",
		"sip:a@b;tag=1":                       "<sip:a@b>;tag=1",
		"<sip:a@b;transport=tcp> ; tag = 1":   "<sip:a@b;transport=tcp>;tag=1",
		`"A \"B\" <c>" <sip:a@b>`:             `"A \"B\" <c>" <sip:a@b>`,
		"A B<sip:a@b>":                        `"A B" <sip:a@b>`,
		"Bell, Alexander <sip:a@b>":           `"Bell, Alexander" <sip:a@b>`,
		"<sip:a@b;lr?x=y>":                    "<sip:a@b;lr=?x=y>",
		"<sip:a@b;lr;p=q?x=y>":                "<sip:a@b;lr;p=q?x=y>",
		"<sip:[2001:db8::1]:5060>;a;b;":       "<sip:[2001:db8::1]:5060>;a;b",
		"<tel:+1555>":                         "<tel:+1555>",
		`<sip:a@b>;x="a;b, c"`:                `<sip:a@b>;x="a;b, c"`,
		"<sip:1_u~(be!s)&i'n+t$/c?,/;;*@h.x>": "<sip:1_u~(be!s)&i'n+t$/c?,/;;*@h.x>",
		"":                                    "",
		"<>":                                  "",
		"sip:":                                "",
		"<sip:a@>":                            "",
		"<sip:a@b":                            "",
		`"A <sip:a@b>`:                        "",
		`"A" B <sip:a@b>`:                     "",
		"< sip:a@b >":                         "",
		"<sip:a b@c>":                         "",
		"<sip:a@b> tag=1":                     "",
		"<sip:a@b>;t ag=1":                    "",
		"<sip:a@b>;=1":                        "",
		`<sip:a@b>;x="a`:                      "",
		"sip:a@b?x=y":                         "",
		"<sip:2001:db8::1>":                   "",
		"<sip:[2001:db8::1>":                  "",
		"<sip:a@b:99999>":                     "",
		"<sip:a@b\x00>":                       "",
	} {
		got, ok := NameAddr(in)
		if !ok {
			got = ""
		}
		if got != want {
			t.Errorf("%q is %q, want %q", in, got, want)
		}
	}
}

func TestVias(t *testing.T) {
	for in, want := range map[string]string{
		"SIP / 2.0 / UDP  h : 5060 ; branch = x": "SIP/2.0/UDP h:5060;branch=x",
		"SIP/2.0/TCP [::1];rport":                "SIP/2.0/TCP [::1];rport",
		"SIP/2.0/UDP h;received=[::1]":           "SIP/2.0/UDP h;received=[::1]",
		"SIP/2.0/UDP":                            "", "SIP/2.0 h": "", "SIP//UDP h": "", "SIP/2.0/UDP ;branch=x": "", "SIP/2.0/UDP h:x": "", "SIP/2.0/UDP a@b": "", "": "",
	} {
		got, ok := Via(in)
		if !ok {
			got = ""
		}
		if got != want {
			t.Errorf("%q is %q, want %q", in, got, want)
		}
	}
}

// TestHeaderNames: nothing but blanks may stand between a name and its colon.
func TestHeaderNames(t *testing.T) {
	for line, want := range map[string]string{
		"Subject: x": "subject", "s \t: x": "subject", "X-Own:": "x-own", "Subject\x0b: x": "", "\x0cSubject: x": "", "Sub ject: x": "", ": x": "", "Subject": "", "Subject\x00: x": "", "Ñ: x": "",
	} {
		m, wrong := Read([]byte("OPTIONS sip:a@b SIP/2.0\r\n" + line + "\r\n\r\n"))
		got := ""
		for _, f := range m.Fields {
			got += f.Name
		}
		if got != want || (wrong == nil) != (want != "") {
			t.Errorf("%q has the name %q, %v; want %q", line, got, wrong, want)
		}
	}
	if _, wrong := Read([]byte("OPTIONS sip:a@b SIP/2.0\r\n" + strings.Repeat("X: y\r\n", 300) + "\r\n")); wrong == nil {
		t.Error("300 fields are read")
	}
}
