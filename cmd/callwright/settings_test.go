package main

import (
	"strings"
	"testing"

	"github.com/alecthomas/kong"

	"github.com/callwright/callwright/internal/config"
)

// TestWeightOfSettings: a flag weighs more than the environment, that more than
// the file, that more than the default.
func TestWeightOfSettings(t *testing.T) {
	t.Setenv("CALLWRIGHT_HTTP", "env")
	t.Setenv("CALLWRIGHT_SIP", "env")
	file := map[string]any{"http": "file", "sip": "file", "data": "file", "webhook-allow": []any{"10.0.0.0/8", "127.0.0.1"}}
	var c struct{ config.Config }
	parser, err := kong.New(&c, kong.DefaultEnvars("CALLWRIGHT"), kong.Resolvers(fileResolver(file)))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := parser.Parse([]string{"--http", "flag"}); err != nil {
		t.Fatal(err)
	}
	if c.HTTP != "flag" || c.SIP != "env" || c.Data != "file" || c.RTPPorts != "20000-29999" || len(c.WebhookAllow) != 2 {
		t.Errorf("the settings are %+v", c.Config)
	}
}

// TestHostsOfTheFile: a table of the file is a flag's names and values, and only
// where the flag has such.
func TestHostsOfTheFile(t *testing.T) {
	var c struct{ config.Config }
	parse := func(file map[string]any) error {
		parser, err := kong.New(&c, kong.DefaultEnvars("CALLWRIGHT"), kong.Resolvers(fileResolver(file)))
		if err != nil {
			t.Fatal(err)
		}
		_, err = parser.Parse(nil)
		return err
	}
	if err := parse(map[string]any{"hosts": map[string]any{"voice.example.com": "klen", "try.example.com": "sandbox/klen"}}); err != nil {
		t.Fatal(err)
	}
	if len(c.Hosts) != 2 || c.Hosts["voice.example.com"] != "klen" || c.Hosts["try.example.com"] != "sandbox/klen" {
		t.Errorf("hosts %v", c.Hosts)
	}
	if err := parse(map[string]any{"http": map[string]any{"port": 9000}}); err == nil || !strings.Contains(err.Error(), "http must not be a table") {
		t.Errorf("a table for http gave %v", err)
	}
}

// TestListsOfTheFile: engines and fillers are read from the file as they are
// written on the command line.
func TestListsOfTheFile(t *testing.T) {
	file := map[string]any{
		"llm":     []any{map[string]any{"engine": "openai", "url": "http://127.0.0.1:1", "options": map[string]any{"temperature": 0.5}}},
		"fillers": []any{"One moment, please.", "Let me see."},
	}
	var c struct{ config.Config }
	parser, err := kong.New(&c, kong.DefaultEnvars("CALLWRIGHT"), kong.Resolvers(fileResolver(file)))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := parser.Parse(nil); err != nil {
		t.Fatal(err)
	}
	list, err := c.Engines("llm")
	if err != nil || len(list) != 1 || list[0].URL != "http://127.0.0.1:1" || list[0].Settings()["temperature"] != "0.5" {
		t.Errorf("%+v, %v", list, err)
	}
	if len(c.Fillers) != 2 || c.Fillers[0] != "One moment, please." {
		t.Errorf("fillers %q", c.Fillers)
	}
}
