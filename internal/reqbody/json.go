package reqbody

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/opencapi/capi/internal/fault"
)

// depthMax is how deep a body may nest; the API's own bodies nest at most four levels deep.
const depthMax = 32

// kind is the type of a JSON value.
type kind uint8

const (
	kindNull kind = iota
	kindBool
	kindNumber
	kindString
	kindArray
	kindObject
)

func (k kind) String() string {
	return [...]string{"null", "a boolean", "a number", "a string", "a list", "an object"}[k]
}

// Value is a JSON value as it was sent. An invalid one is reported as an error and left out when the body is decoded.
type Value struct {
	kind    kind
	raw     []byte // as sent; a number may be normalized
	text    string // the unescaped text of a string
	items   []*Value
	members []member
	invalid bool
}

type member struct {
	name  string
	value *Value
}

// parse reads one JSON value and rejects duplicate names, NUL characters and unpaired surrogates. The value is nil if p is
// not valid JSON.
func parse(p []byte) (*Value, []fault.FieldError) {
	if !utf8.Valid(p) {
		return nil, bodyError("is not valid UTF-8")
	}
	var whole json.RawMessage
	if err := json.Unmarshal(p, &whole); err != nil {
		return nil, bodyError(syntaxMessage(p, err))
	}
	s := &scanner{p: p}
	v := s.value(nil, 1)
	if s.tooDeep {
		return nil, bodyError(fmt.Sprintf("nests deeper than %d levels", depthMax))
	}
	return v, s.errs
}

// Repeated returns the place of the first name that one object of a JSON value has twice, such as queries.q0; empty if there is none, or
// if p is not valid JSON.
func Repeated(p []byte) string {
	if v, _ := parse(p); v != nil {
		return v.repeated("")
	}
	return ""
}

func (v *Value) repeated(at string) string {
	seen := map[string]bool{}
	for _, m := range v.members {
		inner := strings.TrimPrefix(at+"."+m.name, ".")
		if seen[m.name] {
			return inner
		}
		seen[m.name] = true
		if place := m.value.repeated(inner); place != "" {
			return place
		}
	}
	for i, item := range v.items {
		if place := item.repeated(at + "[" + strconv.Itoa(i) + "]"); place != "" {
			return place
		}
	}
	return ""
}

func bodyError(message string) []fault.FieldError {
	return []fault.FieldError{{Field: "body", Message: message}}
}

func syntaxMessage(p []byte, err error) string {
	broken, ok := errors.AsType[*json.SyntaxError](err)
	if !ok {
		return "is not valid JSON"
	}
	before := p[:min(int(broken.Offset), len(p))]
	line := 1 + strings.Count(string(before), "\n")
	return fmt.Sprintf("is not valid JSON: %v, in line %d at byte %d", broken, line, broken.Offset)
}

// scanner reads bytes that are known to be one valid JSON value.
type scanner struct {
	p       []byte
	pos     int
	errs    []fault.FieldError
	tooDeep bool
}

func (s *scanner) reject(v *Value, at *path, message string) {
	v.invalid = true
	s.errs = appendError(s.errs, at, message)
}

func (s *scanner) next() byte {
	for {
		switch c := s.p[s.pos]; c {
		case ' ', '\t', '\n', '\r', ',', ':':
			s.pos++
		default:
			return c
		}
	}
}

func (s *scanner) value(at *path, depth int) *Value {
	if depth > depthMax {
		s.tooDeep = true
	}
	switch s.next() {
	case '{':
		return s.object(at, depth)
	case '[':
		return s.array(at, depth)
	case '"':
		return s.str(at)
	case 'n':
		return s.literal(kindNull)
	case 't', 'f':
		return s.literal(kindBool)
	default:
		return s.literal(kindNumber)
	}
}

func (s *scanner) object(at *path, depth int) *Value {
	v, start, seen := &Value{kind: kindObject}, s.pos, map[string]bool{}
	for s.pos++; !s.tooDeep && s.next() != '}'; {
		name := s.str(at)
		inner := &path{parent: at, name: name.text}
		m := member{name.text, s.value(inner, depth+1)}
		if name.invalid {
			m.value.invalid = true
		}
		if seen[m.name] {
			s.reject(m.value, inner, "is given more than once")
		}
		seen[m.name] = true
		v.members = append(v.members, m)
	}
	s.pos++
	v.raw = s.p[start:min(s.pos, len(s.p))]
	return v
}

func (s *scanner) array(at *path, depth int) *Value {
	v, start := &Value{kind: kindArray}, s.pos
	for s.pos++; !s.tooDeep && s.next() != ']'; {
		v.items = append(v.items, s.value(&path{parent: at, index: len(v.items)}, depth+1))
	}
	s.pos++
	v.raw = s.p[start:min(s.pos, len(s.p))]
	return v
}

func (s *scanner) literal(k kind) *Value {
	start := s.pos
	for s.pos < len(s.p) && !strings.ContainsRune(",]} \t\r\n", rune(s.p[s.pos])) {
		s.pos++
	}
	return &Value{kind: k, raw: s.p[start:s.pos]}
}

func (s *scanner) str(at *path) *Value {
	start, escaped := s.pos, false
	for s.pos++; s.p[s.pos] != '"'; s.pos++ {
		if s.p[s.pos] == '\\' {
			escaped = true
			s.pos++
		}
	}
	s.pos++
	v := &Value{kind: kindString, raw: s.p[start:s.pos]}
	v.text = string(v.raw[1 : len(v.raw)-1])
	if !escaped {
		return v
	}
	if loneSurrogate(v.raw) {
		s.reject(v, at, "contains half of a surrogate pair, which is not a character")
	}
	_ = json.Unmarshal(v.raw, &v.text) // the whole body is valid JSON
	if strings.ContainsRune(v.text, 0) {
		s.reject(v, at, "must not contain a NUL character")
	}
	return v
}

// loneSurrogate reports whether an escape in raw is half of a UTF-16 pair without the other half next to it.
func loneSurrogate(raw []byte) bool {
	for i := 0; i < len(raw); i++ {
		if raw[i] != '\\' {
			continue
		}
		i++
		unit := codeUnit(raw[i-1:])
		if !utf16.IsSurrogate(unit) {
			continue
		}
		if utf16.DecodeRune(unit, codeUnit(raw[i+5:])) == utf8.RuneError {
			return true
		}
		i += 10
	}
	return false
}

// codeUnit returns the UTF-16 unit of the \u escape at the start of p, or 0 without one.
func codeUnit(p []byte) rune {
	if len(p) < 6 || p[0] != '\\' || p[1] != 'u' {
		return 0
	}
	n, err := strconv.ParseUint(string(p[2:6]), 16, 16)
	if err != nil {
		return 0
	}
	return rune(n)
}

// HasMembers reports whether the member called name is an object that is not empty.
func (v *Value) HasMembers(name string) bool {
	for _, m := range v.members {
		if m.name == name {
			return len(m.value.members) > 0
		}
	}
	return false
}

// render appends the value as JSON to b, without its invalid parts.
func (v *Value) render(b []byte) []byte {
	switch v.kind {
	case kindObject:
		b = append(b, '{')
		separator := ""
		for _, m := range v.members {
			if m.value.invalid {
				continue
			}
			b = strconv.AppendQuote(append(b, separator...), m.name)
			b = m.value.render(append(b, ':'))
			separator = ","
		}
		return append(b, '}')
	case kindArray:
		b = append(b, '[')
		for i, item := range v.items {
			if i > 0 {
				b = append(b, ',')
			}
			b = item.render(b)
		}
		return append(b, ']')
	default:
		return append(b, v.raw...)
	}
}
