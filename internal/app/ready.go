package app

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/opencapi/capi/internal/db/migrations"
	"github.com/opencapi/capi/internal/diskspace"
	"github.com/opencapi/capi/internal/index"
)

const (
	readyTimeout = 2 * time.Second
	lagMax       = time.Minute // the index catches up with an import of millions within seconds

	// diskFreeMinBytes is the space that purchases and their files need at least for a while. SQLite's log grows to 32 MB.
	diskFreeMinBytes = 64 << 20
)

// readiness answers /readyz: whether this server is ready for requests, and if not, why. The reasons are meant for people
// and contain no addresses.
type readiness struct {
	app *App
	lag func() time.Duration // how long the index has been behind the catalog

	space func(dir string) (diskspace.Space, error)
}

func (r readiness) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	ctx, cancel := context.WithTimeout(q.Context(), readyTimeout)
	defer cancel()
	body := struct {
		Status   string   `json:"status"`
		Index    string   `json:"index,omitempty"`
		Reasons  []string `json:"reasons,omitempty"`
		Warnings []string `json:"warnings,omitempty"`
	}{Status: "ready", Reasons: r.reasons(ctx)}
	if _, shared := r.app.RemoteIndex(); shared {
		body.Index, body.Warnings = r.app.indexName(), r.warnings(ctx)
	}
	status := http.StatusOK
	if len(body.Reasons) > 0 {
		body.Status, status = "not ready", http.StatusServiceUnavailable
		r.app.Log.WarnContext(ctx, "not ready", "reasons", body.Reasons)
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // the client may have disconnected
}

func (r readiness) reasons(ctx context.Context) (reasons []string) {
	if r.app.stopping.Load() {
		reasons = append(reasons, "the server is stopping")
	}
	version, err := r.app.DB.SchemaVersion(ctx)
	if err != nil {
		r.app.Log.WarnContext(ctx, "database does not answer", "error", err)
		return []string{"the database does not answer"}
	}
	if newest := migrations.Newest(r.app.DB.Name()); version < newest {
		reasons = append(reasons, fmt.Sprintf("the database schema has version %d, but this program needs version %d", version, newest))
	}
	if stored, ok := r.app.Index.(index.Stored); ok && stored.Stats().Lost {
		reasons = append(reasons, "part of the index was damaged and is being rebuilt")
	}
	if space, err := r.space(r.app.Config.Data); err == nil && space.FreeBytes < diskFreeMinBytes {
		reasons = append(reasons, fmt.Sprintf("the disk of the data directory has only %d MB left, which is too little for purchases and export files",
			space.FreeBytes>>20))
	}
	if _, shared := r.app.RemoteIndex(); shared {
		return reasons
	}
	return append(reasons, r.behind()...)
}

// warnings are about an index that all servers share. They do not make this server not ready, because another one could not do better,
// and everything but searches still works.
func (r readiness) warnings(ctx context.Context) []string {
	remote, shared := r.app.RemoteIndex()
	if !shared {
		return nil
	}
	if err := remote.Check(ctx); err != nil {
		r.app.Log.WarnContext(ctx, "OpenSearch does not answer", "error", err)
		return []string{"OpenSearch does not answer, so searches are refused for now"}
	}
	return r.behind()
}

// behind says that the index does not follow the catalog.
func (r readiness) behind() []string {
	lag := r.lag()
	if lag <= lagMax {
		return nil
	}
	return []string{fmt.Sprintf("the index has been behind the catalog for %s", lag.Round(time.Second))}
}
