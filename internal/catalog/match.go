package catalog

import (
	"reflect"
	"slices"
	"strings"
	"unicode"

	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/identity"
	"github.com/opencapi/capi/internal/text"
)

// entry is a company in a matchIndex.
type entry struct {
	row     row
	company *company.Company
	name    string // by identity.Name
	place   identity.Place
	added   bool   // by this edit
	changed bool   // by this edit, and existed before it
	renamed bool   // whether name or domain changed
	before  []byte // the record before this edit changed it
}

// matchIndex indexes the companies that a batch may match, by id and key.
type matchIndex struct {
	byID      map[id.Company]*entry
	byKey     map[int64][]*entry // entries that have or had the key: callers must compare the values
	byNumber  map[company.Number]*entry
	delivered func(company.Number) bool
}

func newMatchIndex(rows []row) (*matchIndex, error) {
	s := &matchIndex{
		byID:      make(map[id.Company]*entry, len(rows)),
		byKey:     make(map[int64][]*entry, 2*len(rows)),
		byNumber:  make(map[company.Number]*entry, len(rows)),
		delivered: func(company.Number) bool { return false },
	}
	for i := range rows {
		c, err := rows[i].company(false)
		if err != nil {
			return nil, err
		}
		s.put(&entry{row: rows[i], company: c, name: identity.Name(c.Name), place: identity.PlaceOf(c)})
	}
	return s, nil
}

func (m *matchIndex) put(e *entry) {
	m.byID[e.company.ID] = e
	m.byNumber[e.row.number] = e
	m.add(e)
}

func (m *matchIndex) add(e *entry) {
	m.addKey(nameKey(e.name), e) // not that of the row, which may be older
	if k := e.row.domainKey; k.Valid {
		m.addKey(k.Int64, e)
	}
}

func (m *matchIndex) addKey(key int64, e *entry) {
	have := m.byKey[key]
	if e.renamed && slices.Contains(have, e) {
		return
	}
	m.byKey[key] = append(have, e)
}

// match returns the company that the incoming one matches, by id, else by domain, else by name and country; nil if it is
// new.
func (m *matchIndex) match(in *Incoming) (_ *entry, by string) {
	if in.given {
		e := m.byID[in.company.ID]
		switch {
		case e == nil:
		case in.weak && !confirms(e, in):
			in.rename()
		default:
			return e, "id"
		}
	}
	if in.company.Domain != "" {
		if e, known := m.matchDomain(in); known {
			return e, "domain"
		}
	}
	return m.matchName(in), "name"
}

// confirms reports whether the row shares more with the company than a number as its id: the domain, else the name.
func confirms(e *entry, in *Incoming) bool {
	if !identity.Agree(e.company.Domain, in.company.Domain) || otherPage(e, in) {
		return false
	}
	return in.company.Domain != "" && e.company.Domain != "" || in.name != "" && e.name == in.name
}

// rename gives the company a new id, as the id of the source belongs to another company.
func (in *Incoming) rename() {
	in.given, in.weak = false, false
	in.company.ID = id.New[id.Company]()
	in.record = company.Encode(&in.company)
}

// matchDomain matches by domain. A single company with the domain matches whatever its name; of several, the one with the
// same name matches. known reports whether any company has the domain.
func (m *matchIndex) matchDomain(in *Incoming) (_ *entry, known bool) {
	var all, named []*entry
	for _, e := range m.byKey[in.domainKey] {
		if e.company.Domain != in.company.Domain {
			continue
		}
		all = append(all, e)
		if e.name == in.name && m.mayMatch(e, in) {
			named = append(named, e)
		}
	}
	if len(all) == 1 {
		if m.mayMatch(all[0], in) {
			return all[0], true
		}
		return nil, true
	}
	return best(named, in), len(all) > 0
}

// matchName matches a company with the same name and country whose other values do not contradict.
func (m *matchIndex) matchName(in *Incoming) *entry {
	if in.name == "" {
		return nil
	}
	var named []*entry
	for _, e := range m.byKey[in.nameKey] {
		if e.name == in.name && m.agreeInPlace(e, in) && identity.Agree(e.company.Domain, in.company.Domain) && m.mayMatch(e, in) {
			named = append(named, e)
		}
	}
	return best(named, in)
}

// agreeInPlace reports whether the places do not contradict. The state and city of a contact may be those of the person.
func (m *matchIndex) agreeInPlace(e *entry, in *Incoming) bool {
	if in.contact && m.delivered(e.row.number) {
		return identity.Agree(e.place.Country, in.place.Country)
	}
	return e.place.Country == in.place.Country && identity.Agree(e.place.State, in.place.State) && identity.Agree(e.place.City, in.place.City)
}

// mayMatch reports whether in may match e: the source has not delivered e yet, or it repeats the same company. Two different
// LinkedIn pages belong to two companies.
func (m *matchIndex) mayMatch(e *entry, in *Incoming) bool {
	if otherPage(e, in) {
		return false
	}
	if in.contact {
		return true
	}
	return !m.delivered(e.row.number) ||
		same(e, in) && spelledAlike(e, in) && (!in.given || e.company.ID == in.company.ID)
}

// otherPage reports whether the two have different pages on LinkedIn.
func otherPage(e *entry, in *Incoming) bool {
	return identity.OtherPage(e.company.LinkedInURL, in.company.LinkedInURL)
}

// same reports whether name, domain and place are all equal, including unknown values. A row without a name has its domain
// as its name.
func same(e *entry, in *Incoming) bool {
	return (e.name == in.name || in.name == "" && e.company.Name == in.company.Domain) && e.company.Domain == in.company.Domain && e.place == in.place
}

// spelledAlike reports whether two rows of one file spell the name in the same way, or differ only in punctuation and have no other
// value that contradicts. In lists of employers, TEK LABS INC and TEKLABS INC are two records.
func spelledAlike(e *entry, in *Incoming) bool {
	known, name := text.Fold(e.company.Name), text.Fold(in.company.Name)
	switch {
	case in.name == "" || known == name:
		return true
	case words(known) != words(name):
		return false
	}
	replaced, filled := *e.company, *e.company
	merge(&replaced, &in.company)
	merge(&filled, gapsOf(e.company, &in.company))
	replaced.Name, filled.Name = "", ""
	return reflect.DeepEqual(replaced, filled)
}

// words returns a folded name with a space for its punctuation, and none for what is within a word.
func words(name string) string {
	return strings.Join(strings.Fields(strings.Map(func(r rune) rune {
		switch {
		case r == '.', r == '\'', r == '’':
			return -1
		case unicode.In(r, unicode.L, unicode.N, unicode.M), r == '+', r == '#':
			return r
		}
		return ' '
	}, strings.ReplaceAll(name, "&", " and "))), " ")
}

// best returns the candidate that agrees in most values; nil on a tie, as a guess would mix up two companies. Of several
// that agree in all values it returns the oldest, so that loading a file again has the same result.
func best(candidates []*entry, in *Incoming) *entry {
	var top *entry
	topScore, tied := -1, false
	for _, e := range candidates {
		switch score := agreement(e, in); {
		case score > topScore:
			top, topScore, tied = e, score, false
		case score == topScore && same(e, in):
			if e.row.number < top.row.number {
				top = e
			}
		case score == topScore:
			tied = true
		}
	}
	if tied {
		return nil
	}
	return top
}

func agreement(e *entry, in *Incoming) int {
	score := 0
	if text.Fold(e.company.Name) == text.Fold(in.company.Name) {
		score++ // the same punctuation
	}
	for _, pair := range [][2]string{
		{e.place.Country, in.place.Country},
		{e.place.State, in.place.State},
		{e.place.City, in.place.City},
		{e.company.Domain, in.company.Domain},
	} {
		switch {
		case pair[0] != pair[1]:
		case pair[0] == "":
			score++
		default:
			score += 2
		}
	}
	return score
}
