package query

import (
	"strings"

	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/text"
)

// domainUnit returns the unit of a piece that is a domain, an e-mail address or a URL. It finds the company whose domain it is,
// and texts with the domain. It returns false for other pieces, such as Node.js.
func domainUnit(piece string) (unit, bool) {
	address := strings.TrimRight(strings.TrimLeft(piece, "(<["), ".,;:!?)>]")
	host, ok := company.CleanDomain(address)
	if !ok || !strings.Contains(address, "://") && !company.KnownSuffix(host) {
		return unit{}, false
	}
	words := text.Tokens(host)
	if len(words) == 0 {
		return unit{}, false
	}
	u := unit{raw: address, parts: words, forms: []Phrase{{Words: words}}, address: true, domains: []Node{Domain{Name: host}}}
	if own, ok := company.SiteDomain(host); ok && own != host {
		u.domains = append(u.domains, Domain{Name: own})
	}
	return u, true
}

// typedUnit returns the unit of a domain or URL that is still being typed: companies whose domain begins with it, and texts with
// what there is of it. Once the path begins, the domain is complete. It returns false for other pieces.
func typedUnit(piece string) (unit, bool) {
	host, isURL := hostStart(piece)
	links := text.Links(host)
	switch {
	case strings.ContainsAny(host, "/?#:"):
		return domainUnit(piece)
	case len(links) == 0 || !isURL && !strings.Contains(host, ".") || !mayBeHost(host) || text.JointLen(links) == len(links):
		return unit{}, false
	}
	words := wordsOf(links)
	u := unit{
		raw: piece, parts: words, forms: []Phrase{{words, !strings.HasSuffix(host, ".")}}, address: true,
		domains: []Node{Domain{Name: host}, Domain{host, true}},
	}
	if whole, ok := domainUnit(piece); ok {
		u.domains = append(u.domains, whole.domains[1:]...)
	}
	return u, true
}

// hostStart returns what there is of a host, in lower case without www., and whether a scheme or www. shows that it is one.
func hostStart(piece string) (host string, isURL bool) {
	_, host, isURL = strings.Cut(strings.ToLower(piece), "://")
	if !isURL {
		host = strings.ToLower(piece)
	}
	bare, www := strings.CutPrefix(host, "www.")
	return bare, isURL || www
}

// mayBeHost reports whether a host can begin like that. A number is not a host.
func mayBeHost(host string) bool {
	const letters = "abcdefghijklmnopqrstuvwxyz"
	return strings.Trim(host, letters+"0123456789.-_") == "" && strings.ContainsAny(host, letters)
}
