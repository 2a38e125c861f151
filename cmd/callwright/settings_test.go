package main

import (
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
