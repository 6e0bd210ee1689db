package search

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/opencapi/capi/internal/auth"
	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/text"
)

// DomainMatch is a domain with the companies that have it.
type DomainMatch struct {
	Domain string
	Best   company.Number   // the one that the domain most likely means
	Others []company.Number // the rest, the likeliest first
}

// MatchDomains finds the companies of domains, which may be written as people write them, including URLs. unmatched are those
// that no company has, as they were given. A domain that is given twice is one match.
//
// Of several companies with a domain, the domain most likely means the one whose name it spells, and of these the largest.
func (s *Searcher) MatchDomains(ctx context.Context, caller auth.Caller, given []string) (matches []DomainMatch, unmatched []string, err error) {
	clean := make([]string, len(given))
	for i, d := range given {
		clean[i], _ = company.CleanDomain(d)
	}
	found, err := s.Catalog.ByDomains(ctx, slices.DeleteFunc(slices.Clone(clean), func(d string) bool { return d == "" }))
	if err != nil {
		return nil, nil, err
	}
	var shared []company.Number
	for _, numbers := range found {
		if len(numbers) > 1 {
			shared = append(shared, numbers...)
		}
	}
	locked, err := s.Wall.Locked(ctx, caller)
	if err != nil {
		return nil, nil, err
	}
	companies, err := s.Catalog.ByNumbers(ctx, shared)
	if err != nil {
		return nil, nil, err
	}
	known := make(map[company.Number]*company.Company, len(companies))
	for _, c := range companies {
		known[c.Number] = c.Masked(locked) // what is locked must not decide
	}
	seen := map[string]bool{}
	for i, domain := range clean {
		numbers := slices.DeleteFunc(slices.Clone(found[domain]), func(n company.Number) bool {
			return len(found[domain]) > 1 && known[n] == nil // removed in the meantime
		})
		switch {
		case len(numbers) == 0:
			unmatched = append(unmatched, given[i])
		case !seen[domain]:
			slices.SortStableFunc(numbers, func(a, b company.Number) int { return byLikelihood(domain, known[a], known[b]) })
			matches = append(matches, DomainMatch{Domain: domain, Best: numbers[0], Others: numbers[1:]})
			seen[domain] = true
		}
	}
	return matches, unmatched, nil
}

// byLikelihood orders companies that share a domain: the one that the domain most likely means comes first.
func byLikelihood(domain string, a, b *company.Company) int {
	return cmp.Or(
		cmp.Compare(spells(domain, b.Name), spells(domain, a.Name)),
		cmp.Compare(employees(b), employees(a)),
		cmp.Compare(a.Number, b.Number))
}

func employees(c *company.Company) int64 {
	if c.EmployeeCount == nil {
		return -1
	}
	return *c.EmployeeCount
}

// spells returns how well the domain spells the name: 2 if it is the first words of the name or all of them, 1 if it has the
// first word, else 0.
func spells(domain, name string) int {
	label, _, _ := strings.Cut(domain, ".")
	label = strings.ReplaceAll(label, "-", "")
	words := text.Tokens(name)
	joined := ""
	for _, word := range words {
		if joined += word; joined == label {
			return 2
		}
	}
	if len(words) > 0 && len(words[0]) > 2 && strings.HasPrefix(label, words[0]) {
		return 1
	}
	return 0
}
