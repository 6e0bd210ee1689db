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
	Read        int            `json:"read"` // companies, the rejected ones included
	Added       int            `json:"added"`
	Updated     int            `json:"updated"`
	Unchanged   int            `json:"unchanged"`
	Rejected    int            `json:"rejected"` // of those read
	Reasons     []Rejects      `json:"reasons"`  // of rejected companies and connections
	Notes       []Note         `json:"notes"`    // on files that are not what one would think
	Unparsed    []Unparsed     `json:"doubts"`   // values that were not understood, and kept as attributes
	Connections Connections    `json:"connections"`
	Matched     map[string]int `json:"matched"` // rows that were known companies, by what told so: id, domain or name
	Merges      Merges         `json:"merges"`
	Import      int64          `json:"import"` // what capi import undo takes; 0 if nothing was written
	Sources     []Source       `json:"sources"`
	DryRun      bool           `json:"dry_run"` // nothing was written
	Took        Duration       `json:"took_seconds"`
}

// Note is what is to be said of one file.
type Note struct {
	File string `json:"file"`
	Text string `json:"text"` // such as "is empty"
}

// Merges are the rows that became part of a company of another name, or of one that an earlier row of the file gave.
type Merges struct {
	Count    int     `json:"count"`
	Repeated int     `json:"repeated"` // in the file
	Samples  []Merge `json:"samples"`  // the first few
}

// Merge is one such row.
type Merge struct {
	File string `json:"file"`
	Line int    `json:"line"`
	Name string `json:"name"`
	Into string `json:"into"`
	By   string `json:"by"`
}

const mergesShown = 20

// Source is how a source was read.
type Source struct {
	File    string       `json:"file"`
	Format  string       `json:"format"`
	Columns []ColumnPlan `json:"columns"`
	Pair    string       `json:"pair,omitempty"`    // of a row of two companies: what they are to each other
	Empty   []string     `json:"empty"`             // the fields that nothing is read into
	Rejects string       `json:"rejects,omitempty"` // the file that the rejected rows went to
	Mapping Mapping      `json:"-"`                 // all that was decided
}

// Unparsed are the values of one column that were not understood.
type Unparsed struct {
	Column  string   `json:"column"`
	Count   int      `json:"count"`
	Samples []Sample `json:"samples"` // the first few
}

// Connections is what an import did with connections, whether they came in a file of their own or in companies.
type Connections struct {
	Read      int `json:"read"`
	Added     int `json:"added"`
	Unchanged int `json:"unchanged"`
	Pending   int `json:"pending"`   // of those added, the ones that wait for their company to become known
	Ambiguous int `json:"ambiguous"` // of those added, the ones whose company may be any of several
	Rejected  int `json:"rejected"`
}

// Reason is why a record was rejected. The package source has the reasons for which one cannot be read.
type Reason = source.Reason

// Why a record that was read cannot be used.
const (
	ReasonNameless   Reason = "no name, and its id or domain belongs to no known company"
	ReasonEmpty      Reason = "no name, domain, website or id"
	ReasonInvalid    Reason = "a value is out of bounds"
	ReasonConnection Reason = "a connection needs a category, a company and a connected company"
)

// Rejects are the records rejected for one reason.
type Rejects struct {
	Reason  Reason   `json:"reason"`
	Count   int      `json:"count"`
	Samples []Sample `json:"samples"` // the first few
}

// Sample is one rejected record.
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

// copied can be kept while the import goes on.
func (s *Summary) copied() Summary {
	c := *s
	c.Reasons, c.Notes = slices.Clone(s.Reasons), slices.Clone(s.Notes)
	c.Matched = maps.Clone(s.Matched)
	c.Merges.Samples = slices.Clone(s.Merges.Samples)
	c.Unparsed, c.Sources = slices.Clone(s.Unparsed), slices.Clone(s.Sources)
	return c
}

// Duration is a time.Duration that stands in JSON as seconds.
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

// Seconds is the duration in seconds.
func (d Duration) Seconds() float64 { return time.Duration(d).Seconds() }

// shorten cuts off what is too long to be shown.
func shorten(s string) string {
	if len(s) <= detailBytesMax {
		return s
	}
	return strings.ToValidUTF8(s[:detailBytesMax], "") + "…"
}
