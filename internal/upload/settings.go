package upload

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/importer"
	"github.com/opencapi/capi/internal/importer/source"
)

// Settings are what a person decided about how the files are read. The zero Settings decide nothing.
type Settings struct {
	Encoding  string                       `json:"encoding,omitempty"`
	Delimiter string                       `json:"delimiter,omitempty"`
	Sheet     string                       `json:"sheet,omitempty"`
	Set       map[string]string            `json:"set,omitempty"`     // as importer.Mapping has it
	Columns   map[string]map[string]Choice `json:"columns,omitempty"` // by table and column
}

// Choice is how a column is read.
type Choice struct {
	As string `json:"as"` // a field as importer.Mapping has it, or one of the constants
	At int    `json:"at"` // the column's position in the table
}

// What can be chosen for a column besides a field.
const (
	ChoiceIgnore    = "ignore"     // it is not read
	ChoiceKey       = "key"        // the source's own key
	ChoiceAttribute = "attributes" // it is kept as an attribute under its name
)

// TableKey returns the key in Settings.Columns of a table.
func TableKey(file string, table int) string { return fmt.Sprintf("%d/%s", table, file) }

// Choose records the choice for a column, which replaces an earlier one. An empty choice leaves the column to recognition.
func (s *Settings) Choose(table, column string, choice Choice) {
	if choice.As == "" {
		delete(s.Columns[table], column)
		return
	}
	if s.Columns == nil {
		s.Columns = map[string]map[string]Choice{}
	}
	if s.Columns[table] == nil {
		s.Columns[table] = map[string]Choice{}
	}
	s.Columns[table][column] = choice
}

// mapping returns the choices of a table as the importer needs them.
func (s *Settings) mapping(table string) importer.Mapping {
	m := importer.Mapping{Map: map[string][]string{}, Set: s.Set}
	columns := slices.SortedFunc(maps.Keys(s.Columns[table]), func(a, b string) int {
		return cmp.Or(s.Columns[table][a].At-s.Columns[table][b].At, strings.Compare(a, b))
	})
	for _, column := range columns {
		switch as := s.Columns[table][column].As; as {
		case ChoiceIgnore:
			m.Skip = append(m.Skip, column)
		case ChoiceKey:
			m.Key = column
		case ChoiceAttribute:
			m.Map[ChoiceAttribute+"."+column] = []string{column}
		default:
			m.Map[as] = append(m.Map[as], column)
		}
	}
	return m
}

// check returns a fault if the importer would refuse the settings.
func (s *Settings) check() error {
	for table, columns := range s.Columns {
		m := s.mapping(table)
		if err := m.Check(); err != nil {
			return fault.New(fault.Validation, "The columns cannot be read so: %s.", err)
		}
		keys := 0
		for _, choice := range columns {
			if choice.As == ChoiceKey {
				keys++
			}
		}
		if keys > 1 {
			return fault.New(fault.Validation, "Only one column of a table can be the key of the source.")
		}
	}
	if m := s.mapping(""); m.Check() != nil {
		return fault.New(fault.Validation, "A value for every row cannot be set so: %s.", m.Check())
	}
	return nil
}

// options returns what the importer needs to read the files of an upload.
func (u *Uploads) options(up *Upload) importer.Options {
	s := up.Settings
	return importer.Options{
		Catalog: u.catalog, Dir: u.path(up.ID, filesDir), TempDir: u.path(up.ID), Files: up.Usable(),
		Reading:  source.Options{Encoding: s.Encoding, Delimiter: s.Delimiter, Sheet: s.Sheet},
		MapTable: func(file string, table int) importer.Mapping { return s.mapping(TableKey(file, table)) },
	}
}
