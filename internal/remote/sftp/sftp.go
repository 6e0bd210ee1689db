// Package sftp writes files to a folder of an SFTP server. It connects only to a server that has the host key that was agreed on.
package sftp

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"path"
	"strings"
	"time"

	"github.com/pkg/sftp"
	"golang.org/x/crypto/ssh"

	"github.com/opencapi/capi/internal/reach"
	"github.com/opencapi/capi/internal/remote"
)

const (
	stallMax    = 60 * time.Second
	bufferBytes = 1 << 20
	fsyncName   = "fsync@openssh.com"
	renameName  = "posix-rename@openssh.com"
	statName    = "statvfs@openssh.com"

	// The status codes of version 6 of the protocol that say that there is no room. OpenSSH says only that it failed.
	noSpace       = 14
	quotaExceeded = 15
)

// Options say where a server is and what opens it.
type Options struct {
	Address string // host:port
	User    string
	Auth    ssh.AuthMethod
	HostKey ssh.PublicKey
	Dial    reach.Dial
}

// Server is an SFTP server. It is connected by the first call.
type Server struct {
	options Options
	conn    net.Conn
	client  *sftp.Client
}

var _ remote.Server = (*Server)(nil)

// Open returns the server. It does not connect.
func Open(o Options) *Server { return &Server{options: o} }

// errHostKey says that a server has another host key.
var errHostKey = errors.New("another host key")

func (s *Server) connect(ctx context.Context) error {
	if s.client != nil {
		return nil
	}
	o := s.options
	conn, err := reach.WithStallLimit(o.Dial, stallMax)(ctx, "tcp", o.Address)
	if err != nil {
		return s.explainDial(ctx, err)
	}
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	var shown ssh.PublicKey
	secure, channels, requests, err := ssh.NewClientConn(conn, o.Address, &ssh.ClientConfig{
		User: o.User, Auth: []ssh.AuthMethod{o.Auth}, HostKeyAlgorithms: algorithms(o.HostKey.Type()),
		HostKeyCallback: func(_ string, _ net.Addr, key ssh.PublicKey) error {
			if shown = key; !bytes.Equal(key.Marshal(), o.HostKey.Marshal()) {
				return errHostKey
			}
			return nil
		},
	})
	if err != nil {
		conn.Close()
		return s.explainHandshake(ctx, shown, err)
	}
	client, err := sftp.NewClient(ssh.NewClient(secure, channels, requests), sftp.UseConcurrentWrites(true))
	if err != nil {
		conn.Close()
		return say(ctx, remote.Refused, err, "%s lets the user %s in, but offers no SFTP.", o.Address, o.User)
	}
	s.conn, s.client = conn, client
	return nil
}

// algorithms returns those by which a server shows a host key of the type.
func algorithms(keyType string) []string {
	if keyType == ssh.KeyAlgoRSA {
		return []string{ssh.KeyAlgoRSASHA512, ssh.KeyAlgoRSASHA256, ssh.KeyAlgoRSA}
	}
	return []string{keyType}
}

// Put writes the file under another name beside its own and renames it when it is complete.
func (s *Server) Put(ctx context.Context, name, _ string, fn func(io.Writer) error) error {
	if err := s.connect(ctx); err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, func() { s.conn.Close() })
	defer stop()
	part := path.Join(path.Dir(name), "."+path.Base(name)+".part")
	f, err := s.create(part)
	if err != nil {
		return s.explain(ctx, name, err)
	}
	sent := &remote.Writer{To: f}
	buffer := bufio.NewWriterSize(sent, bufferBytes)
	err = fn(buffer)
	if err == nil {
		err = buffer.Flush()
	}
	switch {
	case err == nil:
		if err = s.keep(f); err == nil {
			err = s.rename(part, name)
		}
		err = s.explain(ctx, name, err)
	case sent.Err != nil:
		err = s.explain(ctx, name, sent.Err) // as long as the unfinished file fills the disk
		f.Close()
	default:
		f.Close()
	}
	if err != nil {
		_ = s.client.Remove(part) // if it stays, the next attempt replaces it
	}
	return err
}

// create opens an empty file, and makes its folders if they are missing.
func (s *Server) create(name string) (*sftp.File, error) {
	const flags = os.O_WRONLY | os.O_CREATE | os.O_TRUNC
	f, err := s.client.OpenFile(name, flags)
	if !errors.Is(err, fs.ErrNotExist) {
		return f, err
	}
	for i, r := range name {
		if r == '/' && i > 0 {
			_ = s.client.Mkdir(name[:i]) // fails for a folder that exists; what matters is whether the file can be opened then
		}
	}
	return s.client.OpenFile(name, flags)
}

// keep closes a file after the server has brought it to its disk, if it knows how to.
func (s *Server) keep(f *sftp.File) error {
	var err error
	if _, can := s.client.HasExtension(fsyncName); can {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

// rename replaces a file. A server that cannot do so in one step is asked to delete the earlier one first.
func (s *Server) rename(from, to string) error {
	if _, can := s.client.HasExtension(renameName); can {
		return s.client.PosixRename(from, to)
	}
	err := s.client.Rename(from, to)
	if err == nil {
		return nil
	}
	if removeErr := s.client.Remove(to); removeErr != nil {
		return err
	}
	return s.client.Rename(from, to)
}

// Delete deletes a file.
func (s *Server) Delete(ctx context.Context, name string) error {
	if err := s.connect(ctx); err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, func() { s.conn.Close() })
	defer stop()
	return s.explain(ctx, name, s.client.Remove(name))
}

// Close ends the connection.
func (s *Server) Close() error {
	if s.client == nil {
		return nil
	}
	return errors.Join(s.client.Close(), s.conn.Close())
}

func say(ctx context.Context, reason remote.Reason, err error, format string, args ...any) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return &remote.Error{Reason: reason, Message: fmt.Sprintf(format, args...), Err: err}
}

func (s *Server) explainDial(ctx context.Context, err error) error {
	if refused, ok := errors.AsType[*reach.Error](err); ok {
		return say(ctx, remote.NotAllowed, err, "Nothing was sent: %s.", refused)
	}
	return say(ctx, remote.Unreachable, err, "%s cannot be reached. Check the host and the port, and that the server runs.", s.options.Address)
}

// explainHandshake returns why there is no connection. shown is the host key of the server, nil if it has not shown one.
func (s *Server) explainHandshake(ctx context.Context, shown ssh.PublicKey, err error) error {
	o := s.options
	var negotiation *ssh.AlgorithmNegotiationError
	var network net.Error
	switch {
	case errors.Is(err, errHostKey):
		return say(ctx, remote.HostKeyChanged, err, "Nothing was sent: %s has another host key than before (%s, not %s). If its operator has changed the key, "+
			"change the destination; otherwise somebody may be in between.", o.Address, Describe(shown), Describe(o.HostKey))
	case errors.As(err, &negotiation):
		return say(ctx, remote.HostKeyChanged, err, "Nothing was sent: %s no longer offers its host key %s. If its operator has changed the key, change the destination.",
			o.Address, Describe(o.HostKey))
	case shown == nil:
		return say(ctx, remote.Unreachable, err, "%s does not answer as an SSH server, or the connection was cut. Check the host and the port.", o.Address)
	case errors.As(err, &network), errors.Is(err, io.EOF):
		return say(ctx, remote.Unreachable, err, "%s cut the connection while the user %s signed in.", o.Address, o.User)
	}
	return say(ctx, remote.BadCredentials, err, "%s does not let the user %s in. Check the user and the password or private key.", o.Address, o.User)
}

// explain returns why a file could not be written, in plain words; nil if it could.
func (s *Server) explain(ctx context.Context, name string, err error) error {
	if err == nil {
		return nil
	}
	o := s.options
	var status *sftp.StatusError
	code := uint32(0)
	if errors.As(err, &status) {
		code = status.Code
	}
	switch {
	case errors.Is(err, fs.ErrPermission):
		return say(ctx, remote.AccessDenied, err, "%s does not allow the user %s to write to %s.", o.Address, o.User, path.Dir(name))
	case errors.Is(err, fs.ErrNotExist):
		return say(ctx, remote.NoSuchPlace, err, "There is no folder %s at %s, and it could not be made.", path.Dir(name), o.Address)
	case code == noSpace, code == quotaExceeded, code != 0 && s.isFull(name):
		return say(ctx, remote.Full, err, "%s is full: there is no room for %s. Make room, then deliver again.", o.Address, path.Base(name))
	case code != 0:
		return say(ctx, remote.Refused, err, "%s failed to write %s and gave no reason (%s). Often a disk or quota is full, or a folder has the name of the file.",
			o.Address, name, strings.TrimPrefix(status.Error(), "sftp: "))
	}
	return say(ctx, remote.Unreachable, err, "The connection to %s was cut.", o.Address)
}

// isFull reports whether the server says that the disk of a file has no room.
func (s *Server) isFull(name string) bool {
	if _, can := s.client.HasExtension(statName); !can {
		return false
	}
	disk, err := s.client.StatVFS(path.Dir(name))
	return err == nil && disk.Bavail == 0
}
