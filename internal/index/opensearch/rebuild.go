package opensearch

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/opencapi/capi/internal/index"
)

// Rebuild calls fill with a new, empty index, such as for indexing.Follower.Build, and when fill returns nil lets the new index
// take the place of this one in one step, for all servers. Searches use the old one until then. The old one is kept for
// as long as cursors may need it, or until the next Rebuild. After an error the new index is deleted.
func (ix *Index) Rebuild(ctx context.Context, fill func(ctx context.Context, fresh index.Index) error) error {
	if err := ix.rebuild(ctx, fill); err != nil {
		return fmt.Errorf("rebuild the index %s in OpenSearch: %w", ix.options.Name, err)
	}
	return nil
}

func (ix *Index) rebuild(ctx context.Context, fill func(ctx context.Context, fresh index.Index) error) error {
	old, err := ix.resolve(ctx)
	if err != nil {
		return err
	}
	if err := ix.removeOthers(ctx, old); err != nil {
		return err
	}
	name, err := ix.create(ctx)
	if err != nil {
		return err
	}
	fresh := &Index{options: ix.options, client: ix.client.shared(), fixed: name, stop: func() {}, current: &snapshot{}, loading: newLoading()}
	err = errors.Join(ix.fill(ctx, fresh, fill), fresh.Close())
	if err == nil {
		err = ix.swap(ctx, name, old)
	}
	if err != nil {
		cleanup, cancel := context.WithTimeout(context.WithoutCancel(ctx), ix.options.Timeout)
		defer cancel()
		return errors.Join(err, ix.remove(cleanup, name))
	}
	ix.applying.Lock()
	ix.foreign = nil
	ix.applying.Unlock()
	if old != "" {
		ix.retire(old)
	}
	return ix.reload(ctx, nil)
}

// fill fills the new index until it has what this one has, which other servers may go on changing.
func (ix *Index) fill(ctx context.Context, fresh *Index, fill func(ctx context.Context, fresh index.Index) error) error {
	for range 10 { // they may be faster
		if err := fill(ctx, fresh); err != nil {
			return err
		}
		if err := ix.poll(ctx); err != nil {
			return err
		}
		if fresh.Seq() >= ix.Seq() {
			break
		}
	}
	return nil
}

// retire deletes an index once no cursor needs it, while this process runs.
func (ix *Index) retire(name string) {
	ix.inBackground(func() {
		select {
		case <-ix.closed:
			return
		case <-time.After(ix.options.Remember):
		}
		ctx, cancel := context.WithTimeout(context.Background(), 4*ix.options.Timeout)
		defer cancel()
		if err := ix.remove(ctx, name); err != nil {
			ix.options.Log.WarnContext(ctx, "the replaced index was not deleted; the next rebuild deletes it", "index", name, "error", err)
		}
	})
}

// create creates an empty index, which the alias does not stand for yet.
func (ix *Index) create(ctx context.Context) (string, error) {
	var random [3]byte
	_, _ = rand.Read(random[:]) // never fails
	name := fmt.Sprintf("%s-%s-%s", ix.options.Name, time.Now().UTC().Format("20060102150405"), hex.EncodeToString(random[:]))
	of := meta{Version: formatVersion, Name: ix.options.Name}
	if ix.options.Source != nil {
		var err error
		if of.Origin, _, err = ix.options.Source.Origin(ctx); err != nil {
			return "", err
		}
	}
	body := object{"settings": object{"index": settings(ix.options)}, "mappings": mapping(of)}
	if err := ix.client.write(ctx, http.MethodPut, "/"+name, body, nil); err != nil {
		return "", fmt.Errorf("create the index: %w", refusedUser(err))
	}
	return name, nil
}

// swap lets the alias stand for another index in one step. It fails if it does not stand for old any more.
func (ix *Index) swap(ctx context.Context, to, old string) error {
	actions := []object{{"add": object{"index": to, "alias": ix.options.Name}}}
	if old != "" {
		actions = append(actions, object{"remove": object{"index": old, "alias": ix.options.Name, "must_exist": true}})
	}
	if err := ix.client.write(ctx, http.MethodPost, "/_aliases", object{"actions": actions}, nil); err != nil {
		return fmt.Errorf("point the alias to %s: %w", to, err)
	}
	if now, err := ix.resolve(ctx); err != nil || now != to {
		return errors.Join(err, fmt.Errorf("the alias stands for %q instead of %s, because another server has changed it", now, to))
	}
	return nil
}

// remove deletes an index, if it exists.
func (ix *Index) remove(ctx context.Context, name string) error {
	if err := ix.client.write(ctx, http.MethodDelete, "/"+name, nil, nil); err != nil && !isMissing(err) {
		return fmt.Errorf("delete the index %s: %w", name, err)
	}
	return nil
}

// removeOthers deletes the indexes that were made for the alias, except one: what earlier rebuilds have replaced, or not finished.
func (ix *Index) removeOthers(ctx context.Context, except string) error {
	all, err := ix.indexes(ctx, ix.options.Name+"-*")
	if err != nil {
		return err
	}
	for name, f := range all {
		if of := f.Mappings.Meta.CAPI; name != except && of != nil && of.Name == ix.options.Name {
			if err := ix.remove(ctx, name); err != nil {
				return err
			}
		}
	}
	return nil
}

// Stats describes an index.
type Stats struct {
	Name      string   `json:"name"`   // the alias
	Index     string   `json:"index"`  // what the alias stands for; empty if there is no index yet
	Others    []string `json:"others"` // indexes that a rebuild has replaced, or not finished
	Seq       uint64   `json:"seq"`    // the index contains the catalog's changes up to this sequence number
	Companies int      `json:"companies"`
	Bytes     int64    `json:"bytes"`     // of the primary shards
	Shards    int      `json:"shards"`    // primary shards
	Replicas  int      `json:"replicas"`  // copies of each
	Health    string   `json:"health"`    // green, yellow or red
	Snapshots int      `json:"snapshots"` // points in time that this server keeps open
	Server    string   `json:"server"`    // the version of OpenSearch
}

// Stats returns the stats of the index.
func (ix *Index) Stats(ctx context.Context) (Stats, error) {
	s := Stats{Name: ix.options.Name, Others: []string{}}
	var server struct {
		Version struct {
			Number string `json:"number"`
		} `json:"version"`
	}
	if err := ix.client.do(ctx, http.MethodGet, "/", nil, &server); err != nil {
		return s, err
	}
	s.Server = server.Version.Number
	if err := ix.reload(ctx, nil); err != nil {
		return s, err
	}
	ix.mu.Lock()
	s.Index, s.Seq, s.Companies, s.Snapshots = ix.current.index, ix.current.state.seq, ix.current.companies, len(ix.open)
	ix.mu.Unlock()
	all, err := ix.indexes(ctx, ix.options.Name+"-*")
	if err != nil {
		return s, err
	}
	for name, f := range all {
		if of := f.Mappings.Meta.CAPI; name != s.Index && of != nil && of.Name == ix.options.Name {
			s.Others = append(s.Others, name)
		}
	}
	slices.Sort(s.Others)
	if s.Index == "" {
		return s, nil
	}
	err = ix.addHealth(ctx, &s)
	return s, err
}

func (ix *Index) addHealth(ctx context.Context, s *Stats) error {
	var health struct {
		Indices map[string]struct {
			Status   string `json:"status"`
			Shards   int    `json:"number_of_shards"`
			Replicas int    `json:"number_of_replicas"`
		} `json:"indices"`
	}
	if err := ix.client.do(ctx, http.MethodGet, "/_cluster/health/"+s.Index+"?level=indices", nil, &health); err != nil {
		return err
	}
	s.Health, s.Shards, s.Replicas = health.Indices[s.Index].Status, health.Indices[s.Index].Shards, health.Indices[s.Index].Replicas
	var size struct {
		All struct {
			Primaries struct {
				Store struct {
					Bytes int64 `json:"size_in_bytes"`
				} `json:"store"`
			} `json:"primaries"`
		} `json:"_all"`
	}
	err := ix.client.do(ctx, http.MethodGet, "/"+s.Index+"/_stats/store", nil, &size)
	s.Bytes = size.All.Primaries.Store.Bytes
	return err
}

// Check returns nil if the cluster answers searches now, and otherwise a fault.IndexUnavailable that says why not.
func (ix *Index) Check(ctx context.Context) error {
	return ix.answered(ctx, func(s *snapshot) error {
		_, err := ix.count(ctx, s, everything)
		return err
	})
}
