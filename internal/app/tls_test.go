package app

import (
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/callwright/callwright/internal/config"
	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/sip/siptest"
)

func TestTLSSettings(t *testing.T) {
	t.Parallel()
	a := siptest.NewAuthority(t)
	pair, ca := a.Files("127.0.0.1"), a.File()
	for name, c := range map[string]struct {
		set   config.Config
		field string // of the error; "" is none
		text  string
	}{
		"nothing":           {config.Config{}, "", ""},
		"all":               {config.Config{SIPTLS: "127.0.0.1:5061", TLSCert: pair, TLSKey: pair, TLSCA: ca}, "", ""},
		"only whom we call": {config.Config{TLSCA: ca}, "", ""},
		"no certificate":    {config.Config{SIPTLS: "127.0.0.1:5061"}, "sip-tls", "--tls-cert"},
		"no address":        {config.Config{SIPTLS: "localhost", TLSCert: pair, TLSKey: pair}, "sip-tls", "127.0.0.1:5061"},
		"half a pair":       {config.Config{TLSCert: pair}, "tls-cert", "belong together"},
		"no such file":      {config.Config{TLSCert: pair + "x", TLSKey: pair}, "tls-cert", "no such file"},
		"no key":            {config.Config{TLSCert: ca, TLSKey: ca}, "tls-cert", "key"},
		"no such authority": {config.Config{TLSCA: ca + "x"}, "tls-ca", "cannot be read"},
		"not an authority":  {config.Config{TLSCA: "tls_test.go"}, "tls-ca", "PEM"},
	} {
		got, err := sipTLS(&c.set)
		if c.field == "" {
			if err != nil || got.Listen.IsValid() != (c.set.SIPTLS != "") || (got.Certificate != nil) != (c.set.TLSCert != "") || (got.Roots != nil) != (c.set.TLSCA != "") {
				t.Errorf("%s: %+v, %v", name, got, err)
			}
			continue
		}
		var wrong *domain.Error
		if !errors.As(err, &wrong) || wrong.Field != c.field || !strings.Contains(err.Error(), c.text) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A certificate that is renewed on disk is shown without a restart, and one that
// is being written does no harm.
func TestCertificateIsRenewed(t *testing.T) {
	t.Parallel()
	a := siptest.NewAuthority(t)
	file, next := a.Files("127.0.0.1"), a.Files("127.0.0.1")
	pair := &keyPair{cert: file, key: file}
	first, err := pair.load()
	if err != nil {
		t.Fatal(err)
	}
	if again, err := pair.load(); err != nil || again != first {
		t.Errorf("read again: %v", err)
	}
	put := func(data []byte, at time.Time) {
		t.Helper()
		if err := os.WriteFile(file, data, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(file, at, at); err != nil {
			t.Fatal(err)
		}
	}
	put([]byte("half a file"), time.Now().Add(time.Second))
	if kept, err := pair.load(); err != nil || kept != first {
		t.Errorf("while it is written: %v", err)
	}
	data, err := os.ReadFile(next)
	if err != nil {
		t.Fatal(err)
	}
	put(data, time.Now().Add(2*time.Second))
	if renewed, err := pair.load(); err != nil || renewed == first {
		t.Errorf("after the renewal: %v, the same: %v", err, renewed == first)
	}
}
