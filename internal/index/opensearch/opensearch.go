// Package opensearch is an index.Index that is kept in OpenSearch. It stores what searches need, never whole records, and it
// decides nothing about money: it answers with numbers and counts that are exact, or with an error.
//
// # What is stored
//
// The index is NAME-TIME, and NAME is an alias of it. Each company is one document, with its number as the id. Words are those of
// package text, sent as terms, so that this index finds what the embedded one does. A removed company leaves a document without
// content until the index is rebuilt, and each document has the catalog's sequence number as its version: so a change that arrives
// late, or again, neither replaces a newer one nor brings a company back.
//
// # Snapshots
//
// OpenSearch makes documents visible shard by shard, and its copies of a shard may differ. So searches read a point in time, and
// one is only used if it contains either all of what an Apply wrote or nothing of it. To know that, an Apply writes a
// document to each shard before its changes and one after them; where the two differ, something is missing. After an Apply that was
// interrupted, an index that has no older snapshot answers fault.IndexUnavailable until the next Apply. The state is also where
// the sequence number is stored, which the other servers read every Options.Poll. A cursor contains its point in time, so another
// server can continue it, and the sort key for when that is gone.
//
// # One server applies
//
// It has a lease, and may lose it without noticing at once, for example because its machine was suspended. What it still does then is
// harmless: older changes replace no newer ones, and a state with a lower number replaces none with a higher. Each process has
// checkpoints of its own in the catalog, so it deletes none that the index may have from another one.
//
// # Exact counts
//
// Totals are always counted to the end, and an answer that lacks a shard is an error. A facet is counted by a terms aggregation; if
// OpenSearch says that its counts may be off, which happens with several shards, all values are read instead, page by page.
// Sets of companies are bitmaps in the request.
//
// # Relevance
//
// The score is that of the embedded index, except that BM25 assumes fixed average lengths of names and descriptions, that the
// beginning of a word is scored by a formula of its own, and that scores are stored with a precision of 0.4 percent. The
// order of two companies of nearly equal relevance may therefore differ between the two indexes. OpenSearch's own BM25 depends on
// statistics that differ between shards, copies and moments, so that a cursor could neither continue after its snapshot is
// gone nor on another server. Here what a word adds to the score of a company is computed when the company is indexed, and
// stored as a feature of it. A search multiplies it by the inverse document frequency, and the cursor contains those weights, so a
// company that did not change has the same score on every page.
//
// # Limits
//
// Numbers of companies are at most 2,147,483,647. A query has at most 1,024 clauses unless the operator raises
// indices.query.bool.max_clause_count; longer ones are fault.Validation errors. Words are suggested for up to two typing errors. Values of
// more than 8,000 bytes are only found as a whole. If more than Options.RememberMax snapshots are needed for cursors at once, the
// oldest are closed before the 15 minutes are over, and their cursors continue after their key.
package opensearch

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/opencapi/capi/internal/index"
)

// Index is an index in OpenSearch. One server at a time may call Apply; the others see its changes within Options.Poll.
type Index struct {
	options Options
	client  *client
	fixed   string // the index itself, in place of the alias; of Rebuild

	mu        sync.Mutex
	current   *snapshot
	open      []*snapshot // with a point in time, in the order in which they were opened
	announced uint64      // the highest number that Seq has returned since the last Apply: changes may begin there
	closing   bool

	spelledMu sync.Mutex
	spelled   map[string]spelledAs // by the key of spelling

	loading *loading

	applying  sync.Mutex // guards what follows
	writer    string     // names this process in checkpoints, once it has saved one
	applied   string     // the index to which this process has applied changes last
	uncertain bool       // an Apply was interrupted
	written   physical
	foreign   error // why the index must be rebuilt before Apply; see Options.Replace

	stop       context.CancelFunc
	closed     <-chan struct{}
	background sync.WaitGroup
}

var _ index.Index = (*Index)(nil)

// ErrForeign is returned by Open for an index or alias that was not made by this program, in this version's format, or for
// this catalog, and for one that this catalog does not know since it was restored from a backup.
var ErrForeign = errors.New("not this catalog's index")

// The oldest version of OpenSearch that finds the numbers of a bitmap.
const oldestMajor, oldestMinor = 2, 17

// Open connects to the cluster and checks that it can be used, and that Options.Name is free or this catalog's index. It writes
// nothing: the index is created by the first Apply.
func Open(ctx context.Context, o Options) (*Index, error) {
	ix, err := open(ctx, o)
	if err != nil {
		return nil, fmt.Errorf("open the index %s in OpenSearch: %w", o.Name, err)
	}
	return ix, nil
}

// aliasName is what an index may be called here: not all that OpenSearch allows, so that NAME-TIME is allowed, too.
var aliasName = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,99}$`)

func open(ctx context.Context, o Options) (*Index, error) {
	o = o.withDefaults()
	switch {
	case len(o.Addresses) == 0:
		return nil, errors.New("no address of a node is given")
	case !aliasName.MatchString(o.Name):
		return nil, fmt.Errorf("the name %q must be lower-case letters, digits, - and _, at most 100, and begin with a letter or digit", o.Name)
	}
	running, stop := context.WithCancel(context.Background())
	c, err := newClient(running, o)
	if err != nil {
		stop()
		return nil, err
	}
	ix := &Index{options: o, client: c, stop: stop, closed: running.Done(), current: &snapshot{}, loading: newLoading()}
	if err := ix.start(ctx); err != nil {
		stop()
		ix.background.Wait()
		return nil, err
	}
	ix.background.Go(func() { ix.follow(running) })
	return ix, nil
}

// start checks the server and the index, and takes the first snapshot.
func (ix *Index) start(ctx context.Context) error {
	if err := ix.checkServer(ctx); err != nil {
		return err
	}
	if err := ix.checkIndex(ctx); err != nil {
		return ix.mayReplace(err)
	}
	first, err := ix.openSnapshot(ctx, stateOf{})
	if err != nil {
		return err
	}
	if err := ix.checkCheckpoint(ctx, first); err != nil {
		ix.closeAll([]*snapshot{first})
		return ix.mayReplace(err)
	}
	ix.adopt(first)
	return nil
}

// mayReplace returns the error unless Rebuild may replace the index, which is as if it was empty until then.
func (ix *Index) mayReplace(err error) error {
	if !ix.options.Replace || !errors.Is(err, ErrForeign) || errors.Is(err, errNotOurs) {
		return err
	}
	ix.foreign = err
	return nil
}

func (ix *Index) checkServer(ctx context.Context) error {
	var server struct {
		Version struct {
			Distribution string `json:"distribution"`
			Number       string `json:"number"`
		} `json:"version"`
	}
	if err := ix.client.do(ctx, http.MethodGet, "/", nil, &server); err != nil {
		return refusedUser(err)
	}
	version := server.Version
	if version.Distribution != "opensearch" {
		return errors.New("the server is not OpenSearch")
	}
	major, rest, _ := strings.Cut(version.Number, ".")
	minor, _, _ := strings.Cut(rest, ".")
	a, errA := strconv.Atoi(major)
	b, errB := strconv.Atoi(minor)
	if errA != nil || errB != nil || a < oldestMajor || a == oldestMajor && b < oldestMinor {
		return fmt.Errorf("the server is OpenSearch %s; %d.%d or newer is needed", version.Number, oldestMajor, oldestMinor)
	}
	return nil
}

// refusedUser says what to do about an answer that the user may not ask for something.
func refusedUser(err error) error {
	var r *refusal
	if errors.As(err, &r) && (r.status == http.StatusUnauthorized || r.status == http.StatusForbidden) {
		return fmt.Errorf("check the user, the password and the client certificate: %w", err)
	}
	return err
}

// found is what the cluster says of an index.
type found struct {
	Mappings struct {
		Meta struct {
			CAPI *meta `json:"capi"`
		} `json:"_meta"`
	} `json:"mappings"`
	Aliases map[string]struct{} `json:"aliases"`
}

// indexes returns the indexes that a name or a pattern stands for; none if there are none.
func (ix *Index) indexes(ctx context.Context, name string) (map[string]found, error) {
	all := map[string]found{}
	err := ix.client.do(ctx, http.MethodGet, "/"+name+"?ignore_unavailable=false&allow_no_indices=true", nil, &all)
	if isMissing(err) {
		return nil, nil
	}
	return all, refusedUser(err)
}

// checkIndex returns ErrForeign if the name stands for something else than this catalog's index.
func (ix *Index) checkIndex(ctx context.Context) error {
	all, err := ix.indexes(ctx, ix.options.Name)
	if err != nil {
		return err
	}
	if _, ok := all[ix.options.Name]; ok || len(all) > 1 {
		return fmt.Errorf("%s is not an alias of one index; use another name: %w", ix.options.Name, errNotOurs)
	}
	for name, f := range all {
		of := f.Mappings.Meta.CAPI
		switch {
		case of == nil:
			return fmt.Errorf("%s was not made by this program; use another name: %w", name, errNotOurs)
		case of.Version != formatVersion:
			return fmt.Errorf("%s has the format %d, and this program needs %d; rebuild the index: %w", name, of.Version, formatVersion, ErrForeign)
		}
		if ix.options.Source == nil {
			continue
		}
		origin, _, err := ix.options.Source.Origin(ctx)
		if err != nil {
			return err
		}
		if of.Origin != origin {
			return fmt.Errorf("%s is the index of another catalog; use another name, or rebuild the index: %w", name, ErrForeign)
		}
	}
	return nil
}

// errNotOurs is ErrForeign for what Rebuild must not replace.
var errNotOurs = fmt.Errorf("not an index of this program, so %w", ErrForeign)

// checkCheckpoint returns ErrForeign if the catalog does not know the state of the index.
func (ix *Index) checkCheckpoint(ctx context.Context, s *snapshot) error {
	if ix.options.Source == nil || s.state.seq == 0 {
		return nil
	}
	return ix.checkKnown(ctx, s.index, s.state.mark)
}

// checkKnown returns ErrForeign if the catalog does not have the checkpoint.
func (ix *Index) checkKnown(ctx context.Context, name, mark string) error {
	of, checkpoint := checkpointOf(name, mark)
	known, err := ix.options.Source.HasCheckpoint(ctx, of, checkpoint)
	if err == nil && !known {
		err = fmt.Errorf("%s contains changes that this catalog does not have, because it was restored from a backup; rebuild the index: %w",
			name, ErrForeign)
	}
	return err
}

// target returns the name under which the index is searched.
func (ix *Index) target() string {
	if ix.fixed != "" {
		return ix.fixed
	}
	return ix.options.Name
}

// resolve returns the name of the index that the alias stands for; empty if there is none.
func (ix *Index) resolve(ctx context.Context) (string, error) {
	if ix.fixed != "" {
		return ix.fixed, nil
	}
	all := map[string]struct{}{}
	err := ix.client.do(ctx, http.MethodGet, "/_alias/"+ix.options.Name, nil, &all)
	if isMissing(err) {
		return "", nil
	}
	if len(all) > 1 {
		return "", fmt.Errorf("the alias %s stands for %d indexes", ix.options.Name, len(all))
	}
	for name := range all {
		return name, err
	}
	return "", err
}

// Seq implements index.Index.
func (ix *Index) Seq() uint64 {
	ix.mu.Lock()
	defer ix.mu.Unlock()
	ix.announced = max(ix.announced, ix.current.state.seq)
	return ix.current.state.seq
}

// follows reports whether changes that begin where Seq has said continue an index that contains those up to seq. The next ones must begin
// at what Seq returns from now on.
func (ix *Index) follows(seq uint64) bool {
	ix.mu.Lock()
	defer ix.mu.Unlock()
	announced := ix.announced
	ix.announced = 0
	return seq >= announced
}

// Len implements index.Index.
func (ix *Index) Len() int {
	ix.mu.Lock()
	defer ix.mu.Unlock()
	return ix.current.companies
}

// Close closes the index; what is stored remains. Snapshots that cursors need are kept in OpenSearch until they expire, so that
// another server, or this one after a restart, can continue them.
func (ix *Index) Close() error {
	ix.mu.Lock()
	last := ix.current
	ix.current = &snapshot{state: last.state, companies: last.companies, broken: errClosed}
	gone := ix.expired(time.Now())
	ix.mu.Unlock()
	ix.closeAll(gone)
	ix.mu.Lock()
	ix.closing = true
	ix.mu.Unlock()
	ix.stop()
	ix.background.Wait()
	ix.client.close()
	return nil
}

var errClosed = errors.New("opensearch: the index is closed")
