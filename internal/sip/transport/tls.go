package transport

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/netip"
	"strings"
)

// Security says how connections are secured. There is no way to talk to a peer whose
// certificate was not checked.
type Security struct {
	// Listen takes TLS connections; port 0 takes any free one. Not valid: nobody
	// is let in, but peers are still called over TLS.
	Listen netip.AddrPort
	// Certificate is ours, asked for with each connection so that it can be
	// renewed. Needed to listen; also shown to servers that want one.
	Certificate func() (*tls.Certificate, error)
	// Roots are who is believed to vouch for a peer; nil: whom the system
	// believes. A self-signed certificate among them is as good as pinned. With
	// Roots, callers may show certificates too, and wrong ones are refused.
	Roots *x509.CertPool
}

// serverTLS is the configuration of the listener.
func (t *Security) serverTLS() (*tls.Config, error) {
	if t.Certificate == nil {
		return nil, fmt.Errorf("sip: TLS cannot be listened for at %s without a certificate", t.Listen)
	}
	if _, err := t.Certificate(); err != nil {
		return nil, fmt.Errorf("sip: TLS certificate: %w", err)
	}
	c := &tls.Config{
		MinVersion:     tls.VersionTLS12,
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return t.Certificate() },
	}
	if t.Roots != nil {
		c.ClientAuth, c.ClientCAs = tls.VerifyClientCertIfGiven, t.Roots
	}
	return c, nil
}

// clientTLS is the configuration of a connection to the peer of that name.
func (t *Security) clientTLS(name string) *tls.Config {
	c := &tls.Config{
		MinVersion: tls.VersionTLS12,
		ServerName: name, // SNI too, when it is no IP address
		// crypto/tls knows nothing of the SIP identities in a certificate. Chain and
		// name are checked by VerifyConnection instead, which always runs.
		InsecureSkipVerify: true, //nolint:gosec // see above
		VerifyConnection:   func(s tls.ConnectionState) error { return t.verify(s, name) },
	}
	if t.Certificate != nil {
		c.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return t.Certificate() }
	}
	return c
}

// verify checks a server's chain and that it is the peer of that name.
func (t *Security) verify(s tls.ConnectionState, name string) error {
	if len(s.PeerCertificates) == 0 {
		return fmt.Errorf("%s shows no certificate", name)
	}
	between := x509.NewCertPool()
	for _, c := range s.PeerCertificates[1:] {
		between.AddCert(c)
	}
	leaf := s.PeerCertificates[0]
	if _, err := leaf.Verify(x509.VerifyOptions{Roots: t.Roots, Intermediates: between}); err != nil {
		return err
	}
	return identifies(leaf, name)
}

// identifies reports whether a certificate belongs to the SIP domain or address
// (RFC 5922 section 7.1): its SIP URIs count when it has any, else its DNS names
// and addresses. A user part makes a URI somebody's own, not a domain's.
func identifies(cert *x509.Certificate, name string) error {
	domains := 0
	for _, uri := range cert.URIs {
		if !strings.EqualFold(uri.Scheme, "sip") || strings.Contains(uri.Opaque, "@") || uri.User != nil {
			continue
		}
		domains++
		host, _, _ := strings.Cut(uri.Opaque, ";")
		if uri.Host != "" { // written with slashes
			host = uri.Hostname()
		}
		if strings.EqualFold(host, name) {
			return nil
		}
	}
	if domains > 0 {
		return fmt.Errorf("the certificate is for other SIP domains than %s", name)
	}
	return cert.VerifyHostname(name)
}
