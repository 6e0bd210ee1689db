package customer

import (
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"sync"
)

// Catalog is the catalog as the customers know it. Companies are numbered from 1, and each has as many employees as its number,
// so that a range of employees is a known set in a known order. Every import gives all of them a new edition, which is part
// of the description; the first is 1.
type Catalog struct {
	Size int

	importing sync.Mutex // one import at a time, so that editions stay in order
	mu        sync.Mutex
	begun     int // the newest edition that may be in the catalog
	done      int // the newest edition that all companies have at least
}

// Import imports the next edition. After an error, any of the companies may have it.
func (c *Catalog) Import(ctx context.Context, load func(ctx context.Context, ndjson string) error) error {
	c.importing.Lock()
	defer c.importing.Unlock()
	c.mu.Lock()
	c.begun++
	edition := c.begun
	c.mu.Unlock()
	if err := load(ctx, c.ndjson(edition, 0)); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.done = edition
	return nil
}

// extras is the number of new companies in an import that is undone. They are never bought, since they have no employees.
const extras = 20

// ImportAndUndo imports the next edition, with more companies, and undoes the import. Files written in between keep the edition.
// After an error, any company may have it too.
func (c *Catalog) ImportAndUndo(
	ctx context.Context, load func(ctx context.Context, ndjson string) error, undo func(context.Context) error,
) error {
	c.importing.Lock()
	defer c.importing.Unlock()
	c.mu.Lock()
	c.begun++
	edition := c.begun
	c.mu.Unlock()
	if err := load(ctx, c.ndjson(edition, extras)); err != nil {
		return err
	}
	return undo(ctx)
}

func (c *Catalog) editions() (done, begun int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.done, c.begun
}

func (c *Catalog) ndjson(edition, more int) string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	for n := 1; n <= c.Size; n++ {
		err := e.Encode(map[string]any{
			"name": fmt.Sprintf("Company %06d", n), "domain": domain(n), "country": "Germany", "employee_count": n,
			"description": fmt.Sprintf("Edition %d. Makes gears, pumps and valves for company %d and others.", edition, n),
		})
		if err != nil {
			panic(err) // strings and numbers can always be encoded
		}
	}
	for n := range more {
		fmt.Fprintf(&b, `{"id": "extra-%d", "name": "Extra %d", "domain": "extra%d.example", "country": "Iceland"}`+"\n", n, n, n)
	}
	return b.String()
}

func domain(n int) string { return fmt.Sprintf("c%d.example", n) }

var (
	domainPattern  = regexp.MustCompile(`^c(\d+)\.example$`)
	editionPattern = regexp.MustCompile(`^Edition (\d+)\. `)
)

// row is a company in a file.
type row struct{ number, edition int }

func parseRow(domain, description string) (row, error) {
	d, e := domainPattern.FindStringSubmatch(domain), editionPattern.FindStringSubmatch(description)
	if d == nil || e == nil {
		return row{}, fmt.Errorf("unexpected row: %q, %q", domain, description)
	}
	number, _ := strconv.Atoi(d[1])
	edition, _ := strconv.Atoi(e[1])
	return row{number, edition}, nil
}
