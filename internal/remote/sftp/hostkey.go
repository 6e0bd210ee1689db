package sftp

import (
	"context"
	"errors"
	"net"
	"strings"

	"golang.org/x/crypto/ssh"

	"github.com/opencapi/capi/internal/reach"
)

// hostKeyTypes are the types of host keys, those first that are best to agree on.
var hostKeyTypes = []string{ssh.KeyAlgoED25519, ssh.KeyAlgoECDSA256, ssh.KeyAlgoECDSA384, ssh.KeyAlgoECDSA521, ssh.KeyAlgoRSA}

// ParseHostKey reads a host key as ssh-keyscan prints it, with or without the host, and as the file of a public key has it.
func ParseHostKey(text string) (ssh.PublicKey, error) {
	key, _, _, _, err := ssh.ParseAuthorizedKey([]byte(text))
	if err != nil {
		if _, rest, found := strings.Cut(strings.TrimSpace(text), " "); found {
			key, _, _, _, err = ssh.ParseAuthorizedKey([]byte(rest))
		}
	}
	return key, err
}

// Describe returns the type and the fingerprint of a key, as ssh shows them.
func Describe(key ssh.PublicKey) string { return key.Type() + " " + ssh.FingerprintSHA256(key) }

// Line returns a key in one line, which ParseHostKey reads.
func Line(key ssh.PublicKey) string {
	return strings.TrimSpace(string(ssh.MarshalAuthorizedKey(key)))
}

// errSeen ends a connection that was made to see the host key.
var errSeen = errors.New("seen")

// HostKeys returns the host keys that a server shows, at most one of each type. It does not sign in. The error of the last attempt is
// returned if it shows none.
func HostKeys(ctx context.Context, dial reach.Dial, address string) (keys []ssh.PublicKey, err error) {
	for _, keyType := range hostKeyTypes {
		var conn net.Conn
		if conn, err = reach.WithStallLimit(dial, stallMax)(ctx, "tcp", address); err != nil {
			break
		}
		stop := context.AfterFunc(ctx, func() { conn.Close() })
		_, _, _, err = ssh.NewClientConn(conn, address, &ssh.ClientConfig{
			HostKeyAlgorithms: algorithms(keyType),
			HostKeyCallback: func(_ string, _ net.Addr, key ssh.PublicKey) error {
				keys = append(keys, key)
				return errSeen
			},
		})
		stop()
		conn.Close()
	}
	if len(keys) > 0 {
		return keys, nil
	}
	return nil, err
}
