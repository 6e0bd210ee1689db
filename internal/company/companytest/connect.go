package companytest

import (
	"cmp"
	"math/rand/v2"
	"slices"

	"github.com/opencapi/capi/internal/company"
)

// categories are sorted by frequency, most frequent first.
var categories = []string{"vendor", "customer", "partner", "investor", "competitor", "portfolio", "acquisition", "owner"}

// connectionsOf returns up to six of the n companies; low numbers get the most connections, as large vendors do.
func connectionsOf(r *rand.Rand, seed uint64, i, n int) []company.Connection {
	if n < 2 || chance(r, 20) {
		return nil
	}
	type key struct {
		category string
		to       int
	}
	var keys []key
	for range 1 + r.IntN(6) {
		to := int(float64(n) * square(square(r.Float64())))
		k := key{pick(r, categories, skewMild), to}
		if to != i && !slices.Contains(keys, k) {
			keys = append(keys, k)
		}
	}
	var connections []company.Connection
	for _, k := range keys {
		name, domain := headOf(seed, k.to)
		connections = append(connections, company.Connection{
			Category: k.category, ID: idOf(seed, k.to), Number: company.Number(k.to + 1), Name: name, Domain: domain,
		})
	}
	slices.SortFunc(connections, func(a, b company.Connection) int {
		return cmp.Or(cmp.Compare(a.Category, b.Category), cmp.Compare(a.Name, b.Name))
	})
	return connections
}

func square(f float64) float64 { return f * f }
