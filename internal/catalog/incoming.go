package catalog

import (
	"database/sql"
	"time"

	"github.com/RoaringBitmap/roaring/v2"

	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/identity"
)

// Incoming is a company from a source, prepared by Prepare.
type Incoming struct {
	company   company.Company
	given     bool   // the source has an id for it
	weak      bool   // the id is a number, which another source may use for another company
	file      string // that it is from, and its line there
	line      int
	contact   bool   // the record is of a person at the company, so a file may have several for a company
	name      string // by identity.Name
	place     identity.Place
	nameKey   int64
	placeKey  int64
	domainKey int64
	pageKey   sql.NullInt64
	record    []byte // encoded, in case the company is new
}

// placeKey returns the key of a place and a domain together.
func placeKey(p identity.Place, domain string) int64 {
	return key("place", p.Country, p.State, p.City, domain)
}

// Prepare does the part of Put that concerns one company alone, so that several goroutines can do it in advance.
// A zero ID means that the source has none. Number and Connections are ignored. The values must be clean.
func Prepare(c *company.Company) Incoming {
	in := Incoming{company: *c, given: !c.ID.IsZero(), name: identity.Name(c.Name), place: identity.PlaceOf(c)}
	in.company.Connections = nil
	if !in.given {
		in.company.ID = id.New[id.Company]()
	}
	in.company.CreatedAt = now()
	in.company.UpdatedAt = in.company.CreatedAt
	if in.name != "" {
		in.nameKey, in.placeKey = nameKey(in.name), placeKey(in.place, c.Domain)
	}
	if c.Domain != "" {
		in.domainKey = domainKey(c.Domain)
	}
	in.pageKey = pageKeyOf(c)
	in.record = company.Encode(&in.company)
	return in
}

func now() time.Time { return time.Now().UTC().Truncate(time.Microsecond) }

// Source is one file of an import. It records which companies the file has delivered, because two rows of one file are
// two companies unless their values say that they are the same. Not safe for concurrent use.
type Source struct {
	delivered *roaring.Bitmap // numbers; a map of ten million would take hundreds of megabytes
	imported  int64           // number of the import; 0 for none
}

// NewSource returns the source for a new file.
func NewSource() *Source { return &Source{delivered: roaring.New()} }

// Of makes the file part of an import, so that Undo knows what it did.
func (s *Source) Of(imported int64) { s.imported = imported }

// Weaken marks the id as a mere number of the source: it then does not match a company that has a different domain.
func (in *Incoming) Weaken() { in.weak = true }

// AsContact marks the record as one of a person at the company. It matches a company from an earlier record of its file by
// the domain, or by the name in the same country, and then only fills in what is unknown.
func (in *Incoming) AsContact() { in.contact = true }

// nameByDomain names a company without a name by its domain.
func (in *Incoming) nameByDomain() {
	in.company.Name = in.company.Domain
	in.name = identity.Name(in.company.Name)
	in.nameKey, in.placeKey = nameKey(in.name), placeKey(in.place, in.company.Domain)
	in.record = company.Encode(&in.company)
}

// End returns the company as the end of a connection.
func (in *Incoming) End() End {
	e := End{Name: in.company.Name, Domain: in.company.Domain}
	if in.given {
		e.ID = in.company.ID
	}
	return e
}
