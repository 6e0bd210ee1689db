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
	origin string // where the request was sent to, as https://host
}

func (in *downloadInput) from(r *http.Request) {
	scheme := "http"
	if r.TLS != nil || strings.EqualFold(r.Header.Get("X-Forwarded-Proto"), "https") {
		scheme = "https"
	}
	in.origin = scheme + "://" + r.Host
}

// DownloadResponse is the links to an export's file and its manifest.
type DownloadResponse struct {
	DownloadURL string    `json:"download_url" format:"uri"`
	ManifestURL string    `json:"manifest_url" format:"uri" doc:"What the file is: rows, columns, SHA-256, filters. capi verify checks a file by it."`
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

// absolute is a link as a client can follow it; a path is to what this server itself hands out.
func absolute(origin, link string) string {
	if strings.HasPrefix(link, "/") {
		return origin + link
	}
	return link
}
