package api

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/opencapi/capi/internal/auth"
)

type downloadInput struct {
	oneExportInput
	origin string // the origin that the request was sent to, such as https://host
}

// from notes the origin of r.
func (in *downloadInput) from(r *http.Request) {
	scheme := "http"
	if r.TLS != nil || strings.EqualFold(r.Header.Get("X-Forwarded-Proto"), "https") {
		scheme = "https"
	}
	in.origin = scheme + "://" + r.Host
}

// DownloadResponse holds links to an export's file and its manifest.
type DownloadResponse struct {
	DownloadURL string    `json:"download_url" format:"uri"`
	ManifestURL string    `json:"manifest_url" format:"uri" doc:"Describes the file: rows, columns, SHA-256 and filters. Check a file against it with capi verify."`
	ExpiresAt   time.Time `json:"expires_at"`
}

func (s *server) downloadExport(ctx context.Context, caller auth.Caller, in *downloadInput) (*DownloadResponse, error) {
	links, err := s.Exports.Download(ctx, caller, in.Export)
	if err != nil {
		return nil, err
	}
	origin := in.origin
	if s.PublicURL != "" {
		origin = s.PublicURL
	}
	return &DownloadResponse{
		DownloadURL: absolute(origin, links.File), ManifestURL: absolute(origin, links.Manifest), ExpiresAt: links.ExpiresAt,
	}, nil
}

// absolute returns link, completed by origin if it is only a path.
func absolute(origin, link string) string {
	if strings.HasPrefix(link, "/") {
		return origin + link
	}
	return link
}
