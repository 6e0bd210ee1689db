// Package companytest generates companies: plausible, connected to each other, and the same for the same seed.
// It contains no real company; every domain ends in .example, which nobody can register.
package companytest

import (
	"encoding/binary"
	"iter"
	"math"
	"math/rand/v2"
	"time"

	"github.com/google/uuid"

	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/id"
)

// Generate returns n companies, numbered from 1, which the caller may change. Names and domains are distinct.
// The company with a number depends only on seed and n.
func Generate(seed uint64, n int) iter.Seq[*company.Company] {
	return func(yield func(*company.Company) bool) {
		for i := range n {
			if !yield(generate(seed, i, n)) {
				return
			}
		}
	}
}

// Slice returns the companies of Generate as a slice.
func Slice(seed uint64, n int) []*company.Company {
	companies := make([]*company.Company, 0, n)
	for c := range Generate(seed, n) {
		companies = append(companies, c)
	}
	return companies
}

var epoch = time.Date(2024, time.January, 8, 9, 0, 0, 0, time.UTC)

func generate(seed uint64, i, n int) *company.Company {
	r := rand.New(rand.NewPCG(seed, uint64(i)))
	name, domain := headOf(seed, i)
	line := pick(r, lines, skewSteep)
	place := pickPlace(r)
	c := &company.Company{
		Number:    company.Number(i + 1),
		ID:        idOf(seed, i),
		Name:      name,
		Domain:    domain,
		Website:   "https://www." + domain,
		CreatedAt: epoch.Add(time.Duration(i) * time.Second),
	}
	c.UpdatedAt = c.CreatedAt.Add(time.Duration(r.IntN(90*24*60)) * time.Minute)
	c.Country, c.CountryCode = place.country, place.code
	if city := pick(r, place.cities, skewMild); !chance(r, 8) {
		c.State, c.City = city.state, city.name
	}
	c.Industries = industriesOf(r, line)
	if !chance(r, 15) {
		c.NAICSCodes = []string{pick(r, line.naics, skewMild)}
	}
	c.Technologies, c.TechnologyCategories = technologiesOf(r)
	c.EmployeeCount = employeesOf(r)
	c.FoundedYear = foundedOf(r)
	if !chance(r, 10) {
		c.Description = describe(r, name, line, place)
	}
	if !chance(r, 40) {
		c.LinkedInURL = "https://www.linkedin.com/company/" + domain[:len(domain)-len(".example")]
	}
	c.Connections = connectionsOf(r, seed, i, n)
	return c
}

// chance returns true with this probability in percent.
func chance(r *rand.Rand, percent int) bool { return r.IntN(100) < percent }

// How strongly pick prefers the head of a list: the share of the first value grows with it.
const (
	skewMild  = 1.5
	skewSteep = 2.5
)

// pick prefers values near the head.
func pick[T any](r *rand.Rand, values []T, skew float64) T {
	return values[int(math.Pow(r.Float64(), skew)*float64(len(values)))]
}

func idOf(seed uint64, i int) id.Company {
	var u uuid.UUID
	r := rand.NewPCG(seed^0x6361706920696473, uint64(i))
	binary.BigEndian.PutUint64(u[:8], r.Uint64())
	binary.BigEndian.PutUint64(u[8:], r.Uint64())
	u[6], u[8] = u[6]&0x0f|0x40, u[8]&0x3f|0x80
	return id.Company{UUID: u}
}

// employeesOf returns log-normal counts with a median of 45; one in eight is unknown.
func employeesOf(r *rand.Rand) *int64 {
	if chance(r, 12) {
		return nil
	}
	n := int64(math.Exp(3.8 + 1.7*r.NormFloat64()))
	n = min(max(n, 1), 400_000)
	return &n
}

// foundedOf prefers recent decades; one in five is unknown.
func foundedOf(r *rand.Rand) *int64 {
	if chance(r, 20) {
		return nil
	}
	year := int64(2025 - min(r.ExpFloat64()*18, 160))
	return &year
}
