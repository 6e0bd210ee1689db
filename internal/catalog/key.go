package catalog

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"strconv"

	"github.com/google/uuid"

	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/id"
)

// namespace is the UUID namespace of ids that are not UUIDs. Changing it would disconnect all such companies from their
// sources.
var namespace = uuid.MustParse("6f3f4f0a-52a1-5c0e-9b7e-3d1c5e0a7b11")

// CompanyID returns the id of a company with the source's id s: s itself if it is a UUID, else a UUID derived from it,
// which is always the same.
func CompanyID(s string) id.Company {
	if c, err := id.Parse[id.Company](s); err == nil && !c.IsZero() {
		return c
	}
	return id.Company{UUID: uuid.NewSHA1(namespace, []byte(s))}
}

// Companies are found by 32-bit hashes, because an index on small integers takes a fraction of the time and space of one
// on texts. Callers must compare the texts themselves.
func domainKey(domain string) int64   { return key("domain", domain) }
func nameKey(foldedName string) int64 { return key("name", foldedName) }
func idKey(c id.Company) int64        { return key("id", c.String()) }

func key(parts ...string) int64 { return hash(parts...) >> 32 }

// hash is stored, so it must never change. It is wide enough to ignore collisions.
func hash(parts ...string) int64 {
	var buf [256]byte
	p := buf[:0]
	for _, s := range parts {
		p = append(binary.AppendUvarint(p, uint64(len(s))), s...)
	}
	sum := sha256.Sum256(p)
	return int64(binary.BigEndian.Uint64(sum[:]))
}

// numberArray returns a JSON array for db.Dialect.EachNumber.
func numberArray[N ~int64 | ~uint32](numbers []N) string {
	p := make([]byte, 0, 2+12*len(numbers))
	p = append(p, '[')
	for i, n := range numbers {
		if i > 0 {
			p = append(p, ',')
		}
		p = strconv.AppendInt(p, int64(n), 10)
	}
	return string(append(p, ']'))
}

// idArray returns a JSON array for db.Dialect.EachString.
func idArray(ids []id.Company) string {
	texts := make([]string, len(ids))
	for i, c := range ids {
		texts[i] = c.String()
	}
	p, err := json.Marshal(texts)
	if err != nil {
		panic(err) // cannot happen: strings have a JSON form
	}
	return string(p)
}

func numbersOf(rows []row) []company.Number {
	out := make([]company.Number, len(rows))
	for i := range rows {
		out[i] = rows[i].number
	}
	return out
}
