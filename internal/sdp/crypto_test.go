package sdp

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"testing"
)

// inline is a key of 30 bytes as SDP writes it.
func inline(first byte) string {
	k := make([]byte, keySize)
	k[0] = first
	return "inline:" + base64.StdEncoding.EncodeToString(k)
}

func TestCryptoLines(t *testing.T) {
	tests := []struct {
		line string
		want bool
	}{
		{"1 AES_CM_128_HMAC_SHA1_80 " + inline(1), true},
		{"999999999 AES_CM_128_HMAC_SHA1_32 " + inline(1) + "|2^20", true},
		{"1 AES_CM_128_HMAC_SHA1_80 " + inline(1) + "|1048576 WSH=64", true},
		{"1 AES_CM_128_HMAC_SHA1_80 " + strings.TrimRight(inline(1), "="), true},
		{"1 AES_CM_128_HMAC_SHA1_80 " + inline(1) + "|2^20|1:4", false}, // a key identifier in each packet
		{"1 AES_CM_128_HMAC_SHA1_80 " + inline(1) + ";" + inline(2), false},
		{"1 AES_CM_128_HMAC_SHA1_80 " + inline(1) + " UNENCRYPTED_SRTP", false},
		{"1 AES_CM_128_HMAC_SHA1_80 " + inline(1) + " UNAUTHENTICATED_SRTP", false},
		{"1 AES_CM_128_HMAC_SHA1_80 " + inline(1) + " KDR=4", false},
		{"1 AES_CM_128_HMAC_SHA1_80 inline:AAAA", false},
		{"1 AES_CM_128_HMAC_SHA1_80 inline:***", false},
		{"1 AES_CM_128_HMAC_SHA1_80 uri:https://example.com", false},
		{"1 F8_128_HMAC_SHA1_80 " + inline(1), false},
		{"x AES_CM_128_HMAC_SHA1_80 " + inline(1), false},
		{"-1 AES_CM_128_HMAC_SHA1_80 " + inline(1), false},
		{"99999999999999999999 AES_CM_128_HMAC_SHA1_80 " + inline(1), false},
		{"1 AES_CM_128_HMAC_SHA1_80", false},
		{"", false},
	}
	for _, tt := range tests {
		c, ok := parseCrypto(tt.line)
		if ok != tt.want {
			t.Errorf("%q: %v, want %v", tt.line, ok, tt.want)
		}
		if ok {
			if again, ok := parseCrypto(c.String()); !ok || again.String() != c.String() {
				t.Errorf("%q came back as %q", c, again)
			}
		}
	}
}

func TestNewKeysAreNew(t *testing.T) {
	seen := map[string]bool{}
	for range 50 {
		for i, c := range NewCrypto() {
			if seen[string(c.Key)] || len(c.Key) != keySize || c.Tag != i+1 {
				t.Fatalf("%+v", c)
			}
			seen[string(c.Key)] = true
		}
	}
}

func secure(require bool) Options {
	o := options()
	o.Crypto, o.TextCrypto, o.RequireSRTP = NewCrypto(), NewCrypto(), require
	return o
}

// TestSecuredCall has two sides with keys agree, for sound and text, and a later
// offer keep the keys.
func TestSecuredCall(t *testing.T) {
	alice, bob := secure(true), secure(false)
	offer, err := NewOffer(alice)
	if err != nil {
		t.Fatal(err)
	}
	read, err := Parse(offer.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(offer.Bytes()), " RTP/SAVP "); n != 2 || string(read.Bytes()) != string(offer.Bytes()) {
		t.Errorf("%d secured lines:\n%s", n, offer.Bytes())
	}
	answer, theirs, err := Answer(read, bob)
	if err != nil {
		t.Fatal(err)
	}
	back, err := Parse(answer.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	ours, err := Accept(offer, back)
	if err != nil {
		t.Fatal(err)
	}
	match := func(what string, a, b *Secured, key []byte) {
		t.Helper()
		if a == nil || b == nil || a.Suite != SuiteSHA80 || b.Suite != a.Suite || !bytes.Equal(a.Ours, b.Theirs) || !bytes.Equal(a.Theirs, b.Ours) || !bytes.Equal(a.Ours, key) {
			t.Errorf("%s: %+v and %+v", what, a, b)
		}
	}
	match("sound", ours.Keys, theirs.Keys, alice.Crypto[0].Key)
	match("text", ours.TextKeys, theirs.TextKeys, alice.TextCrypto[0].Key)
	if bytes.Equal(ours.Keys.Ours, ours.TextKeys.Ours) {
		t.Error("sound and text have one key")
	}
	if !ours.RTCPMux || !theirs.RTCPMux {
		t.Error("RTCP has no port")
	}
	alice.ID, alice.Version, alice.Direction = offer.ID, 2, SendOnly
	held, err := NewOffer(alice)
	if err != nil {
		t.Fatal(err)
	}
	_, again, err := Answer(held, bob)
	if err != nil || again.Direction != RecvOnly {
		t.Fatalf("hold: %+v, %v", again, err)
	}
	match("sound on hold", ours.Keys, again.Keys, alice.Crypto[0].Key)
}

func TestWhoMayGoWithoutKeys(t *testing.T) {
	plain := []string{"m=audio 30000 RTP/AVP 0"}
	saved := []string{"m=audio 30000 RTP/SAVP 0", "a=crypto:3 AES_CM_128_HMAC_SHA1_32 " + inline(9), "a=crypto:4 AES_CM_128_HMAC_SHA1_80 " + inline(8)}
	maybe := []string{"m=audio 30000 RTP/AVP 0", "a=crypto:3 AES_CM_128_HMAC_SHA1_80 " + inline(9)} // RFC 8643
	tests := []struct {
		name    string
		offer   []string
		o       Options
		secured bool
		err     error
		line    string // of the answer
	}{
		{"neither", plain, options(), false, nil, "m=audio 20000 RTP/AVP 0"},
		{"offered, we have none", saved, options(), false, ErrNoKeys, ""},
		{"offered, we could", saved, secure(false), true, nil, "m=audio 20000 RTP/SAVP 0"},
		{"not offered, we could", plain, secure(false), false, nil, "m=audio 20000 RTP/AVP 0"},
		{"not offered, we insist", plain, secure(true), false, ErrNoKeys, ""},
		{"offered if possible, we could", maybe, secure(false), true, nil, "m=audio 20000 RTP/AVP 0"},
		{"offered if possible, we insist", maybe, secure(true), true, nil, "m=audio 20000 RTP/AVP 0"},
		{"offered if possible, we have none", maybe, options(), false, nil, "m=audio 20000 RTP/AVP 0"},
		{"keys of no use", []string{"m=audio 30000 RTP/SAVP 0", "a=crypto:1 AEAD_AES_256_GCM inline:AAAA"}, secure(false), false, ErrNoKeys, ""},
		{"SAVP without keys", []string{"m=audio 30000 RTP/SAVP 0"}, secure(true), false, ErrNoKeys, ""},
		{"the first line is of no use", append([]string{"m=audio 30002 RTP/SAVP 0"}, plain...), secure(false), false, nil, "m=audio 0 RTP/SAVP 0\r\nm=audio 20000 RTP/AVP 0"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s, agreed, err := Answer(parse(t, tt.offer...), tt.o)
			if !errors.Is(err, tt.err) || (agreed.Keys != nil) != tt.secured {
				t.Fatalf("%+v, %v", agreed, err)
			}
			if err != nil {
				return
			}
			text := string(s.Bytes())
			if !strings.Contains(text, tt.line+"\r\n") || strings.Contains(text, "a=crypto:") != tt.secured {
				t.Errorf("the answer is\n%s", text)
			}
			if tt.secured && !strings.Contains(text, "a=crypto:3 ") {
				t.Errorf("the answer has not the tag of the first usable key:\n%s", text)
			}
		})
	}
}

// TestAnswersToKeys reads answers to an offer with SRTP that are not as they
// should be.
func TestAnswersToKeys(t *testing.T) {
	o := secure(false)
	offer, err := NewOffer(o)
	if err != nil {
		t.Fatal(err)
	}
	for name, lines := range map[string][]string{
		"no key":          {"m=audio 30000 RTP/SAVP 0"},
		"in the clear":    {"m=audio 30000 RTP/AVP 0"},
		"another tag":     {"m=audio 30000 RTP/SAVP 0", "a=crypto:7 AES_CM_128_HMAC_SHA1_80 " + inline(1)},
		"a suite for one": {"m=audio 30000 RTP/SAVP 0", "a=crypto:1 AES_CM_128_HMAC_SHA1_32 " + inline(1)},
	} {
		if agreed, err := Accept(offer, parse(t, lines...)); !errors.Is(err, ErrNoKeys) {
			t.Errorf("%s: %+v, %v", name, agreed.Keys, err)
		}
	}
	agreed, err := Accept(offer, parse(t, "m=audio 30000 RTP/SAVP 0", "a=crypto:2 AES_CM_128_HMAC_SHA1_32 "+inline(1),
		"m=text 30002 RTP/SAVP 98", "a=rtpmap:98 t140/1000"))
	if err != nil || agreed.Keys.Suite != SuiteSHA32 || !bytes.Equal(agreed.Keys.Ours, o.Crypto[1].Key) {
		t.Fatalf("the second suite: %+v, %v", agreed.Keys, err)
	}
	if agreed.TextPT != 0 || agreed.TextRemote.IsValid() {
		t.Error("text goes in the clear")
	}
	if _, err := NewOffer(Options{Addr: local, AudioPort: 1, Codecs: []string{"PCMU"}, RequireSRTP: true}); !errors.Is(err, ErrNoKeys) {
		t.Errorf("an offer without the keys it requires: %v", err)
	}
}

func TestRTCPAddresses(t *testing.T) {
	for line, want := range map[string]string{
		"a=rtcp:53020":                          "198.51.100.1:53020",
		"a=rtcp:53020 IN IP4 198.51.100.1":      "198.51.100.1:53020",
		"a=rtcp:53020 IN IP4 203.0.113.9":       "invalid AddrPort", // somebody else
		"a=rtcp:0":                              "invalid AddrPort",
		"a=rtcp:70000":                          "invalid AddrPort",
		"a=rtcp:x":                              "invalid AddrPort",
		"a=rtcp-mux":                            "invalid AddrPort",
		"a=rtcp-fb:* nack\r\na=ice-lite\r\na=x": "invalid AddrPort",
	} {
		_, agreed, err := Answer(parse(t, "m=audio 30000 RTP/AVP 0", line), options())
		if err != nil || fmt.Sprint(agreed.RTCPRemote) != want || agreed.RTCPMux != (line == "a=rtcp-mux") {
			t.Errorf("%s: %v, mux %v, %v", line, agreed.RTCPRemote, agreed.RTCPMux, err)
		}
	}
}

// FuzzCrypto reads any attribute; what is usable is written the same again.
func FuzzCrypto(f *testing.F) {
	f.Add("1 AES_CM_128_HMAC_SHA1_80 " + inline(1) + "|2^20|1:4 WSH=64")
	f.Add("2 AES_CM_128_HMAC_SHA1_32 " + inline(255))
	f.Fuzz(func(t *testing.T, v string) {
		c, ok := parseCrypto(v)
		if !ok {
			return
		}
		again, ok := parseCrypto(c.String())
		if !ok || again.Tag != c.Tag || again.Suite != c.Suite || !bytes.Equal(again.Key, c.Key) || len(c.Key) != keySize {
			t.Errorf("%q is %+v, and then %+v", v, c, again)
		}
	})
}
