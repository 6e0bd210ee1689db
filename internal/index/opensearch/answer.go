package opensearch

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/opencapi/capi/internal/fault"
)

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
	if len(bodies) < 2 || s.pit == "" || s.broken != nil {
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

// isLost reports whether a new point in time may not have the error.
func isLost(err error) bool {
	var r *refusal
	return errors.As(err, &r) && (r.status == http.StatusNotFound || r.lost)
}

// tooManySnapshots reports whether OpenSearch keeps as many points in time as it may.
func tooManySnapshots(err error) bool {
	var r *refusal
	return errors.As(err, &r) && strings.Contains(r.Reason, "too many Point In Time contexts")
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
