package embedded

import (
	"bytes"
	"context"
	"fmt"
	"runtime"
	"slices"
	"unicode/utf8"

	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/index"
	"github.com/opencapi/capi/internal/query"
	"github.com/opencapi/capi/internal/text"
)

// Lookup implements index.Index.
func (ix *Index) Lookup(ctx context.Context, values []query.Given) (known []index.Known, err error) {
	var read *snapshot
	err = ix.answerComplete(ctx, &read, func() (err error) {
		read = ix.current.Load()
		known, err = read.lookup(ctx, values)
		return err
	})
	return known, err
}

func (s *snapshot) lookup(ctx context.Context, values []query.Given) ([]index.Known, error) {
	defer runtime.KeepAlive(s)
	known := make([]index.Known, len(values))
	suggestions, words := 0, 0
	for i, v := range values {
		if err := ctx.Err(); err != nil {
			return nil, fmt.Errorf("look up values: %w", err)
		}
		if err := s.verify(groupsOfField(v.Field) | groupsOf(v.Text)); err != nil {
			return nil, err
		}
		f, ok := fieldOf(v.Field)
		if v.Text != nil {
			known[i] = s.lookupText(v, words < index.WordSuggestionsMax)
			if known[i].Suggestion != "" {
				words++
			}
			continue
		}
		if ok {
			known[i].Found = s.has(f, v.Value)
		} else {
			known[i].Found = s.hasConnection(v)
		}
		if ok && !known[i].Found && suggestions < index.SuggestionsMax {
			known[i].Suggestion = s.nearest(f, v.Value)
			suggestions++
		}
	}
	return known, nil
}

// verify verifies the groups in all parts.
func (s *snapshot) verify(want groups) error {
	for i := range s.parts {
		if err := s.parts[i].verify(want); err != nil {
			return err
		}
	}
	return nil
}

// has reports whether a live company has the value or, for NAICS codes, a code that begins with it.
func (s *snapshot) has(f field, value string) bool {
	for i := range s.parts {
		p := &s.parts[i]
		from, to := p.values[f].keyRange(f, value)
		for key := from; key < to; key++ {
			if p.anyLive(&p.values[f].postings, key) {
				return true
			}
		}
	}
	return false
}

// hasConnection reports whether a live company has a connection to the domain or company that the value names.
func (s *snapshot) hasConnection(v query.Given) bool {
	var domain string
	var end id.Company
	switch v.Field {
	case query.FieldConnectedDomain:
		domain = v.Value
	case query.FieldConnectedCompany:
		end, _ = id.Parse[id.Company](v.Value)
	default:
		return true // number fields are not looked up
	}
	for i := range s.parts {
		p, found := &s.parts[i], false
		p.links.eachTarget(domain, end, func(t int) {
			for _, slot := range p.links.slots[p.links.starts[t]:p.links.starts[t+1]] {
				found = found || !slices.Contains(p.deleted, slot)
			}
		})
		if found {
			return true
		}
	}
	return false
}

// keyRange returns the keys that a value matches, from inclusive, to exclusive.
func (v *values) keyRange(f field, value string) (from, to int) {
	if f == fieldNAICS {
		return v.prefixRange(value)
	}
	key, ok := v.find(value)
	if !ok {
		return 0, 0
	}
	return key, key + 1
}

func (p *part) anyLive(v *postings, key int) bool {
	if dead := len(p.deleted) - len(p.holes); dead == 0 || v.count(key) > dead {
		return v.count(key) > dead
	}
	graves, others := p.tombstones()
	found := false
	v.each(key, func(slot, _ uint32) {
		found = found || (graves == nil || !graves.slots.has(slot)) && !slices.Contains(others, slot)
	})
	return found
}

// nearest returns the nearest value that a live company has, in its most frequent spelling; empty if none is near. Values that begin
// with the given one are the nearest, and of those the one that most companies have.
func (s *snapshot) nearest(f field, value string) string {
	if begun := s.beginningWith(f, text.Fold(value)); begun != "" {
		return s.commonSpelling(f, begun)
	}
	var keys []string
	for i := range s.parts {
		v := &s.parts[i].values[f]
		for key := range v.len() {
			keys = append(keys, string(v.key(key)))
		}
	}
	for len(keys) > 0 {
		key := text.Nearest(value, keys)
		if key == "" || s.has(f, key) {
			return s.commonSpelling(f, key)
		}
		keys = slices.DeleteFunc(keys, func(k string) bool { return k == key })
	}
	return ""
}

// beginningWith returns the most frequent value that begins with a folded text and that a live company has; empty if there is none.
func (s *snapshot) beginningWith(f field, begin string) string {
	if utf8.RuneCountInString(begin) < index.BeginningMin {
		return ""
	}
	counts := map[string]uint32{}
	for i := range s.parts {
		p := &s.parts[i]
		v := &p.values[f]
		for key := range v.len() {
			if k := v.key(key); bytes.HasPrefix(k, []byte(begin)) && p.anyLive(&v.postings, key) {
				counts[string(k)] += uint32(v.count(key))
			}
		}
	}
	return mostFrequent(counts)
}

// commonSpelling returns the most frequent spelling of a value.
func (s *snapshot) commonSpelling(f field, key string) string {
	counts := map[string]uint32{}
	for i := range s.parts {
		v := &s.parts[i].values[f]
		if id, ok := v.find(key); ok && s.parts[i].anyLive(&v.postings, id) {
			v.addSpellings(counts, id, uint32(v.count(id)))
		}
	}
	return mostFrequent(counts)
}
