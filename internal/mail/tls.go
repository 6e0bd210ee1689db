package mail

import "crypto/tls"

func tlsConfig(o Options) *tls.Config {
	return &tls.Config{ServerName: o.Host, RootCAs: o.Roots, MinVersion: tls.VersionTLS12}
}
