package opensearch

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/index"
)

// bulkMax is about the size of a request that writes documents, in bytes.
const bulkMax = 8 << 20

// Apply implements index.Index. Documents have the sequence number as their version, so that a change that arrives late, or
// again, never replaces a newer one; a removed company leaves a document without content for that. It returns an error without
// writing anything for a company whose number is above 2,147,483,647, the largest that OpenSearch can find in a set.
func (ix *Index) Apply(ctx context.Context, changes []index.Change, seq uint64) error {
	for _, c := range changes {
		if c.Number > numberMax {
			return fmt.Errorf("apply: company number %d is above %d, the largest of an index in OpenSearch", c.Number, numberMax)
		}
	}
	ix.applying.Lock()
	defer ix.applying.Unlock()
	if ix.foreign != nil {
		return fmt.Errorf("apply: %w", ix.foreign)
	}
	if err := ix.apply(ctx, changes, seq); err != nil {
		return fmt.Errorf("apply: %w", asFault(err))
	}
	return nil
}

func (ix *Index) apply(ctx context.Context, changes []index.Change, seq uint64) error {
	to, before, err := ix.writable(ctx)
	if err != nil {
		return err
	}
	if !ix.follows(before.seq) && seq > 0 { // rebuilt from an older state of the catalog, or deleted; a scan reads all of it anyway
		return index.ErrReplaced
	}
	next := state{before.apply + 1, seq, ""}
	if next.mark, err = ix.checkpoint(ctx, to.name, before.mark, seq); err != nil {
		return err
	}
	ix.uncertain = true
	if err := ix.writeChanges(ctx, to, changes, next); err != nil {
		ix.written = physical{} // it may have been deleted, or have lost its alias
		return err
	}
	fresh, err := ix.openSnapshot(ctx, stateOf{to.name, next.apply})
	switch {
	case err != nil:
		return err
	case fresh.broken != nil:
		return fresh.broken
	}
	ix.adopt(fresh)
	ix.applied, ix.uncertain = to.name, false
	if fresh.index != to.name || fresh.state != next {
		return unavailable(errors.New("another server has replaced the index, or applied changes to it"))
	}
	return nil
}

// checkpoint records in the catalog what the index contains next, and returns the checkpoint; empty during a scan. last is that of
// the state before. Without a catalog it is a name that nobody else knows.
//
// The checkpoints of this process are those of an index of its own to the catalog, which keeps the newest two of each. So a process
// that has lost the lease, and has not noticed, deletes none that the index may have from another one.
func (ix *Index) checkpoint(ctx context.Context, name, last string, seq uint64) (string, error) {
	if seq == 0 {
		return "", nil
	}
	if ix.writer == "" {
		ix.writer = rand.Text()
	}
	next := ix.writer + "/" + uuid.NewString()
	if ix.options.Source == nil {
		return next, nil
	}
	own, checkpoint := checkpointOf(name, next)
	of, keep := checkpointOf(name, last)
	if last != "" && of != own {
		if err := ix.checkKnown(ctx, name, last); err != nil {
			return "", err
		}
		keep = ""
	}
	return next, ix.options.Source.SaveCheckpoint(ctx, own, checkpoint, keep, seq)
}

// checkpointOf returns the checkpoint that a mark names, and the index of which the catalog has it: the physical index as one process
// writes it. The mark is the name of that process, a slash, and the checkpoint.
func checkpointOf(index, mark string) (of, checkpoint string) {
	writer, checkpoint, ok := strings.Cut(mark, "/")
	if !ok {
		return index, mark // written by a version that had no names of processes
	}
	return index + "/" + writer, checkpoint
}

// physical is an index that the alias stands for.
type physical struct {
	name   string
	shards []string // for each shard, a routing value that leads to it
}

// writable returns the index to write to, and its state. It creates the index if there is none, and replaces one whose first scan
// of the catalog was not finished by an earlier process, because companies may have been removed since.
func (ix *Index) writable(ctx context.Context) (physical, state, error) {
	found, err := ix.resolve(ctx)
	if err != nil {
		return physical{}, state{}, err
	}
	current := ix.acquire()
	defer ix.release(current)
	before := current.state
	if found != "" && (found != current.index || ix.uncertain) { // replaced by another server, or an Apply was interrupted
		fresh, err := ix.openSnapshot(ctx, ix.newest())
		if err != nil {
			return physical{}, state{}, err
		}
		before = fresh.state
		if fresh.broken == nil {
			ix.adopt(fresh)
		}
	}
	if found == "" || ix.applied != found && before.apply > 0 && before.seq == 0 {
		fresh, err := ix.create(ctx)
		if err != nil {
			return physical{}, state{}, err
		}
		if err := ix.swap(ctx, fresh, found); err != nil {
			return physical{}, state{}, err
		}
		if found != "" {
			if err := ix.remove(ctx, found); err != nil {
				return physical{}, state{}, err
			}
		}
		found, before = fresh, state{}
	}
	shards, err := ix.shardsOf(ctx, found)
	return physical{found, shards}, before, err
}

// shardsOf returns for each shard of an index a routing value that leads to it.
func (ix *Index) shardsOf(ctx context.Context, name string) ([]string, error) {
	if ix.written.name == name {
		return ix.written.shards, nil
	}
	var settings map[string]struct {
		Settings struct {
			Index struct {
				Shards string `json:"number_of_shards"`
			} `json:"index"`
		} `json:"settings"`
	}
	if err := ix.client.do(ctx, http.MethodGet, "/"+name+"/_settings", nil, &settings); err != nil {
		return nil, err
	}
	if err := ix.nameForWrites(ctx, name); err != nil {
		return nil, err
	}
	count, err := strconv.Atoi(settings[name].Settings.Index.Shards)
	if err != nil || count < 1 || count > shardsMax {
		return nil, unavailable(fmt.Errorf("index %s has %q shards", name, settings[name].Settings.Index.Shards))
	}
	shards, missing := make([]string, count), count
	for value := 0; missing > 0; value++ {
		routing, at := strconv.Itoa(value), 0
		if count > 1 {
			if at, err = ix.shardAt(ctx, name, routing); err != nil {
				return nil, err
			}
		}
		if at >= count {
			return nil, unavailable(fmt.Errorf("index %s has a shard %d of %d", name, at, count))
		}
		if shards[at] == "" {
			shards[at] = routing
			missing--
		}
	}
	ix.written = physical{name, shards}
	return shards, nil
}

// writesTo returns the alias by which an index is written to. A request that arrives after the index was deleted would create another
// one of that name, with a mapping that OpenSearch guesses, and nobody would delete it. By an alias that is required it cannot.
func writesTo(name string) string { return name + "-writes" }

// nameForWrites gives the index its alias for writes.
func (ix *Index) nameForWrites(ctx context.Context, name string) error {
	actions := []object{{"add": object{"index": name, "alias": writesTo(name)}}}
	return ix.client.write(ctx, http.MethodPost, "/_aliases", object{"actions": actions}, nil)
}

// shardAt returns the shard to which a routing value leads.
func (ix *Index) shardAt(ctx context.Context, name, routing string) (int, error) {
	var found struct {
		Shards [][]struct {
			Shard int `json:"shard"`
		} `json:"shards"`
	}
	if err := ix.client.do(ctx, http.MethodGet, "/"+name+"/_search_shards?routing="+routing, nil, &found); err != nil {
		return 0, err
	}
	if len(found.Shards) != 1 || len(found.Shards[0]) == 0 {
		return 0, unavailable(fmt.Errorf("routing to a shard of %s is not clear", name))
	}
	return found.Shards[0][0].Shard, nil
}

// writeChanges writes the changes between the two documents of each shard's state, and makes them visible: every shard has a
// state, so a refresh of the shards of the last request is one of all.
func (ix *Index) writeChanges(ctx context.Context, to physical, changes []index.Change, next state) error {
	w := &bulk{ix: ix, to: to.name}
	states := func(phase string) error {
		for i, routing := range to.shards {
			d := &document{Phase: phase, Apply: next.apply, Mark: next.mark, Of: len(to.shards)}
			if phase == phaseDone {
				d.Seq = next.seq
			}
			if err := w.add(ctx, action{ID: phase + "-" + strconv.Itoa(i), Version: next.apply, Routing: routing}, d); err != nil {
				return err
			}
		}
		return nil
	}
	if err := states(phaseBegun); err != nil {
		return err
	}
	distinct := lastOfEach(changes)
	if len(distinct) > parallelMin {
		if err := w.flush(ctx, false); err != nil { // nothing may be written before it
			return err
		}
		if err := ix.writeParts(ctx, to, distinct, next.seq); err != nil {
			return err
		}
	} else if err := w.addAll(ctx, distinct, next.seq); err != nil {
		return err
	}
	if len(to.shards) > 1 { // requests to several shards are answered in any order, but an answer means that all is written
		if err := w.flush(ctx, false); err != nil {
			return err
		}
	}
	if err := states(phaseDone); err != nil {
		return err
	}
	return w.flush(ctx, true)
}

// lastOfEach returns the last change of each number.
func lastOfEach(changes []index.Change) []index.Change {
	last := make(map[company.Number]int, len(changes))
	for i, c := range changes {
		last[c.Number] = i
	}
	var distinct []index.Change
	for i, c := range changes {
		if last[c.Number] == i {
			distinct = append(distinct, c)
		}
	}
	return distinct
}

const (
	parallelMin = 2_000 // changes of which parts are written at the same time
	partSize    = 1_000
	writersMax  = 4
)

// writeParts writes many changes, several parts at a time.
func (ix *Index) writeParts(ctx context.Context, to physical, changes []index.Change, seq uint64) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(writersMax)
	for part := range slices.Chunk(changes, partSize) {
		group.Go(func() error {
			w := &bulk{ix: ix, to: to.name}
			if err := w.addAll(ctx, part, seq); err != nil {
				return err
			}
			return w.flush(ctx, false)
		})
	}
	return group.Wait()
}

// addAll adds a document for each change.
func (w *bulk) addAll(ctx context.Context, changes []index.Change, seq uint64) error {
	for _, c := range changes {
		d := &document{Gone: true}
		if c.Company != nil {
			d = documentOf(c.Company)
			d.Number = &c.Number
		}
		if err := w.add(ctx, action{ID: strconv.FormatUint(uint64(c.Number), 10), Version: seq}, d); err != nil {
			return err
		}
	}
	return nil
}

// action is what a bulk request says before a document.
type action struct {
	ID      string `json:"_id"`
	Version uint64 `json:"version"`
	Type    string `json:"version_type"`
	Routing string `json:"routing,omitempty"`
}

// bulk collects documents and writes them in requests of about bulkMax.
type bulk struct {
	ix   *Index
	to   string
	body bytes.Buffer
}

func (w *bulk) add(ctx context.Context, a action, d *document) error {
	a.Type = "external_gte"
	encoder := json.NewEncoder(&w.body)
	encoder.SetEscapeHTML(false)
	if err := errors.Join(encoder.Encode(map[string]action{"index": a}), encoder.Encode(d)); err != nil {
		return err
	}
	if w.body.Len() < bulkMax {
		return nil
	}
	return w.flush(ctx, false)
}

func (w *bulk) flush(ctx context.Context, refresh bool) error {
	if w.body.Len() == 0 {
		return nil
	}
	var answer struct {
		Errors bool `json:"errors"`
		Items  []struct {
			Index struct {
				ID     string `json:"_id"`
				Status int    `json:"status"`
				Error  struct {
					Type   string `json:"type"`
					Reason string `json:"reason"`
				} `json:"error"`
			} `json:"index"`
		} `json:"items"`
	}
	path := "/" + writesTo(w.to) + "/_bulk?require_alias=true&refresh=" + strconv.FormatBool(refresh) + "&filter_path=errors,items.*._id,items.*.status,items.*.error.type,items.*.error.reason"
	if err := w.ix.client.write(ctx, http.MethodPost, path, w.body.Bytes(), &answer); err != nil {
		return err
	}
	w.body.Reset()
	if !answer.Errors {
		return nil
	}
	for _, item := range answer.Items {
		switch i := item.Index; {
		case i.Status < http.StatusMultipleChoices:
		case i.Status == http.StatusConflict && isNumber(i.ID): // the index has a newer state of the company
		case i.Status == http.StatusConflict:
			return unavailable(errors.New("another server has applied changes to the index"))
		case i.Status == http.StatusNotFound:
			return fmt.Errorf("index %s was deleted: %w", w.to, index.ErrReplaced)
		case i.Status == http.StatusTooManyRequests || i.Status >= http.StatusInternalServerError:
			return unavailable(&refusal{status: i.Status, Kind: i.Error.Type, Reason: i.Error.Reason})
		default:
			return fmt.Errorf("write document %s: %w", i.ID, &refusal{status: i.Status, Kind: i.Error.Type, Reason: i.Error.Reason})
		}
	}
	return nil
}

func isNumber(s string) bool {
	_, err := strconv.ParseUint(s, 10, 32)
	return err == nil
}
