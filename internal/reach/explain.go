package reach

import (
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"strings"
	"syscall"
)

// Explain returns why an HTTP request got no answer, in whole sentences for people. It names no address, because those of our own
// network are not for others.
func Explain(err error) string {
	if refused, ok := errors.AsType[*Error](err); ok {
		return "Nothing was sent: " + refused.Error() + "."
	}
	if problem := CertificateProblem(err); problem != "" {
		return problem
	}
	var network net.Error
	switch op, _ := errors.AsType[*net.OpError](err); {
	case errors.As(err, &network) && network.Timeout():
		return "There was no answer in time."
	case isA[*net.DNSError](err):
		return "The host does not resolve to an address. Check its spelling."
	case errors.Is(err, syscall.ECONNREFUSED):
		return "The connection was refused. Check the host and the port, and that the receiver runs."
	case op != nil && op.Op == "dial":
		return "The host cannot be reached. Check the host and the port, and that the receiver runs."
	case errors.Is(err, http.ErrSchemeMismatch), isA[tls.RecordHeaderError](err), isA[tls.AlertError](err):
		return "The receiver does not accept encrypted connections at this port. Check the port."
	}
	return "The connection was cut before there was an answer, or the answer was not one of HTTP. Check the port and the receiver."
}

// CertificateProblem returns why the certificate of a server was not accepted, in whole sentences for people; empty if that was not the
// reason.
func CertificateProblem(err error) string {
	bad, ok := errors.AsType[*tls.CertificateVerificationError](err)
	if !ok {
		return ""
	}
	why, _ := strings.CutPrefix(bad.Err.Error(), "x509: ")
	return "The certificate of the server is not accepted: " + why + ". It must be valid for the host, and issued by an authority that is trusted publicly."
}

func isA[E error](err error) bool {
	_, ok := errors.AsType[E](err)
	return ok
}
