package destination

import (
	"context"
	"errors"
	"fmt"
	"net"
	"regexp"
	"strconv"
	"strings"
	"unicode"

	"golang.org/x/crypto/ssh"

	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/reach"
	"github.com/opencapi/capi/internal/remote"
	"github.com/opencapi/capi/internal/remote/sftp"
)

const (
	portOfSSH           = 22
	userLengthMax       = 100
	passwordLengthMax   = 500
	privateKeyLengthMax = 20_000
	fingerprintPrefix   = "SHA256:"
)

var hostName = regexp.MustCompile(`^[A-Za-z0-9._:-]{1,253}$`)

func (h Host) address() string { return net.JoinHostPort(h.Name, strconv.Itoa(h.Port)) }

// hostFaults normalises where an SFTP server is and returns what is wrong. If the rest is right, it asks the server for its host key:
// without a stated one, the error shows it, and a fingerprint becomes the key that it belongs to.
func (s *Destinations) hostFaults(ctx context.Context, h *Host, secrets Secrets) (errs []fault.FieldError) {
	bad := func(field, message string) {
		if message != "" {
			errs = append(errs, fault.FieldError{Field: field, Message: message})
		}
	}
	h.WithKey = secrets.PrivateKey != ""
	if h.Port == 0 {
		h.Port = portOfSSH
	}
	if h.Port < 1 || h.Port > 65535 {
		bad("sftp.port", "must be a number from 1 to 65535")
	}
	if !hostName.MatchString(h.Name) {
		bad("sftp.host", "must be the name or the address of a server, without sftp:// and without a folder")
	} else {
		bad("sftp.host", s.guard.CheckHost(ctx, h.Name, s.guard.Encrypted))
	}
	if h.User == "" || len(h.User) > userLengthMax || strings.ContainsFunc(h.User, unicode.IsControl) {
		bad("sftp.user", fmt.Sprintf("must be the name of a user, with at most %d characters", userLengthMax))
	}
	switch {
	case secrets.Password != "" && secrets.PrivateKey != "":
		bad("sftp.password", "must be missing beside a private_key")
	case secrets.Password == "" && secrets.PrivateKey == "":
		bad("sftp.password", "is required, or private_key in its place")
	case len(secrets.Password) > passwordLengthMax || len(secrets.PrivateKey) > privateKeyLengthMax:
		bad("sftp.password", "is too long, or the private key is")
	case secrets.PrivateKey != "":
		_, err := authentication(secrets)
		bad("sftp.private_key", privateKeyFault(err))
	}
	if len(errs) == 0 {
		bad("sftp.host_key", s.agree(ctx, h))
	}
	return errs
}

// authentication returns how to sign in with the secrets.
func authentication(secrets Secrets) (ssh.AuthMethod, error) {
	if secrets.PrivateKey == "" {
		return ssh.Password(secrets.Password), nil
	}
	var signer ssh.Signer
	var err error
	if secrets.Passphrase == "" {
		signer, err = ssh.ParsePrivateKey([]byte(secrets.PrivateKey))
	} else {
		signer, err = ssh.ParsePrivateKeyWithPassphrase([]byte(secrets.PrivateKey), []byte(secrets.Passphrase))
	}
	if err != nil {
		return nil, err
	}
	return ssh.PublicKeys(signer), nil
}

func privateKeyFault(err error) string {
	var missing *ssh.PassphraseMissingError
	switch {
	case err == nil:
		return ""
	case errors.As(err, &missing):
		return "is protected by a passphrase: send it as passphrase"
	}
	return "cannot be read: it must be a private key in the format of OpenSSH or PEM, with its first and last line, and the right passphrase if it has one"
}

// agree makes the host key the whole key in one line, and returns what is wrong with it.
func (s *Destinations) agree(ctx context.Context, h *Host) string {
	stated := strings.TrimSpace(h.HostKey)
	if stated != "" && !strings.Contains(stated, fingerprintPrefix) {
		key, err := sftp.ParseHostKey(stated)
		if err != nil {
			return "must be the host key in one line, as ssh-keyscan prints it, or its fingerprint, such as SHA256:…"
		}
		h.HostKey = sftp.Line(key)
		return ""
	}
	ctx, cancel := context.WithTimeout(ctx, s.options.Timeout)
	defer cancel()
	keys, err := sftp.HostKeys(ctx, s.guard.Dial(s.guard.Encrypted), h.address())
	if err != nil {
		if refused, ok := errors.AsType[*reach.Error](err); ok {
			return "cannot be looked up. Nothing was sent: " + refused.Error()
		}
		return "cannot be looked up: " + h.address() + " cannot be reached, or does not answer as an SSH server. Check the host and the port"
	}
	var shown []string
	for _, key := range keys {
		if strings.Contains(stated, ssh.FingerprintSHA256(key)) {
			h.HostKey = sftp.Line(key)
			return ""
		}
		shown = append(shown, sftp.Describe(key))
	}
	all := strings.Join(shown, ", ")
	if stated == "" {
		return "is required. The server shows " + all + ". Compare it with what the operator of that server says, then send one of these fingerprints as host_key"
	}
	return "is not the key of the server, which shows " + all + ". If its operator has changed the key, send the new one; otherwise somebody may be in between"
}

func (s *Destinations) openHost(h Host, secrets Secrets) (remote.Server, error) {
	key, err := sftp.ParseHostKey(h.HostKey)
	if err != nil {
		return nil, fmt.Errorf("read host key of %s: %w", h.address(), err)
	}
	auth, err := authentication(secrets)
	if err != nil {
		return nil, fmt.Errorf("read private key for %s: %w", h.address(), err)
	}
	return sftp.Open(sftp.Options{Address: h.address(), User: h.User, Auth: auth, HostKey: key, Dial: s.guard.Dial(s.guard.Encrypted)}), nil
}

// hostField returns the field of a request that is to be corrected.
func hostField(reason remote.Reason) string {
	switch reason {
	case remote.Unreachable, remote.NotAllowed:
		return "sftp.host"
	case remote.BadCredentials:
		return "sftp.user"
	case remote.HostKeyChanged:
		return "sftp.host_key"
	case remote.AccessDenied, remote.NoSuchPlace:
		return "prefix"
	case remote.Full, remote.Refused:
	}
	return "sftp"
}
