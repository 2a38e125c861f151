package app

import (
	"crypto/tls"
	"crypto/x509"
	"net/netip"
	"os"
	"sync"
	"time"

	"github.com/callwright/callwright/internal/config"
	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/sip"
)

// sipTLS reads how SIP connections are secured.
func sipTLS(c *config.Config) (*sip.TLS, error) {
	out := &sip.TLS{}
	if (c.TLSCert == "") != (c.TLSKey == "") {
		return nil, domain.Invalid("tls-cert", "--tls-cert and --tls-key belong together; give both or none")
	}
	if c.TLSCert != "" {
		pair := &keyPair{cert: c.TLSCert, key: c.TLSKey}
		if _, err := pair.load(); err != nil {
			return nil, domain.Invalid("tls-cert", "--tls-cert %s and --tls-key %s cannot be used: %v", c.TLSCert, c.TLSKey, err)
		}
		out.Certificate = pair.load
	}
	if c.SIPTLS != "" {
		addr, err := netip.ParseAddrPort(c.SIPTLS)
		if err != nil {
			return nil, domain.Invalid("sip-tls", "--sip-tls %q is not an IP address and port; write it like 127.0.0.1:5061", c.SIPTLS)
		}
		if out.Certificate == nil {
			return nil, domain.Invalid("sip-tls", "--sip-tls needs a certificate: give --tls-cert and --tls-key")
		}
		out.Listen = addr
	}
	if c.TLSCA != "" {
		pem, err := os.ReadFile(c.TLSCA)
		if err != nil {
			return nil, domain.Invalid("tls-ca", "--tls-ca cannot be read: %v", err)
		}
		out.Roots = x509.NewCertPool()
		if !out.Roots.AppendCertsFromPEM(pem) {
			return nil, domain.Invalid("tls-ca", "--tls-ca %s holds no certificate in PEM", c.TLSCA)
		}
	}
	return out, nil
}

// keyPair is a certificate on disk. It is read again when it was renewed there,
// so that a renewal needs no restart.
type keyPair struct {
	cert, key string

	mu     sync.Mutex
	loaded *tls.Certificate
	of     time.Time // of the certificate's file
}

// load returns the certificate; when a new one cannot be read, which happens
// while it is written, the one that was there.
func (p *keyPair) load() (*tls.Certificate, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	info, err := os.Stat(p.cert)
	if err == nil && p.loaded != nil && info.ModTime().Equal(p.of) {
		return p.loaded, nil
	}
	pair, loadErr := tls.LoadX509KeyPair(p.cert, p.key)
	if err == nil {
		err = loadErr
	}
	if err == nil {
		p.loaded, p.of = &pair, info.ModTime()
	}
	if p.loaded != nil {
		return p.loaded, nil
	}
	return nil, err
}
