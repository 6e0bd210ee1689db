package catalog

import (
	"time"

	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/text"
)

// Incoming is a company as a source gives it, made ready by Prepare.
type Incoming struct {
	company   company.Company
	given     bool // the source names the id
	weak      bool // by a number, which another source may use for another company
	name      string
	place     place
	nameKey   int64
	placeKey  int64
	domainKey int64
	record    []byte // should the company be new
}

// place is where a company is, folded; an empty text is unknown.
type place struct{ country, state, city string }

func (p place) key(domain string) int64 { return key("place", p.country, p.state, p.city, domain) }

func placeOf(c *company.Company) place {
	return place{text.Fold(c.Country), text.Fold(c.State), text.Fold(c.City)}
}

// Prepare does what Put needs of one company and can be done beforehand, by several goroutines at once.
// A zero ID means that the source names none; Number and Connections are not looked at. The values must be clean.
func Prepare(c *company.Company) Incoming {
	in := Incoming{company: *c, given: !c.ID.IsZero(), name: text.Fold(c.Name), place: placeOf(c)}
	in.company.Connections = nil
	if !in.given {
		in.company.ID = id.New[id.Company]()
	}
	in.company.CreatedAt = now()
	in.company.UpdatedAt = in.company.CreatedAt
	if in.name != "" {
		in.nameKey, in.placeKey = nameKey(in.name), in.place.key(c.Domain)
	}
	if c.Domain != "" {
		in.domainKey = domainKey(c.Domain)
	}
	in.record = company.Encode(&in.company)
	return in
}

func now() time.Time { return time.Now().UTC().Truncate(time.Microsecond) }

// Source is one file of an import: it remembers which companies the file has delivered, since two rows of one file
// are two companies unless they say that they are the same. Not safe for concurrent use.
type Source struct {
	delivered map[company.Number]struct{}
	imported  int64                    // the import that it is part of; 0 for none
	previewed map[int64]company.Number // the companies that Preview would have added, by their identities
}

// NewSource begins a file.
func NewSource() *Source { return &Source{delivered: map[company.Number]struct{}{}} }

// Of makes the file part of an import, so that Undo knows what it did.
func (s *Source) Of(imported int64) { s.imported = imported }

// Weaken says that the id is only a number of the source's: it does not match a company that has another domain.
func (in *Incoming) Weaken() { in.weak = true }

// End names the company as the end of a connection.
func (in *Incoming) End() End {
	e := End{Name: in.company.Name, Domain: in.company.Domain}
	if in.given {
		e.ID = in.company.ID
	}
	return e
}
