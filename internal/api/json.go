package api

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

// depthMax is how deep a body may nest; no body that we know nests deeper than four.
const depthMax = 32

// kind is what a JSON value is.
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

// value is a JSON value as it was written. A faulty one is told to the client and left out of what is decoded.
type value struct {
	kind    kind
	raw     []byte // as written; for a number perhaps rewritten
	text    string // of a string
	items   []*value
	members []member
	faulty  bool
}

type member struct {
	name  string
	value *value
}

// parseJSON reads one JSON value that has no duplicate names, no NUL and no unpaired surrogate. Without a value the
// body is no JSON at all.
func parseJSON(p []byte) (*value, []fault.FieldError) {
	if !utf8.Valid(p) {
		return nil, bodyFault("is not valid UTF-8")
	}
	var whole json.RawMessage
	if err := json.Unmarshal(p, &whole); err != nil {
		return nil, bodyFault(syntaxMessage(p, err))
	}
	s := &scanner{p: p}
	v := s.value(nil, 1)
	if s.tooDeep {
		return nil, bodyFault(fmt.Sprintf("nests deeper than %d levels", depthMax))
	}
	return v, s.faults
}

func bodyFault(message string) []fault.FieldError {
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

// scanner walks over bytes that are known to be one JSON value.
type scanner struct {
	p       []byte
	at      int
	faults  []fault.FieldError
	tooDeep bool
}

func (s *scanner) refuse(v *value, where *place, message string) {
	v.faulty = true
	s.faults = tell(s.faults, where, message)
}

func (s *scanner) next() byte {
	for {
		switch c := s.p[s.at]; c {
		case ' ', '\t', '\n', '\r', ',', ':':
			s.at++
		default:
			return c
		}
	}
}

func (s *scanner) value(where *place, depth int) *value {
	if depth > depthMax {
		s.tooDeep = true
	}
	switch s.next() {
	case '{':
		return s.object(where, depth)
	case '[':
		return s.array(where, depth)
	case '"':
		return s.str(where)
	case 'n':
		return s.literal(kindNull)
	case 't', 'f':
		return s.literal(kindBool)
	default:
		return s.literal(kindNumber)
	}
}

func (s *scanner) object(where *place, depth int) *value {
	v, start, seen := &value{kind: kindObject}, s.at, map[string]bool{}
	for s.at++; !s.tooDeep && s.next() != '}'; {
		name := s.str(where)
		inner := &place{parent: where, name: name.text}
		m := member{name.text, s.value(inner, depth+1)}
		if name.faulty {
			m.value.faulty = true
		}
		if seen[m.name] {
			s.refuse(m.value, inner, "is given more than once")
		}
		seen[m.name] = true
		v.members = append(v.members, m)
	}
	s.at++
	v.raw = s.p[start:min(s.at, len(s.p))]
	return v
}

func (s *scanner) array(where *place, depth int) *value {
	v, start := &value{kind: kindArray}, s.at
	for s.at++; !s.tooDeep && s.next() != ']'; {
		v.items = append(v.items, s.value(&place{parent: where, index: len(v.items)}, depth+1))
	}
	s.at++
	v.raw = s.p[start:min(s.at, len(s.p))]
	return v
}

func (s *scanner) literal(k kind) *value {
	start := s.at
	for s.at < len(s.p) && !strings.ContainsRune(",]} \t\r\n", rune(s.p[s.at])) {
		s.at++
	}
	return &value{kind: k, raw: s.p[start:s.at]}
}

func (s *scanner) str(where *place) *value {
	start, escaped := s.at, false
	for s.at++; s.p[s.at] != '"'; s.at++ {
		if s.p[s.at] == '\\' {
			escaped = true
			s.at++
		}
	}
	s.at++
	v := &value{kind: kindString, raw: s.p[start:s.at]}
	v.text = string(v.raw[1 : len(v.raw)-1])
	if !escaped {
		return v
	}
	if loneSurrogate(v.raw) {
		s.refuse(v, where, "holds half of a surrogate pair, which is no character")
	}
	_ = json.Unmarshal(v.raw, &v.text) // the whole was valid
	if strings.ContainsRune(v.text, 0) {
		s.refuse(v, where, "must not hold a NUL character")
	}
	return v
}

// loneSurrogate holds if an escape names half of a UTF-16 pair without its other half right beside it.
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

// codeUnit is the UTF-16 unit of the \u escape that p starts with, 0 without one.
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

// render writes the value again without what is faulty.
func (v *value) render(b []byte) []byte {
	switch v.kind {
	case kindObject:
		b = append(b, '{')
		separator := ""
		for _, m := range v.members {
			if m.value.faulty {
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
