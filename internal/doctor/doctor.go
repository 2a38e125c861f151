// Package doctor tells what is wrong with an installation, in words: data
// directory, database, ports, the way to the outside, trunks and engines.
package doctor

import (
	"context"
	"fmt"
	"net/netip"
	"time"

	"github.com/callwright/callwright/internal/rtp"
	"github.com/callwright/callwright/internal/sip"
	"github.com/callwright/callwright/internal/speech"
	"github.com/callwright/callwright/internal/store"
)

// State is how well something is.
type State string

// The states.
const (
	OK      State = "ok"
	Warning State = "warning" // works, or will work, with a drawback that Advice names
	Broken  State = "broken"  // calls fail, or the server does not start
)

// Finding is one thing that was looked at.
type Finding struct {
	Area   string `json:"area"`             // data, database, http, sip, rtp, nat, trunk, voice, hearing, model, time
	State  State  `json:"state"`            //
	Text   string `json:"text"`             // what was seen, a sentence without a period
	Advice string `json:"advice,omitempty"` // what to do about it; "" when nothing needs to be done
}

// Options are what is to be examined: the settings with which a server would
// be started, and the engines that they name.
type Options struct {
	Data       string         // the data directory
	Database   string         // DSN; "" is SQLite in Data
	Key        store.Key      // that secrets in it are sealed with
	HTTP       string         // host:port of the API
	SIP        netip.AddrPort // of the user agent
	ExternalIP string         // what peers are told instead of SIP's address; "" is nothing
	TLS        *sip.TLS       // how trunks over TLS are secured; nil is by the system's authorities
	Ports      rtp.PortRange
	Voices     []speech.TTS // in the order in which they are preferred
	Ears       []speech.STT
	Models     []speech.LLM
}

// examination is one run: the settings, and where findings go.
type examination struct {
	Options
	area  string
	found func(Finding)
}

func (x *examination) ok(format string, args ...any) {
	x.found(Finding{Area: x.area, State: OK, Text: fmt.Sprintf(format, args...)})
}

func (x *examination) warn(advice, format string, args ...any) {
	x.found(Finding{Area: x.area, State: Warning, Text: fmt.Sprintf(format, args...), Advice: advice})
}

func (x *examination) broken(advice, format string, args ...any) {
	x.found(Finding{Area: x.area, State: Broken, Text: fmt.Sprintf(format, args...), Advice: advice})
}

// patience bounds one check. Nothing that a call could wait for takes longer.
const patience = 15 * time.Second

// Examine looks at everything and hands each finding to found as it is made. It
// changes nothing but files of its own, which it removes, and may run beside a
// server with the same settings. It returns how many findings are Broken.
func Examine(ctx context.Context, o Options, found func(Finding)) int {
	broken := 0
	x := &examination{Options: o, found: func(f Finding) {
		if f.State == Broken {
			broken++
		}
		found(f)
	}}
	var trunks []trunkCheck
	for _, part := range []struct {
		area  string
		check func(context.Context)
	}{
		{"data", x.directory},
		{"database", func(ctx context.Context) { trunks = x.database(ctx) }},
		{"http", x.http},
		{"sip", x.sip},
		{"rtp", x.rtp},
		{"nat", func(context.Context) { x.nat(trunks) }},
		{"trunk", func(ctx context.Context) { x.trunks(ctx, trunks) }},
		{"voice", x.voices},
		{"hearing", x.ears},
		{"model", x.models},
		{"time", x.zones},
	} {
		if ctx.Err() != nil {
			break
		}
		x.area = part.area
		part.check(ctx)
	}
	return broken
}
