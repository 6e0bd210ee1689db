package opensearch

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/query"
	"github.com/opencapi/capi/internal/text"
)

// formatVersion is the version of the documents and the mapping. An index of another version must be rebuilt.
// Versions: 1.
const formatVersion = 1

type object = map[string]any

// document is what is stored of a company, of a removed one, or of the state of a shard. A field that is empty is not stored.
type document struct {
	Number *company.Number `json:"n,omitempty"` // of a company alone
	Gone   bool            `json:"gone,omitempty"`

	Country    []string `json:"country,omitempty"`
	State      []string `json:"state,omitempty"`
	City       []string `json:"city,omitempty"`
	Industry   []string `json:"industry,omitempty"`
	NAICS      []string `json:"naics,omitempty"`
	Technology []string `json:"technology,omitempty"`
	Category   []string `json:"technology_category,omitempty"`
	Known      []string `json:"known,omitempty"`
	Relation   []string `json:"relation,omitempty"` // categories of connections
	Sector     []string `json:"sector,omitempty"`
	Band       string   `json:"band,omitempty"`
	Decade     string   `json:"decade,omitempty"`
	// Spelled has each value as the company spells it, behind its folded form. See spelling.
	Spelled []string `json:"spelled,omitempty"`

	Employees *int64 `json:"employees,omitempty"`
	Founded   *int64 `json:"founded,omitempty"`
	Updated   *int64 `json:"updated,omitempty"` // microseconds since 1970
	NameKey   string `json:"name_key,omitempty"`

	Domain    string   `json:"domain,omitempty"`
	Connected []string `json:"connected,omitempty"` // see connectionKey

	Text      []string           `json:"text,omitempty"` // the name and the description, as words between spaces
	Name      string             `json:"name,omitempty"`
	Words     []string           `json:"words,omitempty"`      // of both
	NameWords []string           `json:"name_words,omitempty"` // of the name
	Pairs     []string           `json:"pairs,omitempty"`      // of words side by side
	NamePairs []string           `json:"name_pairs,omitempty"`
	Start     []string           `json:"start,omitempty"`  // words that begin the name
	Impact    map[string]float32 `json:"impact,omitempty"` // by word: what it adds to the relevance
	Share     float32            `json:"share,omitempty"`  // of a word in the name
	Size      float32            `json:"size,omitempty"`

	Phase string `json:"phase,omitempty"` // of the state of a shard: begun or done
	Apply uint64 `json:"apply,omitempty"`
	Seq   uint64 `json:"seq,omitempty"`
	Mark  string `json:"mark,omitempty"`
	Of    int    `json:"of,omitempty"` // shards
}

// meta is what the mapping says of an index.
type meta struct {
	Version int    `json:"version"`
	Name    string `json:"name"`   // the alias
	Origin  string `json:"origin"` // of the catalog; empty if it is not known
}

// mapping returns the mapping of an index.
func mapping(of meta) object {
	keyword, term := object{"type": "keyword"}, object{"type": "keyword", "doc_values": false}
	number := object{"type": "long"}
	words := object{"type": "text", "analyzer": "words", "norms": false}
	properties := object{
		"n": object{"type": "integer"}, "gone": object{"type": "boolean"},
		"band": keyword, "decade": keyword, "sector": keyword, "spelled": keyword,
		"employees": number, "founded": number, "updated": number, "name_key": keyword,
		"domain": term, "connected": term,
		"text": words, "name": words, "words": term, "name_words": term, "pairs": term, "name_pairs": term, "start": term,
		"impact": object{"type": "rank_features"}, "share": object{"type": "rank_feature"}, "size": object{"type": "rank_feature"},
		"phase": keyword, "apply": number, "seq": number, "mark": keyword, "of": number,
	}
	for _, name := range valueFields {
		properties[name] = keyword
	}
	return object{
		"dynamic": "strict", "_source": object{"enabled": false}, "properties": properties,
		"_meta": object{"capi": of},
	}
}

// valueFields are the names in documents of the fields that have values.
var valueFields = map[query.Field]string{
	query.FieldCountry: "country", query.FieldState: "state", query.FieldCity: "city", query.FieldIndustry: "industry",
	query.FieldNAICS: "naics", query.FieldTechnology: "technology", query.FieldTechnologyCategory: "technology_category",
	query.FieldKnown: "known", query.FieldConnectionCategory: "relation",
}

// settings returns the settings of an index. It is refreshed by Apply alone, and one shard is searched by one thread, so that its
// counts of values are exact. What OpenSearch has not committed it writes again after all copies of a shard were lost, before it answers
// the first search; by default that may be 512 MB, for which it needs minutes.
func settings(o Options) object {
	return object{
		"number_of_shards": o.Shards, "number_of_replicas": o.Replicas, "refresh_interval": "-1",
		"translog.flush_threshold_size":         "32mb",
		"search.concurrent_segment_search.mode": "none", "max_regex_length": 100_000,
		"analysis": object{
			"tokenizer": object{"words": object{"type": "whitespace", "max_token_length": 2 * termMax}},
			"analyzer":  object{"words": object{"type": "custom", "tokenizer": "words"}},
		},
	}
}

// documentOf returns the document of a company.
func documentOf(c *company.Company) *document {
	d := &document{Number: &c.Number, Employees: c.EmployeeCount, Founded: c.FoundedYear, Domain: term(strings.ToLower(c.Domain))}
	for f, to := range map[query.Field]*[]string{
		query.FieldCountry: &d.Country, query.FieldState: &d.State, query.FieldCity: &d.City, query.FieldIndustry: &d.Industry,
		query.FieldNAICS: &d.NAICS, query.FieldTechnology: &d.Technology, query.FieldTechnologyCategory: &d.Category,
		query.FieldKnown: &d.Known,
	} {
		for _, v := range f.Values(c) {
			d.addValue(to, f, v)
		}
	}
	for _, code := range c.NAICSCodes {
		if sector, ok := sectorOf(code); ok {
			d.Sector = append(d.Sector, sector)
		}
	}
	if c.EmployeeCount != nil {
		low, _ := company.BandOf(query.FieldEmployeeCount.String(), *c.EmployeeCount)
		d.Band = strconv.FormatInt(low, 10)
	}
	if c.FoundedYear != nil {
		low, _ := company.BandOf(query.FieldFoundedYear.String(), *c.FoundedYear)
		d.Decade = strconv.FormatInt(low, 10)
	}
	if !c.UpdatedAt.IsZero() {
		micros := c.UpdatedAt.UnixMicro()
		d.Updated = &micros
	}
	folded := text.Fold(c.Name)
	d.NameKey = whole(folded[:min(len(folded), nameKeyMax)])
	for _, to := range c.Connections {
		d.addValue(&d.Relation, query.FieldConnectionCategory, to.Category)
		for _, key := range connectionKeys(to) {
			d.Connected = append(d.Connected, term(key))
		}
	}
	d.addTexts(c)
	return d
}

// addValue adds a value to a field, with its spelling.
func (d *document) addValue(to *[]string, f query.Field, spelled string) {
	folded := term(text.Fold(spelled))
	if spelled == "" {
		return
	}
	*to = append(*to, folded)
	if f == query.FieldKnown {
		return // names of fields have one spelling
	}
	d.Spelled = append(d.Spelled, spelling(f, folded)+spelled)
}

// spelling returns what a term of the field spelled begins with: the field and the folded value. Neither has control
// characters.
func spelling(f query.Field, folded string) string { return valueFields[f] + "\x1f" + folded + "\x1f" }

// sectorOf returns the first two digits of a NAICS code.
func sectorOf(code string) (string, bool) {
	code = text.Fold(code)
	if len(code) < 2 || strings.Trim(code[:2], "0123456789") != "" {
		return "", false
	}
	return code[:2], true
}

const (
	termMax    = 8_000  // bytes; Lucene takes up to 32,766
	nameKeyMax = 30_000 // bytes; names of 1,000 characters are shorter, except for characters that fold to many
)

// term returns s, or if it is too long for the index a text that stands for it alone.
func term(s string) string {
	if len(s) <= termMax {
		return s
	}
	sum := sha256.Sum256([]byte(s))
	return whole(s[:termMax]) + "\x1e" + hex.EncodeToString(sum[:16])
}

// whole returns the text without a character that is cut off at its end.
func whole(s string) string {
	for range utf8.UTFMax {
		if r, size := utf8.DecodeLastRuneInString(s); r != utf8.RuneError || size != 1 {
			break
		}
		s = s[:len(s)-1]
	}
	return s
}

// connectionKeys returns a term for each way to ask for the connection.
func connectionKeys(c company.Connection) []string {
	end := ""
	if !c.ID.IsZero() {
		end = c.ID.String()
	}
	parts := [3]string{text.Fold(c.Category), end, strings.ToLower(c.Domain)}
	var keys []string
	for ask := 1; ask < 1<<len(parts); ask++ {
		asked, ok := [3]string{}, true
		for i := range parts {
			if ask>>i&1 == 1 {
				asked[i] = parts[i]
				ok = ok && parts[i] != ""
			}
		}
		if ok {
			keys = append(keys, connectionKey(asked))
		}
	}
	return keys
}

// connectionKey returns the term for a connection of the category, to the company and the domain that are not empty.
func connectionKey(asked [3]string) string { return strings.Join(asked[:], "\x1f") }

// addTexts adds what the name and the description are found by.
func (d *document) addTexts(c *company.Company) {
	name, description := contentsOf(c.Name), contentsOf(c.Description)
	d.Name = strings.Join(name.tokens, " ")
	if len(name.tokens)+len(description.tokens) > 0 {
		d.Text = []string{d.Name, strings.Join(description.tokens, " ")}
	}
	d.NameWords = distinct(name.words())
	d.Words = distinct(append(slices.Clone(d.NameWords), description.words()...))
	d.NamePairs = distinct(name.pairs())
	d.Pairs = distinct(append(slices.Clone(d.NamePairs), description.pairs()...))
	d.Start = name.start()
	d.rate(c, name, description)
}

// contents are the words of a text, as terms.
type contents struct{ tokens, joints []string }

func contentsOf(s string) (c contents) {
	for _, t := range text.Tokens(s) {
		c.tokens = append(c.tokens, term(t))
	}
	text.EachJoint(s, func(joined string) { c.joints = append(c.joints, term(joined)) })
	return c
}

// words returns the words that a query.Term may find, without breaks.
func (c contents) words() []string {
	return slices.DeleteFunc(slices.Concat(c.tokens, c.joints), func(w string) bool { return w == text.Break })
}

// pairs returns each word with the one after it. A search for one word asks for every way to write it as two.
func (c contents) pairs() (all []string) {
	for i := range max(0, len(c.tokens)-1) {
		all = append(all, pair(c.tokens[i], c.tokens[i+1]))
	}
	return all
}

func pair(first, second string) string { return term(first + " " + second) }

// start returns the word that the text begins with, and the one after a leading "the".
func (c contents) start() []string {
	switch {
	case len(c.tokens) == 0:
		return nil
	case c.tokens[0] == "the" && len(c.tokens) > 1:
		return c.tokens[:2]
	}
	return c.tokens[:1]
}

func distinct(words []string) []string {
	slices.Sort(words)
	return slices.Compact(words)
}
