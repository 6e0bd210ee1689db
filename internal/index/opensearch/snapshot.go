package opensearch

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/opencapi/capi/internal/fault"
)

// snapshot is a state of the index that does not change: a point in time that OpenSearch keeps. It contains either all of what an
// Apply wrote or nothing of it.
type snapshot struct {
	pit       string // empty for an index that does not exist
	index     string // the index that the alias stood for
	state     state
	companies int
	broken    error // why it cannot be searched: it has a part of what an Apply wrote

	// Guarded by Index.mu.
	users     int
	keepUntil time.Time // for cursors

	known known
}

// known is what was looked up in a snapshot.
type known struct {
	mu     sync.Mutex
	counts map[string]int          // of ranked terms
	values map[string][]valueCount // by name of the field
}

// state is what the index says of itself.
type state struct {
	apply uint64 // how many times Apply was called
	seq   uint64
	mark  string // the checkpoint under which the catalog knows it
}

// Phases of an Apply. The state of each shard is two documents: one is written before the changes, one after them. They differ
// while an Apply is running, or if it was interrupted.
const (
	phaseBegun = "begun"
	phaseDone  = "done"
)

// errInconsistent is returned while a part of an Apply is visible.
var errInconsistent = errors.New("another server is applying changes, or was interrupted")

// answer is what OpenSearch answers to a search.
type answer struct {
	TimedOut bool `json:"timed_out"`
	Shards   struct {
		Failed int `json:"failed"`
	} `json:"_shards"`
	Hits struct {
		Total *struct {
			Value    int    `json:"value"`
			Relation string `json:"relation"`
		} `json:"total"`
		Hits []hit `json:"hits"`
	} `json:"hits"`
	Aggregations map[string]json.RawMessage `json:"aggregations"`
	Suggest      map[string][]struct {
		Options []struct {
			Text string `json:"text"`
			Freq int    `json:"freq"`
		} `json:"options"`
	} `json:"suggest"`
}

type hit struct {
	Index  string                       `json:"_index"`
	Sort   []json.RawMessage            `json:"sort"`
	Fields map[string][]json.RawMessage `json:"fields"`
}

const answerFields = "timed_out,_shards.failed,hits.total,hits.hits._index,hits.hits.sort,hits.hits.fields,aggregations,suggest"

// complete returns an error if the answer lacks a part of the index.
func (a *answer) complete() error {
	switch {
	case a.Shards.Failed > 0:
		return unavailable(fmt.Errorf("%d shards failed", a.Shards.Failed))
	case a.TimedOut:
		return unavailable(errors.New("the search timed out"))
	case a.Hits.Total != nil && a.Hits.Total.Relation != "eq":
		return unavailable(errors.New("the total is not exact"))
	}
	return nil
}

func (a *answer) total() int {
	if a.Hits.Total == nil {
		return 0
	}
	return a.Hits.Total.Value
}

// search asks the snapshot.
func (ix *Index) search(ctx context.Context, s *snapshot, body object) (*answer, error) {
	switch {
	case s.broken != nil:
		return nil, s.broken
	case s.pit == "":
		return &answer{}, nil
	}
	body["pit"] = object{"id": s.pit, "keep_alive": ix.keepAlive()}
	if _, ok := body["stored_fields"]; !ok {
		body["stored_fields"] = "_none_"
	}
	var a answer
	err := ix.client.do(ctx, http.MethodPost, "/_search?allow_partial_search_results=false&filter_path="+url.QueryEscape(answerFields), body, &a)
	if err != nil {
		return nil, err
	}
	return &a, a.complete()
}

// count returns how many documents of the snapshot each query matches.
func (ix *Index) count(ctx context.Context, s *snapshot, queries ...object) ([]int, error) {
	counts := make([]int, len(queries))
	bodies := make([]object, len(queries))
	for i, q := range queries {
		bodies[i] = object{"size": 0, "track_total_hits": true, "query": q}
	}
	answers, err := ix.searchAll(ctx, s, bodies)
	for i := range answers {
		counts[i] = answers[i].total()
	}
	return counts, err
}

// searchAll asks the snapshot several questions in one request.
func (ix *Index) searchAll(ctx context.Context, s *snapshot, bodies []object) ([]*answer, error) {
	answers := make([]*answer, len(bodies))
	if len(bodies) < 2 || s.pit == "" {
		for i := range bodies {
			var err error
			if answers[i], err = ix.search(ctx, s, bodies[i]); err != nil {
				return nil, err
			}
		}
		return answers, nil
	}
	var lines bytes.Buffer
	encoder := json.NewEncoder(&lines)
	for _, body := range bodies {
		body["pit"], body["stored_fields"] = object{"id": s.pit, "keep_alive": ix.keepAlive()}, "_none_"
		if err := errors.Join(encoder.Encode(object{"allow_partial_search_results": false}), encoder.Encode(body)); err != nil {
			return nil, err
		}
	}
	var all struct {
		Responses []json.RawMessage `json:"responses"`
	}
	if err := ix.client.do(ctx, http.MethodPost, "/_msearch", lines.Bytes(), &all); err != nil {
		return nil, err
	}
	if len(all.Responses) != len(bodies) {
		return nil, unavailable(fmt.Errorf("%d answers to %d searches", len(all.Responses), len(bodies)))
	}
	for i, raw := range all.Responses {
		var one struct {
			answer
			Status int `json:"status"`
		}
		if err := json.Unmarshal(raw, &one); err != nil {
			return nil, unavailable(fmt.Errorf("read an answer: %w", err))
		}
		if one.Status >= http.StatusMultipleChoices {
			return nil, refused(one.Status, raw)
		}
		if err := one.complete(); err != nil {
			return nil, err
		}
		answers[i] = &one.answer
	}
	return answers, nil
}

func (ix *Index) keepAlive() string {
	return fmt.Sprintf("%ds", int((ix.options.Remember + time.Minute).Seconds()))
}

// acquire returns the current snapshot; release must be called once it is not needed any more.
func (ix *Index) acquire() *snapshot {
	ix.mu.Lock()
	defer ix.mu.Unlock()
	ix.current.users++
	return ix.current
}

func (ix *Index) release(s *snapshot) {
	ix.mu.Lock()
	s.users--
	gone := ix.expired(time.Now())
	ix.mu.Unlock()
	ix.closeAll(gone)
}

// keep keeps the snapshot for a cursor.
func (ix *Index) keep(s *snapshot) {
	ix.mu.Lock()
	defer ix.mu.Unlock()
	s.keepUntil = time.Now().Add(ix.options.Remember)
}

// adopt makes the snapshot the current one.
func (ix *Index) adopt(s *snapshot) {
	ix.mu.Lock()
	ix.current = s
	if s.pit != "" {
		ix.open = append(ix.open, s)
	}
	gone := ix.expired(time.Now())
	ix.mu.Unlock()
	ix.closeAll(gone)
}

// expired removes and returns the snapshots that nothing needs, and the oldest if there are too many. It must be called with mu.
func (ix *Index) expired(now time.Time) (gone []*snapshot) {
	kept := 0
	for _, s := range ix.open {
		if s != ix.current && s.users == 0 && s.keepUntil.After(now) {
			kept++
		}
	}
	ix.open = slices.DeleteFunc(ix.open, func(s *snapshot) bool {
		if s == ix.current || s.users > 0 {
			return false
		}
		if s.keepUntil.After(now) {
			if kept <= ix.options.RememberMax {
				return false
			}
			kept-- // in the order in which they were opened
		}
		gone = append(gone, s)
		return true
	})
	return gone
}

// closeAll closes points in time, in the background: one that is not closed expires.
func (ix *Index) closeAll(snapshots []*snapshot) {
	var ids []string
	for _, s := range snapshots {
		if s.pit != "" {
			ids = append(ids, s.pit)
		}
	}
	if len(ids) == 0 {
		return
	}
	ix.inBackground(func() {
		ctx, cancel := context.WithTimeout(context.Background(), ix.options.Timeout)
		defer cancel()
		if err := ix.client.do(ctx, http.MethodDelete, "/_search/point_in_time", object{"pit_id": ids}, nil); err != nil && !isMissing(err) {
			ix.options.Log.DebugContext(ctx, "points in time were not closed; they expire", "error", err)
		}
	})
}

// inBackground runs fn in a goroutine that Close waits for. After Close it does nothing.
func (ix *Index) inBackground(fn func()) {
	ix.mu.Lock()
	defer ix.mu.Unlock()
	if !ix.closing {
		ix.background.Go(fn)
	}
}

// isLost reports whether a new point in time may not have the error.
func isLost(err error) bool {
	var r *refusal
	return errors.As(err, &r) && (r.status == http.StatusNotFound || r.lost)
}

// answered calls fn with the current snapshot, and once more with a new one if OpenSearch has lost it, as after a restart.
func (ix *Index) answered(ctx context.Context, fn func(*snapshot) error) error {
	for again := false; ; again = true {
		s := ix.acquire()
		err := fn(s)
		ix.release(s)
		if err == nil || again || !isLost(err) {
			return asFault(err)
		}
		if err := ix.reload(ctx, s); err != nil {
			return asFault(err)
		}
	}
}

// asFault returns the error for callers. What OpenSearch refuses is an internal error, except for what it has lost, and for filters
// that are too long for it.
func asFault(err error) error {
	var r *refusal
	switch {
	case isFault(err) || !errors.As(err, &r):
		return err
	case isLost(err):
		return unavailable(err)
	case strings.Contains(r.Kind+r.Reason, "maxClauseCount"), strings.Contains(r.Kind, "too_many"):
		return fault.Invalid(fault.FieldError{Field: "query", Message: "has too many words and phrases together with the other filters; " +
			"use fewer, or let the operator raise indices.query.bool.max_clause_count of OpenSearch"})
	}
	return err
}

// openTries is how often a snapshot is opened while another server makes changes visible, shard by shard.
const openTries = 20

// reload makes a new snapshot the current one, unless another goroutine has done so since old was the current one.
func (ix *Index) reload(ctx context.Context, old *snapshot) error {
	ix.loading.Lock()
	defer ix.loading.Unlock()
	ix.mu.Lock()
	done := old != nil && ix.current != old
	ix.mu.Unlock()
	if done {
		return nil
	}
	fresh, err := ix.openSnapshot(ctx, ix.newest())
	if err != nil {
		return err
	}
	if fresh.broken != nil {
		return fresh.broken
	}
	ix.adopt(fresh)
	return nil
}

// newest returns the state of the current snapshot and the index that it is of. A copy that lags behind may have an older one.
func (ix *Index) newest() stateOf {
	ix.mu.Lock()
	defer ix.mu.Unlock()
	return stateOf{ix.current.index, ix.current.state.apply}
}

// stateOf is how often changes were applied to an index.
type stateOf struct {
	index string
	apply uint64
}

// openSnapshot opens a point in time of what the alias stands for, not before a known state. It is an empty snapshot if there is no
// index, and a broken one if an Apply was interrupted.
func (ix *Index) openSnapshot(ctx context.Context, atLeast stateOf) (*snapshot, error) {
	var err error
	var last *snapshot
	for try := range openTries {
		if try > 0 {
			select {
			case <-ctx.Done():
				return nil, ctx.Err()
			case <-time.After(time.Duration(try) * 5 * time.Millisecond):
			}
		}
		preference := ""
		if try%4 == 3 { // a copy may lag behind
			preference = "&preference=_primary"
		}
		var s *snapshot
		if s, err = ix.openOnce(ctx, preference, atLeast); !errors.Is(err, errInconsistent) {
			return s, err
		}
		last = s
	}
	last.broken = unavailable(err)
	return last, nil
}

func (ix *Index) openOnce(ctx context.Context, preference string, atLeast stateOf) (*snapshot, error) {
	var opened struct {
		ID string `json:"pit_id"`
	}
	path := "/" + ix.target() + "/_search/point_in_time?allow_partial_pit_creation=false&keep_alive=" + ix.keepAlive() + preference
	err := ix.client.do(ctx, http.MethodPost, path, nil, &opened)
	if isMissing(err) {
		return &snapshot{}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("open a point in time: %w", err)
	}
	s := &snapshot{pit: opened.ID}
	err = ix.describe(ctx, s)
	if err == nil && s.index == atLeast.index && s.state.apply < atLeast.apply {
		err = errInconsistent
	}
	if err != nil {
		ix.closeAll([]*snapshot{{pit: s.pit}})
		return &snapshot{index: s.index, state: s.state}, err
	}
	return s, nil
}

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
// is that of the last Apply that was completed.
func readState(a *answer) (name string, s state, err error) {
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
			name, s.apply, shards = h.Index, one.apply, one.of
		}
		if h.Index != name || one.apply != s.apply {
			err = errInconsistent
			s.apply = max(s.apply, one.apply)
		}
		if one.phase == phaseDone && (!done || one.seq < s.seq) {
			s.seq, s.mark, done = one.seq, one.mark, true
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
