package config_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/callwright/callwright/internal/config"
)

func TestPorts(t *testing.T) {
	for _, c := range []struct {
		in     string
		lo, hi int
		bad    bool
	}{
		{in: "20000-29999", lo: 20000, hi: 29999},
		{in: " 100 - 200 ", lo: 100, hi: 200},
		{in: "0-0"},
		{in: "", bad: true}, {in: "20000", bad: true}, {in: "2-1", bad: true}, {in: "1-70000", bad: true}, {in: "a-b", bad: true},
	} {
		lo, hi, err := (&config.Config{RTPPorts: c.in}).Ports()
		if (err != nil) != c.bad || lo != c.lo || hi != c.hi {
			t.Errorf("Ports(%q) = %d, %d, %v", c.in, lo, hi, err)
		}
	}
}

func TestSecret(t *testing.T) {
	want := strings.Repeat("\xfb", 32)
	for _, text := range []string{
		strings.Repeat("fb", 32), strings.Repeat("FB", 32), " +/v7+/v7+/v7+/v7+/v7+/v7+/v7+/v7+/v7+/v7+/s=\n", "+/v7+/v7+/v7+/v7+/v7+/v7+/v7+/v7+/v7+/v7+/s",
		"-_v7-_v7-_v7-_v7-_v7-_v7-_v7-_v7-_v7-_v7-_s",
	} {
		if key, err := (&config.Config{SecretKey: text}).Secret(); err != nil || string(key) != want {
			t.Errorf("%q is %x, %v", text, key, err)
		}
	}
	if key, err := (&config.Config{}).Secret(); key != nil || err != nil {
		t.Errorf("none is %x, %v", key, err)
	}
	for _, text := range []string{"hunter2", strings.Repeat("fb", 31), strings.Repeat("fb", 33), want} {
		if _, err := (&config.Config{SecretKey: text}).Secret(); err == nil || !strings.Contains(err.Error(), "openssl") || strings.Contains(err.Error(), text) {
			t.Errorf("%q gave %v", text, err)
		}
	}
}

func TestAllow(t *testing.T) {
	got, err := (&config.Config{WebhookAllow: []string{"10.1.2.3/8", "127.0.0.1", "::1"}}).Allow()
	if err != nil || len(got) != 3 || got[0].String() != "10.0.0.0/8" || got[1].String() != "127.0.0.1/32" || got[2].String() != "::1/128" {
		t.Fatalf("Allow = %v, %v", got, err)
	}
	if _, err := (&config.Config{WebhookAllow: []string{"home"}}).Allow(); err == nil || !strings.Contains(err.Error(), `--webhook-allow "home"`) {
		t.Fatalf("a bad network gave %v", err)
	}
	got, err = (&config.Config{TrustedProxies: []string{"::ffff:10.1.2.3/104", " 2001:db8::/32"}}).Proxies()
	if err != nil || len(got) != 2 || got[0].String() != "10.0.0.0/8" || got[1].String() != "2001:db8::/32" {
		t.Fatalf("Proxies = %v, %v", got, err)
	}
	for _, bad := range []string{"", "10.0.0.0/33", "fe80::1%eth0", "::ffff:0.0.0.0/90", "10.0.0.1:80"} {
		if _, err := (&config.Config{TrustedProxies: []string{bad}}).Proxies(); err == nil || !strings.Contains(err.Error(), "--trusted-proxies") {
			t.Errorf("%q gave %v", bad, err)
		}
	}
}

func TestSIPAddr(t *testing.T) {
	if _, err := (&config.Config{SIP: "localhost"}).SIPAddr(); err == nil || !strings.Contains(err.Error(), "127.0.0.1:5060") {
		t.Fatalf("the error does not show how to write it: %v", err)
	}
}

func TestReadFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), config.File)
	if got, err := config.ReadFile(path); got != nil || err != nil {
		t.Fatalf("a missing file gave %v, %v", got, err)
	}
	if err := os.WriteFile(path, []byte("http: 127.0.0.1:9000\nwebhook-allow: [10.0.0.0/8]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := config.ReadFile(path, "http", "webhook-allow")
	if err != nil || got["http"] != "127.0.0.1:9000" {
		t.Fatalf("ReadFile = %v, %v", got, err)
	}
	for text, want := range map[string]string{
		"http: [\n":              "cannot be read",
		"- http\n- sip\n":        "cannot be read",
		"htpp: 127.0.0.1:9000\n": `unknown key "htpp"; the keys are http, webhook-allow`,
	} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := config.ReadFile(path, "http", "webhook-allow")
		if err == nil || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q gave %v", text, err)
		}
	}
}
