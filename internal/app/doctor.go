package app

import (
	"context"
	"net/netip"

	"github.com/callwright/callwright/internal/config"
	"github.com/callwright/callwright/internal/doctor"
	"github.com/callwright/callwright/internal/provider"
	"github.com/callwright/callwright/internal/rtp"
	"github.com/callwright/callwright/internal/speech"
)

// Examine looks at everything that a server with this configuration would need
// and hands each finding to found. It returns how many are broken; an error
// says that the configuration itself cannot be read.
func Examine(ctx context.Context, c *config.Config, found func(doctor.Finding)) (broken int, err error) {
	preferZones()
	o := doctor.Options{Data: c.Data, Database: c.Database, HTTP: c.HTTP}
	if o.Key, err = secretKey(c); err != nil {
		return 0, err
	}
	if o.SIP, err = c.SIPAddr(); err != nil {
		return 0, err
	}
	if o.ExternalIP, err = c.External(); err != nil {
		return 0, err
	}
	lo, hi, err := c.Ports()
	if err != nil {
		return 0, err
	}
	o.Ports = rtp.PortRange{Min: lo, Max: hi}
	if o.TLS, err = sipTLS(c); err != nil {
		return 0, err
	}
	o.TLS.Listen = netip.AddrPort{} // a server may listen there
	if err := examinedEngines(c, &o); err != nil {
		return 0, err
	}
	return doctor.Examine(ctx, o, found), nil
}

// examinedEngines opens the engines that a server would use, each by itself.
func examinedEngines(c *config.Config, o *doctor.Options) (err error) {
	if o.Models, err = engines(c, "llm", speech.OpenLLM); err != nil {
		return err
	}
	if o.Ears, err = engines(c, "stt", speech.OpenSTT); err != nil {
		return err
	}
	if o.Voices, err = engines(c, "tts", speech.OpenTTS); err != nil {
		return err
	}
	for _, v := range provider.OfflineTTS(speech.Config{}) {
		if v.Name() != provider.Placeholder {
			o.Voices = append(o.Voices, v)
		}
	}
	return nil
}
