package bleve

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/blevesearch/bleve/v2"
	"github.com/blevesearch/bleve/v2/analysis/analyzer/keyword"
	"github.com/blevesearch/bleve/v2/analysis/analyzer/simple"
	"github.com/blevesearch/bleve/v2/mapping"

	"github.com/opencapi/capi/internal/company"

	"github.com/opencapi/capi/bench/workload"
)

const batchSize = 1000

// document is a company as Bleve indexes it.
type document struct {
	Name         string   `json:"name"`
	Description  string   `json:"description"`
	Country      string   `json:"country"`
	Industries   []string `json:"industries"`
	Technologies []string `json:"technologies"`
	Categories   []string `json:"categories"`
	Connections  []string `json:"connections"` // category, space, domain
	Employees    *float64 `json:"employees"`
	Founded      *float64 `json:"founded"`
}

func mappings() *mapping.IndexMappingImpl {
	text := bleve.NewTextFieldMapping()
	text.Analyzer = simple.Name
	text.Store, text.IncludeInAll, text.DocValues = false, false, false
	word := bleve.NewTextFieldMapping()
	word.Analyzer = keyword.Name
	word.Store, word.IncludeInAll, word.IncludeTermVectors = false, false, false
	link := bleve.NewTextFieldMapping()
	*link = *word
	link.DocValues = false
	number := bleve.NewNumericFieldMapping()
	number.Store, number.IncludeInAll = false, false
	d := bleve.NewDocumentStaticMapping()
	for field, m := range map[string]*mapping.FieldMapping{
		"name": text, "description": text, "country": word, "industries": word, "technologies": word, "categories": word,
		"connections": link, "employees": number, "founded": number,
	} {
		d.AddFieldMappingsAt(field, m)
	}
	m := bleve.NewIndexMapping()
	m.DefaultMapping = d
	return m
}

func load(ctx context.Context, w *workload.Workload, dir string) error {
	ix, err := bleve.New(filepath.Join(dir, "index"), mappings())
	if err != nil {
		return err
	}
	return errors.Join(fill(ctx, ix, w), ix.Close())
}

func fill(ctx context.Context, ix bleve.Index, w *workload.Workload) error {
	batch := ix.NewBatch()
	for companies := range w.Batches(batchSize) {
		if err := ctx.Err(); err != nil {
			return err
		}
		for _, c := range companies {
			// Fixed width, so that documents sort in numeric order.
			if err := batch.Index(fmt.Sprintf("%09d", c.Number), documentOf(c)); err != nil {
				return err
			}
		}
		if err := ix.Batch(batch); err != nil {
			return err
		}
		batch.Reset()
	}
	return nil
}

func documentOf(c *company.Company) document {
	d := document{
		Name: c.Name, Description: c.Description, Country: c.Country, Industries: c.Industries,
		Technologies: c.Technologies, Categories: c.TechnologyCategories,
		Employees: float(c.EmployeeCount), Founded: float(c.FoundedYear),
	}
	for _, x := range c.Connections {
		d.Connections = append(d.Connections, x.Category+" "+x.Domain)
	}
	return d
}
