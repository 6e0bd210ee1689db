package companytest

import (
	"math/rand/v2"
	"strings"
)

var (
	verbs   = []string{"offers", "builds", "sells", "develops", "provides", "runs"}
	closing = []string{
		"The team works from %city% and serves customers in many countries.",
		"It was founded by engineers who wanted supply chains to be easier to understand.",
		"Its products are known for good support, fair prices and careful documentation.",
		"The company grows with its customers and invests in research every year.",
		"Most customers come by word of mouth, and many have stayed for years.",
		"Data is kept in the customer's own region and never sold.",
		"Machine learning helps its staff to answer questions faster.",
		"Naïve shortcuts are not its way: every release is tested by hand and by machine.",
		"Partners and resellers bring the products to smaller markets.",
		"The head office is a former mill that was rebuilt as an open workshop.",
		"In the last years it has added mobile apps and an open interface for developers.",
		"Payment processing, invoicing and reporting are part of every plan.",
	}
)

// describe writes two to seven sentences.
func describe(r *rand.Rand, name string, l line, p place) string {
	var b strings.Builder
	b.Grow(400)
	b.WriteString(name + " " + pick(r, verbs, 1) + " " + pick(r, l.offers, skewMild))
	if chance(r, 50) {
		b.WriteString(" and " + pick(r, l.offers, 1))
	}
	b.WriteString(" for " + pick(r, l.customers, 1) + ".")
	city := pick(r, p.cities, 1).name
	if city == "" {
		city = "several places"
	}
	at := r.IntN(len(closing))
	for range 1 + r.IntN(6) {
		b.WriteByte(' ')
		before, after, has := strings.Cut(closing[at%len(closing)], "%city%")
		b.WriteString(before)
		if has {
			b.WriteString(city + after)
		}
		at += 5 // coprime with the number of sentences, so none is repeated
	}
	return b.String()
}
