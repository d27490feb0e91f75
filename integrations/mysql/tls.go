package mysql

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
)

// TLS says how a server proves who it is. There is no way not to ask: what
// others call preferred or skip-verify gives the password to anybody.
type TLS struct {
	CA []byte // certificates in PEM; none: those the system trusts
	// ServerName is the name in the certificate; empty: the host of the address.
	ServerName string
	// Instance is for Google Cloud SQL, whose certificates have no name but a
	// common name, "project:instance". It needs the instance's own CA.
	Instance string
}

var errInstance = errors.New("checking the certificate")

func (t TLS) config(host string) (*tls.Config, error) {
	c := &tls.Config{ServerName: host, MinVersion: tls.VersionTLS12}
	if t.ServerName != "" {
		c.ServerName = t.ServerName
	}
	if t.CA != nil {
		c.RootCAs = x509.NewCertPool()
		if !c.RootCAs.AppendCertsFromPEM(t.CA) {
			return nil, errors.New("there is no certificate in the CA")
		}
	}
	if t.Instance == "" {
		return c, nil
	}
	if t.CA == nil || t.ServerName != "" {
		return nil, errors.New("an instance needs its CA and no server name")
	}
	// Since Go 1.15 only the alternative names of a certificate are compared
	// (x509.Certificate.VerifyHostname), so both checks are made here.
	c.InsecureSkipVerify = true
	c.VerifyConnection = func(state tls.ConnectionState) error {
		server := state.PeerCertificates[0]
		between := x509.NewCertPool()
		for _, cert := range state.PeerCertificates[1:] {
			between.AddCert(cert)
		}
		if _, err := server.Verify(x509.VerifyOptions{Roots: c.RootCAs, Intermediates: between}); err != nil {
			return fmt.Errorf("%w: %w", errInstance, err)
		}
		if server.Subject.CommonName != t.Instance {
			return fmt.Errorf("%w: it is that of instance %q, not of %q", errInstance, server.Subject.CommonName, t.Instance)
		}
		return nil
	}
	return c, nil
}
