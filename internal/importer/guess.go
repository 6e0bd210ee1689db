package importer

import (
	"regexp"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/importer/source"
	"github.com/opencapi/capi/internal/text"
)

const (
	guessValuesMin = 3   // fewer are not enough to guess by
	guessShareMin  = 0.8 // of the values that must fit
)

// guess maps columns by their values to the fields that no column has by its name.
func (p *plan) guess(s *sample) {
	nameless := !p.has(colName) && (!s.open || s.unnamed())
	keyed := !p.has(colName) && !p.has(colDomain) && !p.has(colWebsite) // the key of a record in JSON may be its name
	for _, g := range guesses {
		if p.has(g.column) || g.column == colCountry && (p.has(colCountryCode) || p.has(colLocation)) ||
			g.column == colLocation && (p.has(colCity) || p.has(colCountry)) || g.column == colDomain && p.has(colWebsite) ||
			g.blind && !s.unnamed() {
			continue
		}
		var best *sampledColumn
		most := 0.0
		for _, c := range s.columns {
			if _, taken := p.targets[c.name]; taken || len(c.values) < g.min(s, c) || c.lists > 0 {
				continue
			}
			if g.column == colName && (otherWords.in(c.name) || p.contacts && p.firmShare(s, c) < 0.3) {
				continue // a street, or something else of a person
			}
			if of, isLink := strings.CutSuffix(c.name, source.LinkSuffix); isLink {
				if _, known := aliasOf(of); known {
					continue // a link in a description, say
				}
			}
			if isKey := c.name == source.KeyField; g.column == colName && !nameless && (!isKey || !keyed && (p.has(colName) || !c.isWritten())) {
				continue
			}
			if share := g.fits(c); share >= guessShareMin && share > most {
				best, most = c, share
			}
		}
		if best != nil {
			p.assign(best, target{alias: alias{column: g.column, rank: strippedRank}}, ByValues, 0.8*most)
		}
	}
}

// isWritten reports whether most values are written as names are: with a capital letter, unlike keys of programs.
func (c *sampledColumn) isWritten() bool {
	return c.share(func(v string) bool {
		return strings.ContainsFunc(v, unicode.IsUpper) && !strings.ContainsAny(v, "_/") && strings.ToUpper(v) != v
	}) >= guessShareMin
}

// unnamed reports whether no column of the source has a name.
func (s *sample) unnamed() bool {
	for _, c := range s.columns {
		if !strings.HasPrefix(c.name, "column_") {
			return false
		}
	}
	return len(s.columns) > 0
}

type guess struct {
	column column
	blind  bool // only if no column has a name
	fits   func(*sampledColumn) float64
}

// min returns how many values a column must have. A key in a JSON object identifies its record, so one is enough.
func (g guess) min(s *sample, c *sampledColumn) int {
	if s.unnamed() || c.name == source.KeyField {
		return 1
	}
	return guessValuesMin
}

var guesses = []guess{
	{column: colLinkedIn, fits: func(c *sampledColumn) float64 {
		return c.share(func(v string) bool { return strings.Contains(v, "linkedin.com/") && !isProfile(v) })
	}},
	{column: colWebsite, fits: func(c *sampledColumn) float64 {
		if c.oneSite() || c.sameSite() || imageWords.in(c.name) {
			return 0
		}
		return c.share(func(v string) bool {
			_, own := company.SiteDomain(v)
			return own && strings.Contains(v, "://") && isAddress(v) && !isFile(v)
		})
	}},
	{column: colDomain, fits: func(c *sampledColumn) float64 {
		if 2*c.distinct() < len(c.values) {
			return 0
		}
		return c.share(func(v string) bool {
			return isAddress(v) && !strings.Contains(v, "/") && !strings.Contains(v, "@") && knownSuffix(v)
		})
	}},
	{column: colCountry, fits: func(c *sampledColumn) float64 {
		return c.share(func(v string) bool {
			_, ok := company.LookupCountry(v)
			return ok && (len(v) > 2 || strings.ToUpper(v) == v)
		})
	}},
	{column: colEmployees, fits: func(c *sampledColumn) float64 {
		return c.share(func(v string) bool {
			_, ranged, ok := headcount(v)
			return ok && ranged && !strings.ContainsAny(v, "$€£%") && strings.ContainsAny(v, "-–+kK") && !strings.HasPrefix(v, "-")
		})
	}},
	{column: colLocation, fits: func(c *sampledColumn) float64 {
		return c.share(func(v string) bool {
			l, _ := parseLocation(v, c.codeUse())
			return l.country != "" && strings.Contains(v, ",") && len(v) < 100
		})
	}},
	{column: colName, fits: func(c *sampledColumn) float64 {
		if 10*c.distinct() < 8*len(c.values) {
			return 0
		}
		// If several columns fit, the first wins, because later ones must have a greater share.
		share := c.share(func(v string) bool {
			return utf8.RuneCountInString(v) <= 80 && strings.ContainsFunc(v, unicode.IsLetter) && !strings.Contains(v, "://") &&
				!isAddress(v) && !isNumber(v) && !fieldLine.MatchString(v)
		})
		if c.share(isUpperCode) > 0.5 || c.share(isIdentifier) > 0.5 || titleColumns[normalName(c.name)] || personWords[normalName(c.name)] {
			return 0
		}
		return share
	}},
	{column: colState, blind: true, fits: func(c *sampledColumn) float64 {
		return c.share(func(v string) bool { _, ok := anyState(v); return ok })
	}},
	{column: colFounded, blind: true, fits: func(c *sampledColumn) float64 {
		return c.share(func(v string) bool {
			n, ok := year(v)
			return ok && len(v) == 4 && n >= 1700 && n <= 2035
		})
	}},
	{column: colEmployees, blind: true, fits: func(c *sampledColumn) float64 {
		if c.isCode() {
			return 0
		}
		return c.share(func(v string) bool {
			n, _, ok := headcount(v)
			return ok && n >= 1 && n < 3_000_000
		})
	}},
	{column: colDescription, fits: func(c *sampledColumn) float64 {
		return c.share(func(v string) bool { return len(v) > 80 && strings.Count(v, " ") > 10 })
	}},
	{column: colCity, blind: true, fits: func(c *sampledColumn) float64 {
		if c.share(func(v string) bool { return cities().names[text.Fold(v)] }) < 0.3 {
			return 0 // any text could be a city
		}
		return c.share(func(v string) bool { return len(v) < 40 && !strings.ContainsAny(v, "0123456789") && !isAddress(v) })
	}},
}

// fieldLine matches a line of a text that has the names of fields before their values.
var fieldLine = regexp.MustCompile(`^\pL[\pL\d_-]*:\s`)

// isCode reports whether numbers are most likely codes or the numbers of the rows: they have the same number of digits or leading
// zeros, or count up.
func (c *sampledColumn) isCode() bool {
	lengths, rising := map[int]bool{}, true
	for i, v := range c.values {
		if v != "0" && strings.HasPrefix(v, "0") {
			return true
		}
		lengths[len(v)] = true
		n, err := strconv.Atoi(v)
		before, _ := strconv.Atoi(c.values[max(0, i-1)])
		rising = rising && err == nil && (i == 0 || n == before+1)
	}
	return len(c.values) > 1 && (rising || len(lengths) == 1)
}

// words are words of the names of columns.
type words map[string]bool

// in reports whether a name has one of the words.
func (w words) in(name string) bool {
	for word := range strings.SplitSeq(normalName(name), "_") {
		if w[word] {
			return true
		}
	}
	return false
}

// otherWords are words in the names of columns that never hold the names of companies.
var otherWords = words(wordSet(`street address address1 address2 strasse adresse anschrift hausnummer rue calle direccion endereco indirizzo via straat adres ulica phone tel telefon telephone
	telefono telefone telefoon mobile handy fax email e mail courriel correo notes note notizen bemerkung comment comments kommentar remarks status stage date datum time currency source
	salutation anrede gender department abteilung language sprache message betreff subject nachricht 電話 電話番号 備考 住所 地址 电话 备注 邮箱`))

// imageWords are words in the names of columns with the addresses of images.
var imageWords = words(wordSet("logo logos image images img photo photos picture pictures avatar icon favicon thumbnail banner cover screenshot screenshots video videos bild bilder foto fotos imagen immagine imagem"))

// isUpperCode reports whether v looks like a ticker or code.
func isUpperCode(v string) bool {
	return len(v) <= 6 && strings.ToUpper(v) == v && !strings.Contains(v, " ")
}

// isIdentifier reports whether v is an identifier of a register, such as a LEI, ISIN, BIC or UUID.
func isIdentifier(v string) bool { return identifier.MatchString(strings.TrimSpace(v)) }

// A LEI has 20 characters, an ISIN 12 with a check digit at the end, a BIC 8 or 11 of which the fifth and sixth are a
// country, so a digit distinguishes codes from words in capitals.
var identifier = regexp.MustCompile(`^([A-Z0-9]{18}[0-9]{2}|[A-Z]{2}[A-Z0-9]{9}[0-9]|[A-Z]{4}[A-Z]{2}[A-Z0-9]{2}([A-Z0-9]{3})?|` +
	`[A-Z]{0,3}[-. ]?[0-9]{4,}[-. 0-9]*[A-Z]?|(?i:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}))$`)

func isFile(v string) bool {
	for _, ext := range []string{".png", ".jpg", ".jpeg", ".svg", ".gif", ".webp", ".ico", ".json", ".pdf"} {
		if strings.HasSuffix(strings.ToLower(v), ext) {
			return true
		}
	}
	return false
}

// knownSuffix reports whether v is a host under an existing top-level domain, which "Node.js" is not.
func knownSuffix(v string) bool {
	host, _ := company.CleanDomain(v)
	return company.KnownSuffix(host)
}

// ownership matches values of a column named type that say who owns a company, and not what it does.
var ownership = regexp.MustCompile(`(?i)\b(public|private|privately|non-?profit|partnership|government|agency|self-employed|sole proprietorship|educational institution|corporation|llc|subsidiary|vc funded)\b`)

func (c *sampledColumn) isOwnership() bool { return c.share(ownership.MatchString) >= 0.6 }
