package docsite

import (
	"cmp"
	"slices"
	"strings"

	"github.com/opencapi/capi/internal/text"
)

// searchIndex finds sections by their words. It is small enough to scan for every search.
type searchIndex struct{ entries []entry }

type entry struct {
	page                       *Page
	section                    section
	title, heading, body, code []string // folded words
}

// Hit is a section that matches a search.
type Hit struct {
	Address, Title, Heading, Excerpt string
}

const (
	hitsMax          = 30
	questionBytesMax = 200
	excerptBytes     = 180
)

func (x *searchIndex) add(p *Page) {
	for _, s := range p.sections {
		x.entries = append(x.entries, entry{
			page: p, section: s, title: wordsOf(p.Title), heading: wordsOf(s.heading), body: wordsOf(s.text), code: wordsOf(s.code),
		})
	}
}

// find returns the sections that contain every word of the question, or a word that starts with it, best first.
func (x *searchIndex) find(question string) []Hit {
	asked := wordsOf(question[:min(len(question), questionBytesMax)])
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
		s := f.entry.section
		h := Hit{Address: f.entry.page.Address(), Title: f.entry.page.Title, Excerpt: excerpt(s.text, asked)}
		if s.level > 1 {
			h.Address, h.Heading = h.Address+"#"+s.id, s.heading
		}
		hits = append(hits, h)
	}
	return hits
}

// score is 0 unless the section or its page's title contains every word.
func (e *entry) score(asked []string) int {
	total := 0
	for _, word := range asked {
		inTitle, inHeading := count(e.title, word), count(e.heading, word)
		inBody := 2*count(e.body, word) + min(count(e.code, word), 1)
		if inHeading+inBody == 0 && (inTitle == 0 || len(asked) == 1) {
			return 0
		}
		total += 20*inTitle + 30*inHeading + min(inBody, 10)
		if e.section.level == 1 {
			total += 20 * inTitle
		}
	}
	return total
}

// count returns how often the word occurs, or a word that starts with it; the word itself counts twice.
func count(in []string, word string) (n int) {
	for _, w := range in {
		switch {
		case w == word:
			n += 2
		case strings.HasPrefix(w, word):
			n++
		}
	}
	return n
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
