package docsite

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/text"
)

// searchIndex finds sections, operations, fields and error codes by their words. It is small enough to scan for every search.
// The pages have the same search as a script, over the same entries and with the same scores: assets/search.js.
type searchIndex struct{ entries []entry }

type entry struct {
	Address string `json:"a"`
	Title   string `json:"t"` // of the page
	Heading string `json:"h,omitempty"`
	Kind    string `json:"k,omitempty"`
	Text    string `json:"x,omitempty"`
	Phrases string `json:"p,omitempty"` // what readers may call it, separated by commas

	title, heading, text, phrases []string // folded words
	spoken                        []string // each phrase, folded
}

// The kinds of entries, beyond sections.
const (
	kindPage      = "page"
	kindOperation = "operation"
	kindField     = "field"
	kindError     = "error"
)

// Hit is an entry that matches a search.
type Hit struct {
	Address, Title, Heading, Kind, Excerpt string
}

const (
	hitsMax          = 30
	questionBytesMax = 200
	excerptBytes     = 180
)

// generated are the sections of an operation's page that its fields, its errors and the operation itself stand for.
var generated = []string{"authentication", "request", "response", "code-samples", "errors"}

func (x *searchIndex) add(p *Page) {
	for i, s := range p.sections {
		e := entry{Address: p.Address(), Title: p.Title, Text: s.text}
		switch {
		case i == 0 && p.Use != nil:
			op := p.Use.operation
			e.Kind, e.Text = kindOperation, op.about()
			e.Phrases = strings.Join([]string{spaced(op.ID), op.Method + " " + op.Path}, ", ")
		case i == 0:
			e.Kind = kindPage
		case p.Use != nil && slices.Contains(generated, s.id):
			continue
		default:
			e.Address, e.Heading = e.Address+"#"+s.id, s.heading
		}
		x.put(e)
	}
	if p.Use == nil {
		return
	}
	p.Use.describe(func(path string, f *field) {
		same := func(e entry) bool { return e.Kind == kindField && e.Heading == path && e.Text == f.Doc }
		if slices.ContainsFunc(x.entries, same) { // another operation has it too
			return
		}
		x.put(entry{
			Address: p.Address() + "#" + f.ID, Title: p.Title, Heading: path, Kind: kindField, Text: f.Doc,
			Phrases: strings.Join([]string{f.Name, strings.ReplaceAll(f.Name, "_", " ")}, ", "),
		})
	})
}

// addErrors adds every error code, under what readers call it.
func (x *searchIndex) addErrors(e expander) {
	for _, c := range fault.Catalogue() {
		status := e.status(c.Kind)
		x.put(entry{
			Address: address("errors") + "#" + errorID(string(c.Code)), Title: fmt.Sprintf("Error %d", status), Heading: string(c.Code),
			Kind: kindError, Text: c.When,
			Phrases: fmt.Sprintf("%d, %s, %s", status, strings.ReplaceAll(string(c.Code), "_", " "), phrases[c.Code]),
		})
	}
}

func (x *searchIndex) put(e entry) {
	e.title, e.heading, e.text, e.phrases = wordsOf(e.Title), wordsOf(e.Heading), wordsOf(e.Text), wordsOf(e.Phrases)
	for phrase := range strings.SplitSeq(e.Phrases, ",") {
		if words := wordsOf(phrase); len(words) > 0 {
			e.spoken = append(e.spoken, strings.Join(words, " "))
		}
	}
	x.entries = append(x.entries, e)
}

// sort puts fields behind those that are nested less, because of equal scores the first entry is found first, and leaves out a field
// that means the same as one before it: filters are fields of several requests.
func (x *searchIndex) sort() {
	depth := func(e entry) int {
		if e.Kind != kindField {
			return 0
		}
		return strings.Count(e.Heading, ".")
	}
	slices.SortStableFunc(x.entries, func(a, b entry) int { return cmp.Compare(depth(a), depth(b)) })
	known := map[[2]string]bool{}
	x.entries = slices.DeleteFunc(x.entries, func(e entry) bool {
		meaning := [2]string{e.Phrases, e.Text} // the phrases of a field are its name
		repeated := e.Kind == kindField && depth(e) > 0 && known[meaning]
		known[meaning] = known[meaning] || e.Kind == kindField
		return repeated
	})
}

// json returns the entries for the script.
func (x *searchIndex) json() ([]byte, error) { return json.Marshal(x.entries) }

// spaced returns the words of a name such as createExport.
func spaced(name string) string {
	var b strings.Builder
	for _, r := range name {
		if 'A' <= r && r <= 'Z' {
			b.WriteByte(' ')
			r += 'a' - 'A'
		}
		b.WriteRune(r)
	}
	return b.String()
}

// find returns the entries that contain every word of the question, or a word that starts with it, best first.
func (x *searchIndex) find(question string) []Hit {
	asked := askedWords(question)
	if len(asked) == 0 {
		return nil
	}
	type scored struct {
		entry *entry
		score int
	}
	var found []scored
	for i := range x.entries {
		if score := x.entries[i].score(asked); score > 0 {
			found = append(found, scored{&x.entries[i], score})
		}
	}
	slices.SortStableFunc(found, func(a, b scored) int { return cmp.Compare(b.score, a.score) })
	hits := make([]Hit, 0, min(len(found), hitsMax))
	for _, f := range found[:min(len(found), hitsMax)] {
		e := f.entry
		hits = append(hits, Hit{Address: e.Address, Title: e.Title, Heading: e.Heading, Kind: e.Kind, Excerpt: excerpt(e.Text, asked)})
	}
	return hits
}

// fillers say nothing about what is searched.
var fillers = strings.Fields("a an and are can do does for how i in is it my of on or the to what when where which why with")

// askedWords returns the folded words of a question without fillers, unless there is nothing else.
func askedWords(question string) []string {
	words := wordsOf(question[:min(len(question), questionBytesMax)])
	asked := slices.DeleteFunc(slices.Clone(words), func(w string) bool { return slices.Contains(fillers, w) })
	if len(asked) == 0 {
		return words
	}
	return asked
}

// The weights of a word by where it is, and of the whole question.
const (
	weightHeading = 30
	weightTitle   = 10
	weightText    = 4

	bonusSpoken        = 400 // the question is one of the phrases
	bonusSpokenPrefix  = 150
	bonusHeading       = 300 // the question is the heading
	bonusHeadingPrefix = 100
	bonusPage          = 40
)

// score is 0 unless the entry or its page's title contains every word, and the entry itself one of them.
func (e *entry) score(asked []string) int {
	total, own := 0, false
	heading := e.heading
	if len(heading) == 0 {
		heading = e.title
	}
	for _, word := range asked {
		name := max(found(heading, word), found(e.phrases, word))
		title, body := found(e.title, word), found(e.text, word)
		if name+title+body == 0 {
			return 0
		}
		own = own || name+body > 0
		total += weightHeading*name + weightTitle*title + weightText*body
	}
	if !own {
		return 0
	}
	question := strings.Join(asked, " ")
	total += whole(question, e.spoken, bonusSpoken, bonusSpokenPrefix)
	total += whole(question, []string{strings.Join(heading, " ")}, bonusHeading, bonusHeadingPrefix)
	if e.Kind == kindPage || e.Kind == kindOperation {
		total += bonusPage
	}
	return total
}

// found is 2 if the word is in the list, 1 if a word in the list starts with it, 0 otherwise.
func found(in []string, word string) (n int) {
	for _, w := range in {
		switch {
		case w == word:
			return 2
		case strings.HasPrefix(w, word):
			n = 1
		}
	}
	return n
}

// whole returns same if the question is one of the texts, and begins if one of them starts with it.
func whole(question string, texts []string, same, begins int) (bonus int) {
	for _, t := range texts {
		switch {
		case t == question:
			return same
		case strings.HasPrefix(t, question):
			bonus = begins
		}
	}
	return bonus
}

// wordsOf returns the folded words; a code such as QUOTE_EXPIRED is one word.
func wordsOf(s string) []string {
	return strings.FieldsFunc(text.Fold(s), func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '_' && r < 0x80
	})
}

// excerpt returns the text around the first of the words.
func excerpt(s string, asked []string) string {
	lower, at := strings.ToLower(s), 0
	for _, word := range asked {
		if i := strings.Index(lower, word); i >= 0 && i < len(s) {
			at = i
			break
		}
	}
	from := max(at-excerptBytes/3, 0)
	if i := strings.IndexByte(s[from:], ' '); from > 0 && i >= 0 {
		from += i + 1
	}
	short := s[from:]
	if len(short) > excerptBytes {
		end := strings.LastIndexByte(short[:excerptBytes], ' ')
		if end < 0 {
			end = excerptBytes
		}
		short = short[:end] + " …"
	}
	if from > 0 {
		short = "… " + short
	}
	return strings.ToValidUTF8(short, "")
}
