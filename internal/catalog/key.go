package catalog

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/identity"
	"github.com/opencapi/capi/internal/text"
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
func domainKey(domain string) int64  { return key("domain", domain) }
func nameKey(matchName string) int64 { return key("name", matchName) }
func pageKey(page string) int64      { return key("page", page) }
func idKey(c id.Company) int64       { return key("id", c.String()) }

// idTail returns the key of an id in company_key. It is not a hash, so that the database can compute it.
func idTail(c id.Company) int64 { return int64(binary.BigEndian.Uint32(c.UUID[12:])) }

// nameKeys returns the keys under which a connection may wait for a company with the name. The first is the one that is stored
// now; the others are those of connections stored when names were compared with their punctuation and spaces.
func nameKeys(name string) []int64 {
	match, folded := identity.Name(name), text.Fold(name)
	keys := []int64{nameKey(match)}
	if folded == match {
		return keys
	}
	keys = append(keys, nameKey(folded))
	if plain := strings.Join(strings.FieldsFunc(folded, isSeparator), " "); plain != folded {
		keys = append(keys, nameKey(plain))
	}
	return keys
}

func isSeparator(r rune) bool { return r == ' ' || r == ',' || r == '.' }

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

// numberArray returns a JSON array for db.Dialect.InNumbers and EachNumber.
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

// idTails returns the idTail of each id as a JSON array for db.Dialect.InNumbers.
func idTails(ids []id.Company) string {
	tails := make([]int64, len(ids))
	for i, c := range ids {
		tails[i] = idTail(c)
	}
	return numberArray(tails)
}

func numbersOf(rows []row) []company.Number {
	out := make([]company.Number, len(rows))
	for i := range rows {
		out[i] = rows[i].number
	}
	return out
}
