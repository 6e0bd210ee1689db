package simtest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"maps"
	"strings"
	"sync"

	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/delivery"
	"github.com/opencapi/capi/internal/destination"
	"github.com/opencapi/capi/internal/export"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/job"
	"github.com/opencapi/capi/internal/remote"
)

// place is where exports are delivered. It outlasts every process, and notes a manifest that comes before its file.
type place struct {
	mu          sync.Mutex
	files       map[string][]byte
	unexplained func(string)
}

// placeServer is the place as one process reaches it: each step of a delivery is one before which the process may crash.
type placeServer struct {
	*place
	life  *lifetime
	fault func() error
}

func (p placeServer) Put(_ context.Context, path, _ string, fn func(io.Writer) error) error {
	if err := p.life.step("delivery"); err != nil {
		return err
	}
	if err := p.fault(); err != nil {
		return &remote.Error{Reason: remote.Full, Message: "The place is full.", Err: err}
	}
	var content bytes.Buffer
	if err := fn(&content); err != nil {
		return err
	}
	if err := p.life.step("appearance of what is delivered"); err != nil {
		return err
	}
	p.put(path, content.Bytes())
	return p.life.step("confirmation of the delivery")
}

func (p *place) put(path string, content []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.files[path] = content
	if file, isManifest := fileOf(path); isManifest {
		if err := p.fits(file, content); err != nil {
			p.unexplained(err.Error())
		}
	}
}

// fileOf returns the path of the file of a manifest, and whether the path is that of a manifest.
func fileOf(path string) (string, bool) {
	file, isManifest := strings.CutSuffix(path, ".manifest.json")
	return strings.TrimPrefix(file, "_"), isManifest
}

// fits returns an error unless the file is there and is what the manifest says.
func (p *place) fits(file string, manifest []byte) error {
	m, err := export.ParseManifest(bytes.NewReader(manifest))
	if err != nil {
		return fmt.Errorf("the manifest of %s: %w", file, err)
	}
	content, there := p.files[file]
	if sum := fmt.Sprintf("%x", sha256.Sum256(content)); !there || sum != m.SHA256 {
		return fmt.Errorf("the manifest of %s is delivered, but not the file that it describes", file)
	}
	return nil
}

func (p placeServer) Delete(_ context.Context, path string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.files, path)
	return nil
}

func (placeServer) Close() error { return nil }

// handlers are those of all jobs of the simulation.
func (n *node) handlers() map[string]job.Handler {
	all := n.Exports.Handlers()
	maps.Copy(all, n.Deliveries.Handlers())
	return all
}

// newDestination creates a destination of the workspace.
func (s *simulation) newDestination(ctx context.Context, n *node, ws id.Workspace) string {
	made, err := n.Destinations.Create(ctx, destination.Destination{
		Workspace: ws, Name: "Sim", Kind: destination.S3, Bucket: destination.Bucket{Name: "simulation", Region: "eu-central-1", AccessKey: "sim"},
	}, destination.Secrets{SecretKey: "sim"})
	s.must(err, n)
	return made.ID.String()
}

// checkDeliveries has what is not delivered delivered again, by work, and then checks that each completed export with a destination is there whole.
func (s *simulation) checkDeliveries(ctx context.Context, n *node, work func()) error {
	type row struct {
		export id.Export
		ws     id.Workspace
		state  delivery.State
	}
	read := func() ([]row, error) {
		return db.Collect(ctx, s.raw.Read(), func(r db.Row) (v row, err error) { return v, r.Scan(&v.export, &v.ws, &v.state) },
			`SELECT d.export_id, d.workspace_id, d.state FROM export_delivery d JOIN export e ON e.id = d.export_id WHERE e.status = 'completed'`)
	}
	rows, err := read()
	if err != nil {
		return err
	}
	for _, r := range rows {
		if r.state == delivery.Failed {
			if _, err := n.Deliveries.Again(ctx, r.ws, r.export); err != nil {
				return fmt.Errorf("deliver export %s again: %w", r.export, err)
			}
		}
	}
	work()
	if rows, err = read(); err != nil {
		return err
	}
	s.place.mu.Lock()
	defer s.place.mu.Unlock()
	var wrong []error
	whole := map[string]int{}
	for path, content := range s.place.files {
		if file, isManifest := fileOf(path); isManifest {
			whole[file]++
			wrong = append(wrong, s.place.fits(file, content))
		}
	}
	for path := range s.place.files {
		if !strings.HasPrefix(path, "_") && whole[path] != 1 {
			wrong = append(wrong, fmt.Errorf("%s is delivered without its manifest", path))
		}
	}
	for _, r := range rows {
		found := 0
		for file := range whole {
			if strings.Contains(file, r.export.String()) {
				found++
			}
		}
		if r.state != delivery.Delivered || found != 1 {
			wrong = append(wrong, fmt.Errorf("the delivery of export %s is %s, and %d files of it are there", r.export, r.state, found))
		}
	}
	s.deliveries += len(rows)
	return errors.Join(wrong...)
}
