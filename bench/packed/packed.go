// Package packed stores the facet values of a company as a row of small ids, and counts rows: the help for databases
// that have no facets. It is not an index: it scans rows one by one.
package packed

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/index"

	"github.com/opencapi/capi/bench/workload"
)

// Value is a facet, by its position in workload.Facets, and one of its values.
type Value struct {
	Facet int
	Value string
}

// The positions of the facets in workload.Facets.
const (
	Country = iota
	Industry
	Technology
	Category
	Size
)

// Dictionary assigns ids to the values of all facets; ids fit in 16 bits.
type Dictionary struct {
	Values []Value
	ids    map[Value]uint16
}

// NewDictionary returns an empty dictionary.
func NewDictionary() *Dictionary { return &Dictionary{ids: map[Value]uint16{}} }

const file = "facets.json"

// Load reads a dictionary that Save has written.
func Load(dir string) (*Dictionary, error) {
	p, err := os.ReadFile(filepath.Join(dir, file))
	if err != nil {
		return nil, fmt.Errorf("read facet values: %w", err)
	}
	d := NewDictionary()
	if err := json.Unmarshal(p, &d.Values); err != nil {
		return nil, fmt.Errorf("read facet values: %w", err)
	}
	for i, v := range d.Values {
		d.ids[v] = uint16(i)
	}
	return d, nil
}

// Save writes the dictionary to dir.
func (d *Dictionary) Save(dir string) error {
	p, err := json.Marshal(d.Values)
	if err != nil {
		return fmt.Errorf("write facet values: %w", err)
	}
	return os.WriteFile(filepath.Join(dir, file), p, 0o644)
}

// ID returns the id of a value, assigning one if necessary.
func (d *Dictionary) ID(v Value) uint16 {
	id, ok := d.ids[v]
	if !ok {
		if len(d.Values) > 0xffff {
			panic("packed: more than 65,536 facet values")
		}
		id = uint16(len(d.Values))
		d.ids[v] = id
		d.Values = append(d.Values, v)
	}
	return id
}

// IDs returns the ids of the known values of a facet.
func (d *Dictionary) IDs(facet int, values []string) (ids []uint16) {
	for _, v := range values {
		if id, ok := d.ids[Value{facet, v}]; ok {
			ids = append(ids, id)
		}
	}
	return ids
}

// Row appends the ids of a company's values to ids.
func (d *Dictionary) Row(ids []uint16, c *company.Company) []uint16 {
	ids = append(ids, d.ID(Value{Country, c.Country}))
	for i, values := range [...][]string{c.Industries, c.Technologies, c.TechnologyCategories} {
		for _, v := range values {
			ids = append(ids, d.ID(Value{Industry + i, v}))
		}
	}
	if c.EmployeeCount != nil {
		ids = append(ids, d.ID(Value{Size, workload.BandName(*c.EmployeeCount)}))
	}
	return ids
}

// Append appends ids as bytes, the form that Counter.Add reads.
func Append(p []byte, ids []uint16) []byte {
	for _, id := range ids {
		p = binary.LittleEndian.AppendUint16(p, id)
	}
	return p
}

// Counter counts rows by value.
type Counter struct {
	dictionary *Dictionary
	counts     []int32
	rows       int
}

// NewCounter returns an empty counter.
func NewCounter(d *Dictionary) *Counter {
	return &Counter{dictionary: d, counts: make([]int32, 1<<16)}
}

// Add counts a row.
func (c *Counter) Add(row []byte) {
	c.rows++
	for ; len(row) >= 2; row = row[2:] {
		c.counts[binary.LittleEndian.Uint16(row)]++
	}
}

// Set sets the count of an id.
func (c *Counter) Set(id uint16, count int) { c.counts[id] = int32(count) }

// Rows is the number of rows.
func (c *Counter) Rows() int { return c.rows }

// Facets returns the counts in the form of an Answer.
func (c *Counter) Facets() [][]index.Count {
	facets := make([][]index.Count, len(workload.Facets))
	for i, v := range c.dictionary.Values {
		if c.counts[i] > 0 {
			facets[v.Facet] = append(facets[v.Facet], index.Count{Value: v.Value, Count: int(c.counts[i])})
		}
	}
	for f := range facets {
		facets[f] = workload.SortFacet(facets[f])
	}
	return facets
}
