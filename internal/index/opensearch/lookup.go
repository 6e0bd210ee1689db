package opensearch

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/index"
	"github.com/opencapi/capi/internal/query"
	"github.com/opencapi/capi/internal/text"
)

// editsMax is how many typing errors there may be in a word that OpenSearch finds in spite of them.
const editsMax = 2

// Lookup implements index.Index. It suggests words with at most two typing errors.
func (ix *Index) Lookup(ctx context.Context, values []query.Given) (known []index.Known, err error) {
	err = ix.answered(ctx, func(s *snapshot) (err error) {
		known, err = ix.lookup(ctx, s, values)
		return err
	})
	return known, wrap("look values up", err)
}

func (ix *Index) lookup(ctx context.Context, s *snapshot, values []query.Given) ([]index.Known, error) {
	known := make([]index.Known, len(values))
	var asked []int
	var queries []object
	for i, v := range values {
		if q := valueQuery(v); q != nil {
			asked, queries = append(asked, i), append(queries, q)
		} else {
			known[i].Found = true
		}
	}
	counts, err := ix.count(ctx, s, queries...)
	if err != nil {
		return nil, err
	}
	suggestions, words := 0, 0
	for n, i := range asked {
		v := values[i]
		known[i].Found = counts[n] > 0
		_, hasValues := valueFields[v.Field]
		switch {
		case known[i].Found:
		case v.Text != nil:
			if words < index.WordSuggestionsMax && v.Value != "" {
				if known[i].Suggestion, err = ix.nearestWord(ctx, s, v.Value); known[i].Suggestion != "" {
					words++
				}
			}
		case hasValues && suggestions < index.SuggestionsMax:
			known[i].Suggestion, err = ix.nearestValue(ctx, s, v.Field, v.Value)
			suggestions++
		}
		if err != nil {
			return nil, err
		}
	}
	return known, nil
}

// valueQuery returns the query for the companies with a value; nil for numbers, which are not looked up.
func valueQuery(v query.Given) object {
	switch {
	case v.Text != nil:
		return filterOf(v.Text)
	case v.Field == query.FieldNAICS:
		return filterOf(query.Prefix{Field: v.Field, Value: v.Value})
	case valueFields[v.Field] != "":
		return filterOf(query.OneOf{Field: v.Field, Values: []string{v.Value}})
	case v.Field == query.FieldConnectedDomain:
		return filterOf(query.Connected{Domain: v.Value})
	case v.Field == query.FieldConnectedCompany:
		end, err := id.Parse[id.Company](v.Value)
		if err != nil {
			return nothing
		}
		return filterOf(query.Connected{Company: end})
	}
	return nil
}

// nearestValue returns the nearest value that a company has, in its most frequent spelling; empty if none is near. Values that
// begin with the given one are the nearest, and of those the one that most companies have.
func (ix *Index) nearestValue(ctx context.Context, s *snapshot, f query.Field, value string) (string, error) {
	all, err := ix.knownValues(ctx, s, valueFields[f])
	if err != nil {
		return "", err
	}
	nearest, begin := "", text.Fold(value)
	if utf8.RuneCountInString(begin) >= index.BeginningMin {
		if i := slices.IndexFunc(all, func(v valueCount) bool { return strings.HasPrefix(v.value, begin) }); i >= 0 {
			nearest = all[i].value
		}
	}
	if nearest == "" {
		values := make([]string, len(all))
		for i, v := range all {
			values[i] = v.value
		}
		slices.Sort(values)
		nearest = text.Nearest(value, values)
	}
	if nearest == "" || f == query.FieldKnown {
		return nearest, nil
	}
	spelled, err := ix.lookUpSpellings(ctx, s, map[query.Field][]string{f: {nearest}})
	return spelled[spelling(f, nearest)], err
}

// knownValues returns all values of a field, the most frequent first.
func (ix *Index) knownValues(ctx context.Context, s *snapshot, field string) ([]valueCount, error) {
	s.known.mu.Lock()
	values, ok := s.known.values[field]
	s.known.mu.Unlock()
	if ok {
		return values, nil
	}
	values, err := ix.allValues(ctx, s, everything, field)
	if err != nil {
		return nil, err
	}
	s.known.mu.Lock()
	defer s.known.mu.Unlock()
	if s.known.values == nil {
		s.known.values = map[string][]valueCount{}
	}
	s.known.values[field] = values
	return values, nil
}

// nearestWord returns the word that was most likely meant, of those that companies have: the one with the fewest typing errors,
// and of several the most frequent. It is empty if none is near, or if the word is only found in another spelling.
func (ix *Index) nearestWord(ctx context.Context, s *snapshot, word string) (string, error) {
	near := text.NewNear(word)
	errorsMax := min(3, near.Len()/3) // with more, almost any word is near
	counts, err := ix.count(ctx, s, termQuery(query.Term{Word: word}))
	if err != nil || counts[0] > 0 || errorsMax == 0 {
		return "", err
	}
	found, err := ix.similar(ctx, s, word, min(editsMax, errorsMax))
	if err != nil {
		return "", err
	}
	type candidate struct {
		word             string
		distance, useful int
	}
	var candidates []candidate
	for similar, count := range found {
		if d := near.Distance([]byte(similar), errorsMax); d <= errorsMax && !text.IsAlone(similar) && similar != word {
			candidates = append(candidates, candidate{similar, d, count})
		}
	}
	slices.SortFunc(candidates, func(a, b candidate) int {
		return cmp.Or(cmp.Compare(a.distance, b.distance), cmp.Compare(b.useful, a.useful), cmp.Compare(a.word, b.word))
	})
	for _, c := range candidates { // some may be words of companies that were removed
		counts, err := ix.count(ctx, s, termQuery(query.Term{Word: c.word}))
		if err != nil {
			return "", err
		}
		if counts[0] > 0 {
			return c.word, nil
		}
	}
	return "", nil
}

// similar returns the words with few typing errors, also of companies that were removed, and how often each occurs. OpenSearch only
// knows words that begin with the same letter if there are two errors, so those without the first letters are looked up, too.
func (ix *Index) similar(ctx context.Context, s *snapshot, word string, edits int) (map[string]int, error) {
	_, first := utf8.DecodeRuneInString(word)
	_, second := utf8.DecodeRuneInString(word[first:])
	suggest := object{}
	for i, w := range []string{word, word[first:], word[first+second:]}[:1+edits] {
		suggest[key(i)] = object{"text": w, "term": object{
			"field": "words", "max_edits": max(1, edits-i), "prefix_length": 0, "min_word_length": 1, "suggest_mode": "always",
			"string_distance": "damerau_levenshtein", "accuracy": 0.01, "size": 100, "max_inspections": 1000,
		}}
	}
	a, err := ix.search(ctx, s, object{"size": 0, "query": nothing, "suggest": suggest})
	if err != nil {
		return nil, err
	}
	found := map[string]int{word[first:]: 0, word[first+second:]: 0}
	for _, entries := range a.Suggest {
		for _, entry := range entries {
			for _, o := range entry.Options {
				found[o.Text] = o.Freq
			}
		}
	}
	return found, nil
}
