package indextest

import (
	"encoding/binary"
	"fmt"
	"iter"
	"math"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/index"
	"github.com/opencapi/capi/internal/query"
)

// Workload generates companies for benchmarks. A company has 44 words out of 70,000, 12 technologies out of 3,000, 11 of
// their 80 categories and 5 connections, all with a skewed distribution. They are much more varied than companytest's.
type Workload struct {
	words, technologies, categories, industries, cities []string

	zipfWord, zipfTechnology, zipfCategory, zipfIndustry, zipfCity, zipfTarget *zipf
}

// NewWorkload prepares companies with the numbers 1 to n.
func NewWorkload(n int) *Workload {
	return &Workload{
		words: spell("", 70_000), technologies: spell("Tech ", 3000), categories: spell("Category ", 80),
		industries: spell("Industry ", 450), cities: spell("City ", 12_000),
		zipfWord: newZipf(70_000, 1.05), zipfTechnology: newZipf(3000, 0.9), zipfCategory: newZipf(80, 0.6),
		zipfIndustry: newZipf(450, 1), zipfCity: newZipf(12_000, 0.9), zipfTarget: newZipf(max(n, 100), 0.75),
	}
}

// spell returns distinct pronounceable words.
func spell(prefix string, n int) []string {
	const consonants, vowels = "bdfgklmnprstvz", "aeiou"
	words := make([]string, n)
	for i := range words {
		w := []byte(prefix)
		for rest := i + 70; rest > 0; rest /= len(consonants) * len(vowels) {
			s := rest % (len(consonants) * len(vowels))
			w = append(w, consonants[s/len(vowels)], vowels[s%len(vowels)])
		}
		words[i] = string(w)
	}
	return words
}

// Company returns the company with the number.
func (w *Workload) Company(n int) *company.Company {
	r := rand.New(rand.NewPCG(1, uint64(n)))
	c := &company.Company{
		Number: company.Number(n), ID: workloadID(n), Domain: workloadDomain(n),
		Country: countryOf(r), City: w.cities[w.zipfCity.draw(r)],
		UpdatedAt: time.UnixMicro(1_700_000_000_000_000 + r.Int64N(1e13)).UTC(),
	}
	c.State = "State " + w.cities[w.zipfCity.draw(r)/8]
	c.Name = w.text(r, 2+r.IntN(2), 500) + " " + w.words[r.IntN(len(w.words))]
	c.Description = w.description(r)
	c.Technologies = w.distinct(r, w.technologies, w.zipfTechnology, 4+r.IntN(18))
	c.TechnologyCategories = w.distinct(r, w.categories, w.zipfCategory, 5+r.IntN(14))
	c.Industries = w.distinct(r, w.industries, w.zipfIndustry, 1+r.IntN(4))
	c.NAICSCodes = []string{strconv.Itoa(110000 + 100*r.IntN(8000))}
	if r.IntN(10) > 0 {
		employees := int64(math.Exp(3.6 + 1.8*r.NormFloat64()))
		c.EmployeeCount = &employees
	}
	if r.IntN(5) > 0 {
		year := int64(2024 - min(r.ExpFloat64()*15, 120))
		c.FoundedYear = &year
	}
	for range r.IntN(11) {
		to := w.zipfTarget.draw(r) + 1
		c.Connections = append(c.Connections, company.Connection{
			Category: relations[r.IntN(len(relations))], ID: workloadID(to), Number: company.Number(to), Domain: workloadDomain(to),
		})
	}
	return c
}

var relations = []string{"vendor", "customer", "partner", "investor", "competitor"}

func workloadDomain(n int) string { return fmt.Sprintf("c%d.example", n) }

func workloadID(n int) (i id.Company) {
	r := rand.NewPCG(2, uint64(n))
	binary.BigEndian.PutUint64(i.UUID[:8], r.Uint64())
	binary.BigEndian.PutUint64(i.UUID[8:], r.Uint64())
	return i
}

// countryOf returns the country; every fourth company is in Country 0.
func countryOf(r *rand.Rand) string {
	if r.IntN(1000) < 259 {
		return "Country 0"
	}
	return fmt.Sprint("Country ", 1+int(194*math.Pow(r.Float64(), 3)))
}

// Changes yields the changes that add the companies from 1 to n, in batches.
func (w *Workload) Changes(n int) iter.Seq[[]index.Change] {
	const batch = 50_000
	return func(yield func([]index.Change) bool) {
		for from := 1; from <= n; from += batch {
			changes := make([]index.Change, min(batch, n-from+1))
			half := len(changes) / 2
			fill := func(low, high int) {
				for i := low; i < high; i++ {
					changes[i] = index.Change{Number: company.Number(from + i), Company: w.Company(from + i)}
				}
			}
			var second sync.WaitGroup
			second.Go(func() { fill(half, len(changes)) })
			fill(0, half)
			second.Wait()
			if !yield(changes) {
				return
			}
		}
	}
}

// description contains each of two phrases now and then, and their words apart equally often.
func (w *Workload) description(r *rand.Rand) string {
	parts := []string{w.text(r, 8+r.IntN(12), 0)}
	for _, phrase := range [][2]string{{"solar", "power"}, {"cold", "chain"}} {
		switch r.IntN(20) {
		case 0:
			parts = append(parts, phrase[0], phrase[1])
		case 1:
			parts = append(parts, phrase[1], w.text(r, 2, 0), phrase[0])
		}
		parts = append(parts, w.text(r, 4+r.IntN(16), 0))
	}
	return strings.Join(parts, " ")
}

func (w *Workload) text(r *rand.Rand, n, skip int) string {
	var b strings.Builder
	for i := range n {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(w.words[(w.zipfWord.draw(r)+skip)%len(w.words)])
	}
	return b.String()
}

func (w *Workload) distinct(r *rand.Rand, values []string, z *zipf, n int) []string {
	seen := make(map[int]bool, n)
	var all []string
	for range n {
		if i := z.draw(r); !seen[i] {
			seen[i] = true
			all = append(all, values[i])
		}
	}
	return all
}

// Searches returns the eight searches of the workload. All but the text searches sort by size.
func (w *Workload) Searches() []Named {
	by := query.Sort{By: query.ByEmployeeCount, Desc: true}
	relevance := query.Sort{By: query.ByRelevance, Desc: true}
	low, mid, high := int64(20), int64(50), int64(500)
	return []Named{
		{"Q1-all", query.Filters{}, by},
		{"Q2-quarter", query.Filters{Countries: []string{"Country 0"}}, by},
		{"Q3-sets-range", query.Filters{
			Countries: []string{"Country 0", "Country 1", "Country 2"}, Industries: w.industries[2:6],
			Technologies: w.technologies[3:8], EmployeeCountMin: &mid, EmployeeCountMax: &high,
		}, by},
		{"Q4-word", query.Filters{Query: w.words[wordAt(w, 0.115)]}, relevance},
		{"Q5-words-country", query.Filters{
			Query: w.words[wordAt(w, 0.2)] + " " + w.words[wordAt(w, 0.08)], Countries: []string{"Country 0"},
		}, relevance},
		{"Q6-and-not-range", query.Filters{
			TechnologyCategories: w.categories[:1], ExcludeIndustries: w.industries[:4],
			EmployeeCountMin: &low, EmployeeCountMax: &high, FoundedYearMin: ptr(2000),
		}, by},
		{"Q7-phrases", query.Filters{Keywords: []string{"solar power", "cold chain"}}, relevance},
		{"Q8-connection", query.Filters{Connections: []query.ConnectionFilter{
			{Category: "vendor", ConnectedDomain: workloadDomain(2)},
		}}, by},
	}
}

func ptr(n int64) *int64 { return &n }

// wordAt returns the index of a word that about that share of the companies has.
func wordAt(w *Workload, share float64) int {
	for i, p := range w.zipfWord.shares() {
		if 1-math.Pow(1-p, 40) < share {
			return i
		}
	}
	return 0
}

// Named is a named search of the workload.
type Named struct {
	Name    string
	Filters query.Filters
	Sort    query.Sort
}
