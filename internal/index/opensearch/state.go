package opensearch

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"
)

// state is what the index says of itself.
type state struct {
	apply uint64 // how many times Apply was called
	seq   uint64
	mark  string // the checkpoint under which the catalog knows it; see checkpointOf
}

// Phases of an Apply. The state of each shard is two documents: one is written before the changes, one after them. They differ
// while an Apply is running, or if it was interrupted.
const (
	phaseBegun = "begun"
	phaseDone  = "done"
)

// errInconsistent is returned while a part of an Apply is visible.
var errInconsistent = errors.New("another server is applying changes, or was interrupted")

// describe reads what the snapshot says of itself.
func (ix *Index) describe(ctx context.Context, s *snapshot) error {
	answers, err := ix.searchAll(ctx, s, []object{stateQuery(), {"size": 0, "track_total_hits": true, "query": everything}})
	if err != nil {
		return err
	}
	s.companies = answers[1].total()
	s.index, s.state, err = readState(answers[0])
	return err
}

// stateQuery returns the search for the states of all shards.
func stateQuery() object {
	return object{
		"size": 2 * shardsMax, "query": object{"exists": object{"field": "phase"}}, "docvalue_fields": []string{"phase", "apply", "seq", "mark", "of"},
		"stored_fields": "_none_", "track_total_hits": true,
	}
}

// shardsMax is the highest number of shards of an index.
const shardsMax = 1024

// readState returns the state of all shards and the index that has it. If they differ, the error is errInconsistent, and the state
// has the sequence number that every shard has reached, and the checkpoint of the newest Apply: a catalog that has it also has
// everything that the shards may have a part of.
func readState(a *answer) (name string, s state, err error) {
	var first uint64
	shards, done := 0, false
	for i, h := range a.Hits.Hits {
		var one struct {
			state
			of    int
			phase string
		}
		for field, to := range map[string]any{"phase": &one.phase, "apply": &one.apply, "seq": &one.seq, "mark": &one.mark, "of": &one.of} {
			if v := h.Fields[field]; len(v) > 0 {
				if err := json.Unmarshal(v[0], to); err != nil {
					return "", state{}, unavailable(fmt.Errorf("read the state of the index: %w", err))
				}
			}
		}
		if i == 0 {
			name, first, shards = h.Index, one.apply, one.of
		}
		if h.Index != name || one.apply != first {
			err = errInconsistent
		}
		if one.apply > s.apply || one.apply == s.apply && one.mark > s.mark {
			s.apply, s.mark = one.apply, one.mark
		}
		if one.phase == phaseDone && (!done || one.seq < s.seq) {
			s.seq, done = one.seq, true
		}
	}
	if len(a.Hits.Hits) != 2*shards {
		err = errInconsistent
	}
	return name, s, err
}

// follow looks for changes that other servers have applied, until the index is closed.
func (ix *Index) follow(ctx context.Context) {
	ticker := time.NewTicker(ix.options.Poll)
	defer ticker.Stop()
	failing := false
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		err := ix.poll(ctx)
		if err != nil && ctx.Err() == nil && !failing {
			ix.options.Log.WarnContext(ctx, "search index does not answer", "error", err)
		}
		failing = err != nil
	}
}

// poll takes a new snapshot if the index has changed.
func (ix *Index) poll(ctx context.Context) error {
	if !ix.applying.TryLock() { // Apply takes one itself
		return nil
	}
	defer ix.applying.Unlock()
	if ix.foreign != nil {
		return nil
	}
	current := ix.acquire()
	defer ix.release(current)
	var a answer
	err := ix.client.do(ctx, http.MethodPost, "/"+ix.target()+"/_search?allow_partial_search_results=false&filter_path="+url.QueryEscape(answerFields),
		stateQuery(), &a)
	switch {
	case isMissing(err) && current.pit == "":
		return nil
	case isMissing(err):
		return ix.reload(ctx, current)
	case err != nil:
		return err
	}
	if err := a.complete(); err != nil {
		return err
	}
	name, s, _ := readState(&a)                                                         // reload says what is wrong
	if name == current.index && (s == current.state || s.apply < current.state.apply) { // a copy may lag behind
		return nil
	}
	return ix.reload(ctx, current)
}
