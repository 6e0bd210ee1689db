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
// what there is of it. Once the path begins, the domain is complete, and so it is in an email address. It returns false for other
// pieces: what is typed must find at least what Enter finds, so a piece that Enter reads as words, such as Node.js, is words.
func typedUnit(piece string) (unit, bool) {
	whole, isDomain := domainUnit(piece)
	host, isURL := hostStart(piece)
	links := text.Links(host)
	switch {
	case !isDomain && !isURL:
		return unit{}, false
	case strings.ContainsAny(host, "/?#:"), len(links) == 0, !mayBeHost(host), text.JointLen(links) == len(links):
		return whole, isDomain
	}
	u := unit{
		raw: piece, parts: wordsOf(links), address: true, domains: []Node{Domain{Name: host}, Domain{host, true}},
	}
	u.forms = []Phrase{{Words: u.parts, Prefix: !strings.HasSuffix(host, ".")}}
	if isDomain {
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
