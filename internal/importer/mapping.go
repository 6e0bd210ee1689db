package importer

import (
	"bytes"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/pelletier/go-toml/v2"
)

// Mapping is what a person decided about the columns of a source. With the zero Mapping, names and values decide.
type Mapping struct {
	Map      map[string][]string `toml:"map,omitempty"`      // from field to the columns that it is read from, the best first
	Set      map[string]string   `toml:"set,omitempty"`      // from field to the value that every row gets
	Skip     []string            `toml:"skip,omitempty"`     // columns that are not read
	Key      string              `toml:"key,omitempty"`      // the column that identifies companies in this source
	Unmapped string              `toml:"unmapped,omitempty"` // "keep" as attributes, which is the default, or "ignore"
}

const (
	unmappedKeep   = "keep"
	unmappedIgnore = "ignore"
)

// LoadMapping reads a mapping file.
func LoadMapping(path string) (Mapping, error) {
	var m Mapping
	p, err := os.ReadFile(path)
	if err != nil {
		return m, fmt.Errorf("read mapping: %w", err)
	}
	d := toml.NewDecoder(bytes.NewReader(p)).DisallowUnknownFields()
	if err := d.Decode(&m); err != nil {
		return m, fmt.Errorf("read mapping %s: %w", path, err)
	}
	return m, nil
}

// Save writes a mapping file.
func (m Mapping) Save(path string) error {
	var b bytes.Buffer
	b.WriteString("# How capi import reads the columns of a source: capi import --mapping FILE …\n")
	if err := toml.NewEncoder(&b).Encode(m); err != nil {
		return fmt.Errorf("write mapping: %w", err)
	}
	if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil { //nolint:gosec // it holds no secret
		return fmt.Errorf("write mapping: %w", err)
	}
	return nil
}

// Over returns m with o taking precedence.
func (m Mapping) Over(o Mapping) Mapping {
	out := Mapping{Map: map[string][]string{}, Set: map[string]string{}, Skip: slices.Concat(m.Skip, o.Skip), Key: m.Key, Unmapped: m.Unmapped}
	for _, from := range []Mapping{m, o} {
		for field, columns := range from.Map {
			out.Map[field] = columns
		}
		for field, value := range from.Set {
			out.Set[field] = value
		}
	}
	if o.Key != "" {
		out.Key = o.Key
	}
	if o.Unmapped != "" {
		out.Unmapped = o.Unmapped
	}
	return out
}

// Check returns what is wrong with the mapping, for any source.
func (m Mapping) Check() error {
	for field := range m.Map {
		if _, _, err := fieldNamed(field); err != nil {
			return err
		}
	}
	for field := range m.Set {
		if c, _, err := fieldNamed(field); err != nil {
			return err
		} else if c == colID {
			return fmt.Errorf("the field %q identifies a company, so it cannot have the same value in every row", field)
		}
	}
	if m.Unmapped != "" && m.Unmapped != unmappedKeep && m.Unmapped != unmappedIgnore {
		return fmt.Errorf("unmapped must be %q or %q, not %q", unmappedKeep, unmappedIgnore, m.Unmapped)
	}
	return nil
}

const attributePrefix = "attributes."

// fieldNamed reads the name of a field, including connections.CATEGORY and attributes.NAME, whose part after the dot is
// rest.
func fieldNamed(name string) (c column, rest string, err error) {
	if rest, ok := strings.CutPrefix(name, "connections."); ok && rest != "" {
		return colRelation, rest, nil
	}
	if rest, ok := strings.CutPrefix(name, attributePrefix); ok && rest != "" {
		return colAttribute, rest, nil
	}
	if c, ok := fieldByName(name); ok {
		return c, "", nil
	}
	return 0, "", unknownField(name)
}
