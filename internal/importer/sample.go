package importer

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/publicsuffix"

	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/importer/source"
	"github.com/opencapi/capi/internal/text"
)

const (
	sampleRecordsMax = 2_000
	sampleBytesMax   = 4 << 20
	sampleValueBytes = 400
)

// sample is the beginning of a table, by which its columns are recognised.
type sample struct {
	columns     []*sampledColumn
	byName      map[string]*sampledColumn
	records     int
	lines       []int // of the records
	rejected    int
	open        bool // each record names its own fields, as in JSON
	connections bool // the records are connections
}

// sampledColumn is a column of a sample.
type sampledColumn struct {
	name       string
	seen       int      // records that have it
	values     []string // those that are not blank or null
	rows       []int    // the number of each value's record
	indents    []int    // how many blanks are before each value
	lists      int      // how many of the values are lists or objects
	by         string
	confidence float64
	note       string
	sample     *sample
	codes      *codeUse // by codeUse; nil until it is asked for
}

// takeSample reads the beginning of a table.
func takeSample(t *source.Table) (*sample, error) {
	s := &sample{byName: map[string]*sampledColumn{}, open: !t.Fixed}
	bytes := 0
	err := t.Sample(func(r *source.Record) { bytes += s.add(r) }, func() bool {
		return s.records+s.rejected >= sampleRecordsMax || bytes >= sampleBytesMax
	})
	return s, err
}

func (s *sample) add(r *source.Record) int {
	if r.Reason != "" {
		s.rejected++
		return 64
	}
	s.records++
	s.lines = append(s.lines, r.Line)
	if isConnection(r.Fields) {
		s.connections = true
	}
	size := 0
	for i := range r.Fields {
		f := &r.Fields[i]
		c := s.byName[f.Name]
		if c == nil {
			if len(s.columns) >= source.ColumnsMax {
				continue
			}
			c = &sampledColumn{name: strings.Clone(f.Name), sample: s}
			s.byName[c.name], s.columns = c, append(s.columns, c)
		}
		c.seen++
		size += 16 + c.add(&f.Value)
	}
	return size
}

func (c *sampledColumn) add(v *source.Value) int {
	if v.IsBlank() {
		return 0
	}
	t := textOf(v)
	if v.Kind == source.Texts || v.Kind == source.Other {
		c.lists++
	}
	if isNull(t) || t == "NA" {
		return len(t)
	}
	if len(t) > sampleValueBytes {
		t = strings.ToValidUTF8(t[:sampleValueBytes], "")
	}
	c.values = append(c.values, strings.TrimSpace(t))
	c.indents = append(c.indents, indentOf(t))
	c.rows = append(c.rows, c.sample.records)
	return len(t)
}

func (c *sampledColumn) filled() float64 {
	return float64(len(c.values)) / float64(max(1, c.sample.records))
}

func (c *sampledColumn) shown() []string {
	out := []string{}
	for _, v := range c.values {
		if v = shownValue(v); !slices.Contains(out, v) {
			out = append(out, v)
		}
		if len(out) == samplesShown {
			break
		}
	}
	return out
}

func shownValue(v string) string {
	v = text.Clean(v)
	const most = 60
	if utf8.RuneCountInString(v) > most {
		v = string([]rune(v)[:most-1]) + "…"
	}
	return v
}

// share returns the share of the values for which fn returns true.
func (c *sampledColumn) share(fn func(string) bool) float64 {
	if len(c.values) == 0 {
		return 0
	}
	n := 0
	for _, v := range c.values {
		if fn(v) {
			n++
		}
	}
	return float64(n) / float64(len(c.values))
}

// fits returns the share of the values that the field can be read from. certain reports whether a low share overrides the
// column's name.
func (c *sampledColumn) fits(col column) (share float64, certain bool) {
	if len(c.values) == 0 {
		return 1, false
	}
	enough := len(c.values) >= 5
	switch col {
	case colWebsite, colDomain:
		if c.share(isProfile) >= 0.5 {
			return 0, true
		}
		return c.share(func(v string) bool { return isAddress(addresses(v)[0]) }), enough
	case colLinkedIn:
		if c.share(isProfile) >= 0.5 {
			return 0, true
		}
		return c.share(func(v string) bool { return strings.Contains(strings.ToLower(v), "linkedin") || isAddress(v) }), enough
	case colEmployees, colEmployeesMax:
		return c.share(func(v string) bool { _, _, ok := headcount(v); return ok || isNullNumber(v) }), enough
	case colFounded:
		_, certain := c.serialDates()
		return c.share(func(v string) bool {
			_, ok := year(v)
			_, isSerial := serialYear(v)
			return ok || certain && isSerial || v == "0" || isNullNumber(v)
		}), enough
	case colCountry, colCountryCode:
		return c.share(func(v string) bool { _, ok := company.LookupCountry(v); return ok }), false
	case colLocation:
		return c.share(func(v string) bool {
			l, _ := parseLocation(v, c.codeUse())
			return !l.isEmpty() && !isNumber(v)
		}), enough
	case colName:
		if titleColumns[normalName(c.name)] && c.share(jobTitle.MatchString) >= 0.5 {
			return 0, true
		}
		if c.share(isObjects) >= 0.5 {
			return 0, true
		}
		if c.share(isIdentifier) >= guessShareMin || c.share(func(v string) bool { return strings.Contains(v, "://") }) >= guessShareMin {
			return 0, true
		}
		return c.share(func(v string) bool { return !isNumber(v) && !strings.Contains(v, "://") && len(v) < 200 }), enough
	case colIndustries:
		if c.share(isCountryName) >= guessShareMin {
			return 0, true
		}
		n := normalName(c.name)
		if !strings.Contains(n, "industr") && !strings.Contains(n, "sector") && c.share(isLegalStatus) >= 0.6 {
			return 0, true
		}
		if c.share(economicSector.MatchString) >= 0.95 && c.share(publicOrPrivate.MatchString) > 0.3 {
			return 0, true
		}
		if normalName(c.name) == "type" {
			return min(1, 3*float64(c.distinct())/float64(len(c.values))*c.share(func(v string) bool { return !isNumber(v) })), true
		}
		return c.share(func(v string) bool { return !isNumber(v) }), enough
	case colState:
		if c.share(isSalesRegion) >= 0.5 || c.share(isCountryName) >= guessShareMin {
			return 0, true
		}
		return c.share(func(v string) bool { return !isNumber(v) && v != "true" && v != "false" }), false
	case colTechnologies, colCity, colRelation:
		if col == colRelation && c.share(func(v string) bool { return answers[text.Fold(v)] }) >= 0.5 {
			return 0, true
		}
		share = c.share(func(v string) bool { return !isNumber(v) && v != "true" && v != "false" })
		return share, (enough || share == 0) && col == colRelation
	default:
		return 1, false
	}
}

// isCountryName reports whether v is the name of a country, and not that of a state, too, such as Georgia.
func isCountryName(v string) bool {
	_, isCountry := company.LookupCountry(v)
	_, isState := stateByName(v)
	return isCountry && !isState && utf8.RuneCountInString(v) > 3
}

// isObjects reports whether v is a list of objects as JSON.
func isObjects(v string) bool { return strings.HasPrefix(v, "[{") }

// answers are what a column has that says only whether there are others.
var answers = wordSet("yes no y n x ja nein oui non si no sim nao nie tak да нет true false 是 否 有 はい いいえ b2b b2c")

func isNumber(v string) bool {
	_, err := strconv.ParseFloat(strings.ReplaceAll(v, ",", ""), 64)
	return err == nil
}

// isAddress reports whether v is an address on the public internet, and nothing else.
func isAddress(v string) bool {
	host, ok := company.CleanDomain(v)
	return ok && company.KnownSuffix(host) && !strings.ContainsAny(strings.TrimSpace(v), " \n")
}

func (c *sampledColumn) distinct() int {
	seen := map[string]bool{}
	for _, v := range c.values {
		seen[v] = true
	}
	return len(seen)
}

// oneSite reports whether the values are pages of one site, such as profiles in a directory.
func (c *sampledColumn) oneSite() bool {
	for _, n := range c.sites() {
		if n >= 3 && 10*n >= 9*len(c.values) && c.distinct() > n/2 {
			return true
		}
	}
	return false
}

// sites returns how many values are pages of each site.
func (c *sampledColumn) sites() map[string]int {
	hosts := map[string]int{}
	for _, v := range c.values {
		host, _ := company.CleanDomain(v)
		if own, err := publicsuffix.EffectiveTLDPlusOne(host); err == nil {
			host = own
		}
		hosts[host]++
	}
	return hosts
}

// sameSite reports whether all values are of one site, such as one that keeps images.
func (c *sampledColumn) sameSite() bool { return len(c.values) > 1 && len(c.sites()) == 1 }

// isRowNumber reports whether the values are 0, 1, 2 … or 1, 2, 3 … in order.
func (c *sampledColumn) isRowNumber() bool {
	if len(c.values) < 3 || len(c.values) != c.sample.records || c.sample.open || !strings.HasPrefix(c.name, "column_") {
		return false
	}
	for i, v := range c.values {
		if v != strconv.Itoa(i) && v != strconv.Itoa(i+1) {
			return false
		}
	}
	return true
}

// commas reports whether commas separate lists in the column: most values have some, or the column's name says that there are several,
// and the values are not names with a comma such as "Textiles, Apparel & Luxury Goods".
func (c *sampledColumn) commas() bool {
	if c.lists > 0 {
		return false
	}
	if severalWords.in(c.name) || severalEnd.MatchString(c.name) {
		lists, names := 0, 0
		for _, v := range c.values {
			switch i := strings.LastIndex(v, ","); {
			case i < 0 || strings.ContainsAny(v, ";|"):
			case conjunction.MatchString(v[i:]):
				names++
			default:
				lists++
			}
		}
		return lists > names
	}
	return c.share(func(v string) bool {
		i := strings.LastIndex(v, ",")
		return i >= 0 && !strings.ContainsAny(v, ";|") && !conjunction.MatchString(v[i:])
	}) > 0.5
}

// severalWords are words in the names of columns with lists of industries and the like.
var severalWords = words(wordSet("industries sectors categories tags keywords verticals markets specialties specialities subindustries subsectors branchen secteurs sectores setores settori"))

// severalEnd ends the name of a column that may have several values: "Branche(n)".
var severalEnd = regexp.MustCompile(`(?i)\pL\(e?[ns]\)$`)

// conjunction joins the last two words of a name that has a comma.
var conjunction = regexp.MustCompile(`(?i)&|\s(?:and|und|et|y|e|en)\s`)

// na reports whether NA means Namibia: in a column of codes of two letters.
func (c *sampledColumn) na() bool {
	return c.share(func(v string) bool { return len(v) == 2 }) > 0.5 || len(c.values) == 0
}

// listColumn chooses between technologies and industries if the column's name may mean either.
func (c *sampledColumn) listColumn(t target) column {
	switch normalName(c.name) {
	case "specialities", "specialties", "tags", "keywords", "stack", "tech":
	default:
		return t.column
	}
	known, all := 0, 0
	for _, v := range c.values {
		for _, item := range splitTexts(v, true) {
			all++
			if technologies[text.Fold(item)] {
				known++
			}
		}
	}
	if all > 0 && 4*known >= all {
		return colTechnologies
	}
	if t.column == colTechnologies && all >= 20 && 20*known < all {
		return colIndustries
	}
	return t.column
}

// technologies are the most common names of languages, databases and tools.
var technologies = func() map[string]bool {
	m := map[string]bool{}
	for _, s := range strings.Fields(`python java javascript typescript go golang rust ruby php c c++ c# .net scala kotlin swift
		objective-c r matlab perl haskell elixir clojure groovy dart lua html html5 css css3 sass less sql nosql mysql postgresql
		postgres sqlite mongodb redis cassandra elasticsearch kafka apache-kafka rabbitmq spark apache-spark hadoop hive airflow
		snowflake databricks aws amazon-web-services azure gcp google-cloud google-cloud-platform docker kubernetes terraform
		ansible jenkins git github gitlab linux windows bash powershell nginx apache react reactjs react-native redux angular
		angularjs vue vuejs vue.js node node.js nodejs express next.js nuxt jquery django flask fastapi rails ruby-on-rails
		spring spring-boot hibernate laravel symfony graphql rest grpc android ios xamarin flutter tensorflow pytorch keras
		pandas numpy scikit-learn selenium cypress jest junit maven gradle webpack salesforce sap tableau power-bi oracle
		sql-server jira confluence prometheus grafana datadog splunk microservices agile devops cloud`) {
		m[s] = true
	}
	return m
}()
