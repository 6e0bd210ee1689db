package api

import (
	"context"
	"strings"
	"time"

	"github.com/opencapi/capi/internal/auth"
)

// DownloadResponse holds links to an export's file and its manifest.
type DownloadResponse struct {
	DownloadURL string    `json:"download_url" format:"uri" doc:"The link to the file."`
	ManifestURL string    `json:"manifest_url" format:"uri" doc:"Describes the file: rows, columns, SHA-256 and filters. Check a file against it with capi verify."`
	ExpiresAt   time.Time `json:"expires_at" doc:"When the links stop working."`

	ManifestSignatureURL *string `json:"manifest_signature_url" format:"uri" doc:"The signature of the manifest: a detached JWS over its exact bytes (RFC 7515, appendix F; algorithm EdDSA). Its key is in /.well-known/jwks.json. null if the server does not sign."`

	RowsAsOf *time.Time `json:"rows_as_of,omitempty" doc:"When the data in the file was read, if that was after the purchase: the file was deleted to save space, and was written again. It has the companies that were bought, and is free."`
}

func (s *server) downloadExport(ctx context.Context, caller auth.Caller, in *oneExportInput) (*DownloadResponse, error) {
	links, err := s.Exports.Download(ctx, caller, in.Export)
	if err != nil {
		return nil, err
	}
	return &DownloadResponse{
		DownloadURL: s.absolute(links.File), ManifestURL: s.absolute(links.Manifest), ExpiresAt: links.ExpiresAt,
		RowsAsOf: links.RowsAsOf, ManifestSignatureURL: orNull(s.absolute(links.Signature)),
	}, nil
}

// absolute returns link, completed by the server's public URL if it is only a path. The Host header is not used, because
// anyone who can send a request chooses it.
func (s *server) absolute(link string) string {
	if strings.HasPrefix(link, "/") {
		return s.PublicURL + link
	}
	return link
}
