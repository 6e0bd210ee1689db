package ingest

import (
	"encoding/json"
	"errors"
	"math"
	"strconv"
	"strings"
)

var errNotInteger = errors.New("not a whole number")

// text is the value as a text; a list is joined by "; ".
func (v *Value) text() string {
	switch v.Kind {
	case Text, Number:
		return v.Text
	case Cell:
		return unescapeCell(v.Text)
	case Texts:
		return strings.Join(v.Texts, "; ")
	case Other:
		p, err := json.Marshal(v.Other)
		if err == nil {
			return string(p)
		}
	case Null:
	}
	return ""
}

// unescapeCell takes off the apostrophe that export files put before what a spreadsheet would take for a formula.
func unescapeCell(s string) string {
	if len(s) > 1 && s[0] == '\'' && (strings.IndexByte("=+-@", s[1]) >= 0 || s[1] < ' ') {
		return s[1:]
	}
	return s
}

// texts is the value as a list: a cell holds a JSON array, or values separated by semicolons or vertical bars.
func (v *Value) texts() []string {
	switch v.Kind {
	case Texts:
		return v.Texts
	case Text, Number:
		return []string{v.Text}
	case Cell:
		return cellTexts(v.Text)
	case Other:
		return otherTexts(v.Other)
	case Null:
	}
	return nil
}

func cellTexts(s string) []string {
	s = unescapeCell(s)
	if strings.HasPrefix(strings.TrimSpace(s), "[") {
		var list []any
		if decode(s, &list) == nil {
			return otherTexts(list)
		}
	}
	return strings.FieldsFunc(s, func(r rune) bool { return r == ';' || r == '|' })
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
		default:
			other := Value{Kind: Other, Other: e}
			out = append(out, other.text())
		}
	}
	return out
}

// integer is the value as a whole number, nil for a blank one. Thousands may be parted by commas in a text.
func (v *Value) integer() (*int64, error) {
	s := strings.TrimSpace(v.text())
	if s == "" {
		return nil, nil
	}
	if v.Kind != Number && strings.Contains(s, ",") {
		s = withoutCommas(s)
	}
	if n, err := strconv.ParseInt(s, 10, 64); err == nil {
		return &n, nil
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || f != math.Trunc(f) || math.Abs(f) > 1<<53 || v.Kind == Other {
		return nil, errNotInteger
	}
	n := int64(f)
	return &n, nil
}

// withoutCommas joins 1,234,567; what is no such number stays.
func withoutCommas(s string) string {
	parts := strings.Split(s, ",")
	for i, p := range parts {
		if i > 0 && len(p) != 3 || i == 0 && (len(p) == 0 || len(p) > 3) {
			return s
		}
	}
	return strings.Join(parts, "")
}

// object is the value as the members of a JSON object.
func (v *Value) object() (map[string]any, bool) {
	if v.Kind == Cell || v.Kind == Text {
		var members map[string]any
		err := decode(v.Text, &members)
		return members, err == nil && members != nil
	}
	members, ok := v.Other.(map[string]any)
	return members, ok
}
