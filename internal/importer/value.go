package importer

import (
	"encoding/json"
	"html"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"

	"github.com/opencapi/capi/internal/importer/source"
)

// textOf returns the value as text; a list is joined by "; ".
func textOf(v *source.Value) string {
	switch v.Kind {
	case source.Text, source.Number:
		return v.Text
	case source.Cell:
		return unescapeCell(v.Text)
	case source.Texts:
		return strings.Join(v.Texts, "; ")
	case source.Other:
		if b, ok := v.Other.(bool); ok && !b {
			return "false"
		}
		p, err := json.Marshal(v.Other)
		if err == nil {
			return string(p)
		}
	case source.Null:
	}
	return ""
}

// unescapeCell removes the apostrophe that exports put before text that a spreadsheet would read as a formula.
func unescapeCell(s string) string {
	if len(s) < 2 || s[0] != '\'' {
		return s
	}
	first, _ := utf8.DecodeRuneInString(strings.TrimLeft(strings.TrimLeft(s, "'"), " "))
	if strings.ContainsRune("=+-@＝＋－＠", first) || first < ' ' {
		return s[1:]
	}
	return s
}

// isUnknown reports whether the value means that nothing is known. NA is also the code of Namibia.
func isUnknown(v *source.Value, t target) bool {
	if v.Kind != source.Cell && v.Kind != source.Text {
		return false
	}
	s := v.Text
	if len(s) == 2 && s == "NA" {
		isCountry := t.column == colCountry || t.column == colCountryCode
		return t.column != colCountryCode && (!isCountry || !t.na)
	}
	return isNull(s)
}

// listOf returns the value as a list. A cell or text may be a JSON array, or values separated by semicolons, vertical bars
// or line breaks, and by commas if commas is true.
func listOf(v *source.Value, commas bool) []string {
	switch v.Kind {
	case source.Texts:
		return v.Texts
	case source.Number:
		return []string{v.Text}
	case source.Text:
		return splitTexts(v.Text, commas)
	case source.Cell:
		return splitTexts(unescapeCell(v.Text), commas)
	case source.Other:
		return otherTexts(v.Other)
	case source.Null:
	}
	return nil
}

func splitTexts(s string, commas bool) []string {
	trimmed := strings.TrimSpace(s)
	if strings.HasPrefix(trimmed, "[") && strings.HasSuffix(trimmed, "]") {
		var list []any
		if decode(trimmed, &list) == nil {
			return otherTexts(list)
		}
		return pythonList(trimmed[1 : len(trimmed)-1])
	}
	if strings.HasPrefix(trimmed, "{") && strings.HasSuffix(trimmed, "}") && !strings.Contains(trimmed, `":`) {
		return pythonList(trimmed[1 : len(trimmed)-1]) // a PostgreSQL array
	}
	if strings.ContainsAny(s, ";|\n") {
		commas = false
	}
	return strings.FieldsFunc(s, func(r rune) bool {
		return r == ';' || r == '|' || r == '\n' || r == '\r' || r == ',' && (commas || trimmed[0] == ',')
	})
}

// pythonList splits the inside of ['a', "b's", c].
func pythonList(s string) []string {
	var out []string
	for s = strings.TrimLeft(s, ", "); s != ""; s = strings.TrimLeft(s, ", ") {
		end := strings.IndexByte(s, ',')
		if q := s[0]; q == '\'' || q == '"' {
			if i := strings.IndexByte(s[1:], q); i >= 0 {
				out, s = append(out, s[1:i+1]), s[i+2:]
				continue
			}
		}
		if end < 0 {
			end = len(s)
		}
		out, s = append(out, strings.TrimSpace(s[:end])), s[end:]
	}
	return out
}

func decode(s string, v any) error {
	d := json.NewDecoder(strings.NewReader(s))
	d.UseNumber()
	return d.Decode(v)
}

func otherTexts(v any) []string {
	list, ok := v.([]any)
	if !ok {
		list = []any{v}
	}
	var out []string
	for _, e := range list {
		switch e := e.(type) {
		case nil:
		case string:
			out = append(out, e)
		case json.Number:
			out = append(out, e.String())
		case map[string]any:
			if s := member(e, "name", "label", "title", "value", "naics_code", "code"); s != "" {
				out = append(out, s)
				continue
			}
			other := source.Value{Kind: source.Other, Other: e}
			out = append(out, textOf(&other))
		default:
			other := source.Value{Kind: source.Other, Other: e}
			out = append(out, textOf(&other))
		}
	}
	return out
}

// placesOf returns the places in a value. An object is a place with the parts that are its members.
func placesOf(v *source.Value) []string {
	list, isList := v.Other.([]any)
	if o, ok := v.Other.(map[string]any); ok {
		list, isList = []any{o}, true
	}
	if !isList || v.Kind != source.Other {
		return listOf(v, false)
	}
	var out []string
	for _, e := range list {
		o, ok := e.(map[string]any)
		if inner, is := o["address"].(map[string]any); is {
			o = inner
		}
		var parts []string
		for _, names := range [][]string{{"city", "locality", "town"}, {"state", "region", "province", "geographicArea"}, {"country", "countryCode", "country_code"}} {
			if s := member(o, names...); s != "" {
				parts = append(parts, s)
			}
		}
		if name := member(o, "name", "label"); name != "" && len(parts) < 2 {
			parts = []string{name}
		}
		switch {
		case len(parts) > 0:
			out = append(out, strings.Join(parts, ", "))
		case !ok:
			out = append(out, otherTexts(e)...)
		}
	}
	return out
}

// objectOf returns the value as the members of a JSON object.
func objectOf(v *source.Value) (map[string]any, bool) {
	if v.Kind == source.Cell || v.Kind == source.Text {
		var members map[string]any
		err := decode(v.Text, &members)
		return members, err == nil && members != nil
	}
	members, ok := v.Other.(map[string]any)
	return members, ok
}

// splitNames splits a list of companies. A comma before a legal form does not separate them.
func splitNames(v *source.Value) []string {
	parts := listOf(v, false)
	if len(parts) != 1 || v.Kind == source.Texts || v.Kind == source.Other {
		return parts
	}
	var out []string
	for part := range strings.SplitSeq(parts[0], ",") {
		part = strings.TrimSpace(part)
		if form, _, _ := strings.Cut(part, "("); len(out) > 0 && isLegalForm(form) {
			out[len(out)-1] += ", " + part
			continue
		}
		out = append(out, part)
	}
	return out
}

func isLegalForm(s string) bool {
	s = strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, s)
	switch s {
	case "inc", "incorporated", "llc", "ltd", "limited", "lp", "llp", "plc", "corp", "co", "company", "gmbh", "ag", "sa", "sas", "bv", "nv", "ab", "as", "oy", "spa", "srl", "sl", "kg", "pte", "pvt", "pvtltd", "coltd", "pteltd":
		return true
	}
	return false
}

const nullBytesMax = len("not applicable")

func isLetterOrDigit(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

// isNull reports whether s is one of the ways in which people and programs write that a value is unknown.
func isNull(s string) bool {
	if len(s) > nullBytesMax && s[nullBytesMax] > ' ' && s[0] > ' ' {
		return false // the common case
	}
	s = strings.TrimSpace(s)
	switch {
	case s == "":
		return true
	case len(s) > nullBytesMax:
		return false
	case !isLetterOrDigit(s[0]) && strings.Trim(s, "-–—._?#*/ ") == "":
		return true
	}
	var lower [nullBytesMax]byte
	for i := range len(s) {
		lower[i] = s[i]
		if 'A' <= s[i] && s[i] <= 'Z' {
			lower[i] += 'a' - 'A'
		}
	}
	return nulls[string(lower[:len(s)])]
}

var nulls = func() map[string]bool {
	m := map[string]bool{"not applicable": true, "not available": true, "not specified": true, "no data": true, "not known": true, "not found": true, "not provided": true, "not set": true, "none supplied": true, "not supplied": true, "not disclosed": true, "not stated": true, "not given": true, "no website": true, `\n`: true, "#name?": true, "#n/a": true, "#ref!": true, "#value!": true, "#div/0!": true, "#null!": true, "#num!": true}
	for _, s := range strings.Fields("keine unbekannt aucun aucune inconnu néant ninguno ninguna desconocido desconocida nenhum nenhuma desconhecido nessuno nessuna sconosciuto n.s. geen onbekend brak " +
		"nieznany neznámé okänd ukendt ukjent нет неизвестно なし 不明 未知 无 無 暂无 없음 미상") {
		m[s] = true
	}
	for _, s := range []string{"keine angabe", "keine angaben", "sin datos", "sin dato", "non renseigné", "sem dados", "n.d.a.", "brak danych", "нет данных", "nicht bekannt"} {
		m[s] = true
	}
	for _, s := range strings.Fields("null nil none nan n/a n.a. n.a na/ n/d n.d. n/k tbd tba unknown undefined undisclosed unspecified (null) (none) (blank) <null> <na> [null] [] {} [none] - k.a. s/d <nil>") {
		m[s] = true
	}
	return m
}()

// isWithheld reports whether s replaces a name that is known but not published. In a connection it still means that there
// is a company, unlike an empty cell.
func isWithheld(s string) bool { return strings.EqualFold(strings.TrimSpace(s), "undisclosed") }

// isNullNumber also accepts numbers that mean an unknown number.
func isNullNumber(s string) bool {
	switch strings.TrimSpace(s) {
	case "-1", "-1.0", "-99", "-999", "-9999", "NA", "na", "Na":
		return true
	}
	return isNull(s)
}

// repair fixes what is certainly wrong: HTML entities, and UTF-8 that was decoded as Windows-1252 or Mac Roman.
func repair(s string) string {
	if strings.IndexByte(s, '\\') >= 0 {
		s = unescapeBytes(s)
	}
	if strings.IndexByte(s, '&') >= 0 && strings.IndexByte(s, ';') > 0 {
		s = html.UnescapeString(s)
	}
	for range 2 { // some text was decoded wrongly twice
		repaired, ok := unmangle(s)
		if !ok {
			break
		}
		s = repaired
	}
	return s
}

// unmangle encodes the characters back to bytes. ok is true only if the bytes are valid UTF-8, which is very unlikely by
// chance: "Ã©" is not text in any language.
func unmangle(s string) (string, bool) {
	if !mangled(s) {
		return s, false
	}
	for _, c := range []*charmap.Charmap{charmap.Windows1252, charmap.Macintosh} {
		if p, ok := encodeAll(c, s); ok && utf8.Valid(p) {
			if out := string(p); utf8.RuneCountInString(out) < utf8.RuneCountInString(s) {
				return out, true
			}
		}
	}
	return s, false
}

// mangled reports whether s contains the first character of a mangled sequence. It is a cheap test before the work.
func mangled(s string) bool {
	return !isASCII(s) && strings.ContainsAny(s, "ÃÂâÅÄÐÑæåäçèéã√¬‚ƒ≈Œ")
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

func encodeAll(c *charmap.Charmap, s string) ([]byte, bool) {
	p := make([]byte, 0, len(s))
	for _, r := range s {
		b, ok := c.EncodeRune(r)
		if !ok {
			if c != charmap.Windows1252 || r >= 0xa0 || r < 0x80 {
				return nil, false
			}
			b = byte(r) // the five bytes that Windows-1252 does not define
		}
		p = append(p, b)
	}
	return p, true
}
