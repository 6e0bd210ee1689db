package importer

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/opencapi/capi/internal/importer/source"
)

// Summary is what an import did.
type Summary struct {
	Files       int            `json:"files"`
	Read        int            `json:"read"` // companies, including rejected ones
	Added       int            `json:"added"`
	Updated     int            `json:"updated"`
	Unchanged   int            `json:"unchanged"`
	Rejected    int            `json:"rejected"` // of those read
	Reasons     []Rejects      `json:"reasons"`  // of rejected companies and connections
	Notes       []Note         `json:"notes"`    // about files that a person should know
	Unparsed    []Unparsed     `json:"doubts"`   // values that could not be read, and were kept as written
	Connections Connections    `json:"connections"`
	Matched     map[string]int `json:"matched"` // rows that matched a known company, by id, domain or name
	Merges      Merges         `json:"merges"`
	Import      int64          `json:"import"` // the ID for capi import undo; 0 if nothing was written
	Sources     []Source       `json:"sources"`
	DryRun      bool           `json:"dry_run"` // nothing was written
	Took        Duration       `json:"took_seconds"`
}

// Note is a remark about one file.
type Note struct {
	File string `json:"file"`
	Text string `json:"text"` // follows the file's name: "is empty"
}

// Merges are the rows that became part of a company with another name, or of a company from an earlier row of the file.
type Merges struct {
	Count     int     `json:"count"`
	Repeated  int     `json:"repeated"`  // with an earlier row of the file
	Different int     `json:"different"` // with a company that has another name or place; the catalog keeps all of these
	Samples   []Merge `json:"samples"`   // the first few
}

// Merge is one such row.
type Merge struct {
	File string `json:"file"`
	Line int    `json:"line"`
	Name string `json:"name"`
	At   string `json:"place"`
	Into string `json:"into"`
	Was  string `json:"into_place"` // that of the company before the row
	By   string `json:"by"`
}

const mergesShown = 20

// Source is how a table of a source was read.
type Source struct {
	File    string       `json:"file"`
	Table   int          `json:"table"` // its number in the file, from 0
	Format  string       `json:"format"`
	Columns []ColumnPlan `json:"columns"`
	Pair    string       `json:"pair,omitempty"`    // how the two companies of a row are connected; empty if rows have one
	Empty   []string     `json:"empty"`             // fields without a column
	Rejects string       `json:"rejects,omitempty"` // the file with the rejected rows
	Unread  bool         `json:"unread,omitempty"`  // nothing was loaded, because no column identifies the company of a row
	Mapping Mapping      `json:"-"`                 // the plan, for --save-mapping

	Connections bool `json:"connections,omitempty"` // each row is a connection, whose columns are read by their names
}

// Unparsed are the values of one column that could not be read.
type Unparsed struct {
	Column  string   `json:"column"`
	Count   int      `json:"count"`
	Samples []Sample `json:"samples"` // the first few
}

// Connections is what an import did with connections, in files of their own or in companies.
type Connections struct {
	Read      int `json:"read"`
	Added     int `json:"added"`
	Unchanged int `json:"unchanged"`
	Pending   int `json:"pending"`   // of those added, the ones to a company that is not in the catalog yet
	Ambiguous int `json:"ambiguous"` // of those added, the ones to a company that could be any of several
	Rejected  int `json:"rejected"`
	Left      int `json:"left"` // of an interrupted import: those found that it has not come to
}

// Reason is why a record was rejected. Package source has the reasons why one cannot be read.
type Reason = source.Reason

// Why a record that was read cannot be used.
const (
	ReasonNameless   Reason = "no name, and its id or domain belongs to no known company"
	ReasonEmpty      Reason = "no name, domain, website or id"
	ReasonGroup      Reason = "the row is the heading or the sum of a group, and no company"
	ReasonInvalid    Reason = "a value is out of bounds"
	ReasonEnded      Reason = "the connection has ended"
	ReasonConnection Reason = "a connection needs a category, a company and a connected company"
)

// Rejects are the records that were rejected for one reason.
type Rejects struct {
	Reason  Reason   `json:"reason"`
	Count   int      `json:"count"`
	Samples []Sample `json:"samples"` // the first few
}

// Sample is one rejected record, or one value that could not be read.
type Sample struct {
	File   string `json:"file"`
	Line   int    `json:"line"`
	Detail string `json:"detail,omitempty"`
}

const (
	samplesMax     = 5
	detailBytesMax = 300
)

func (s *Summary) reject(r Reason, sample Sample) {
	i := slices.IndexFunc(s.Reasons, func(have Rejects) bool { return have.Reason == r })
	if i < 0 {
		i = len(s.Reasons)
		s.Reasons = append(s.Reasons, Rejects{Reason: r})
	}
	s.Reasons[i].Count++
	if len(s.Reasons[i].Samples) < samplesMax {
		sample.Detail = sample.Detail[:min(len(sample.Detail), detailBytesMax)]
		s.Reasons[i].Samples = append(s.Reasons[i].Samples, sample)
	}
}

func (s *Summary) addUnparsed(column string, sample Sample) {
	i := slices.IndexFunc(s.Unparsed, func(have Unparsed) bool { return have.Column == column })
	if i < 0 {
		if len(s.Unparsed) >= source.ColumnsMax {
			return
		}
		i = len(s.Unparsed)
		s.Unparsed = append(s.Unparsed, Unparsed{Column: column})
	}
	s.Unparsed[i].Count++
	if len(s.Unparsed[i].Samples) < samplesMax {
		s.Unparsed[i].Samples = append(s.Unparsed[i].Samples, sample)
	}
}

// copied returns a copy that does not change while the import continues.
func (s *Summary) copied() Summary {
	c := *s
	c.Reasons, c.Notes = slices.Clone(s.Reasons), slices.Clone(s.Notes)
	c.Matched = maps.Clone(s.Matched)
	c.Merges.Samples = slices.Clone(s.Merges.Samples)
	c.Unparsed, c.Sources = slices.Clone(s.Unparsed), slices.Clone(s.Sources)
	return c
}

// Duration is a time.Duration that is seconds in JSON.
type Duration time.Duration

// MarshalJSON writes seconds.
func (d Duration) MarshalJSON() ([]byte, error) { return json.Marshal(time.Duration(d).Seconds()) }

// UnmarshalJSON reads seconds.
func (d *Duration) UnmarshalJSON(p []byte) error {
	var seconds float64
	err := json.Unmarshal(p, &seconds)
	*d = Duration(seconds * float64(time.Second))
	return err
}

func (d Duration) String() string { return time.Duration(d).String() }

// Seconds returns the duration in seconds.
func (d Duration) Seconds() float64 { return time.Duration(d).Seconds() }

// shorten cuts s to detailBytesMax.
func shorten(s string) string {
	if len(s) <= detailBytesMax {
		return s
	}
	return strings.ToValidUTF8(s[:detailBytesMax], "") + "…"
}
