package app

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/opencapi/capi/internal/db/migrations"
	"github.com/opencapi/capi/internal/index"
)

const (
	readyTimeout = 2 * time.Second
	lagMax       = time.Minute // an import of millions is followed within seconds
)

// readiness tells whether requests should come here, and if not, why. The reasons are for people, and tell no address.
type readiness struct {
	app *App
	lag func() time.Duration // for how long the index has been behind
}

func (r readiness) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	ctx, cancel := context.WithTimeout(q.Context(), readyTimeout)
	defer cancel()
	body := struct {
		Status  string   `json:"status"`
		Reasons []string `json:"reasons,omitempty"`
	}{"ready", r.reasons(ctx)}
	status := http.StatusOK
	if len(body.Reasons) > 0 {
		body.Status, status = "not ready", http.StatusServiceUnavailable
		r.app.Log.WarnContext(ctx, "not ready", "reasons", body.Reasons)
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // who has gone does not want to know
}

func (r readiness) reasons(ctx context.Context) (reasons []string) {
	version, err := r.app.DB.SchemaVersion(ctx)
	if err != nil {
		r.app.Log.WarnContext(ctx, "the database does not answer", "error", err)
		return []string{"the database does not answer"}
	}
	if newest := migrations.Newest(r.app.DB.Name()); version < newest {
		reasons = append(reasons, fmt.Sprintf("the database's schema has version %d, the program needs %d", version, newest))
	}
	if stored, ok := r.app.Index.(index.Stored); ok && stored.Stats().Lost {
		reasons = append(reasons, "a part of the index was damaged, and is being made anew")
	}
	if lag := r.lag(); lag > lagMax {
		reasons = append(reasons, fmt.Sprintf("the index has been behind the catalog for %s", lag.Round(time.Second)))
	}
	return reasons
}
