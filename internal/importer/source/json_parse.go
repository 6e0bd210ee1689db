package source

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
)

// The parser below accepts the same objects as encoding/json in a fraction of the time. Only rare parts, strings with
// escapes and nested values, are left to encoding/json.

var (
	errNotObject = errors.New("not a JSON object")
	errCut       = errors.New("unexpected end of the JSON object")
)

// scanner reads JSON from text; at is the offset of the next byte.
type scanner struct {
	text string
	at   int
}

// parseObject appends the members of a JSON object to fields. The text must be valid UTF-8.
func parseObject(text string, fields []Field) ([]Field, error) {
	s := &scanner{text: text}
	fields, err := s.object(fields)
	if err != nil {
		return fields, err
	}
	if s.next(); s.at < len(s.text) {
		return fields, fmt.Errorf("text after the JSON object at column %d", s.at+1)
	}
	return fields, nil
}

// object appends the members of the next object to fields.
func (s *scanner) object(fields []Field) ([]Field, error) {
	if s.next() != '{' {
		return fields, errNotObject
	}
	s.at++
	for first := true; ; first = false {
		c := s.next()
		if c == '}' && first {
			break
		}
		f, err := s.member()
		if err != nil {
			return fields, err
		}
		fields = append(fields, f)
		switch c = s.next(); c {
		case ',':
			s.at++
			continue
		case '}':
		default:
			return fields, s.unexpected()
		}
		break
	}
	s.at++
	return fields, nil
}

func (s *scanner) member() (Field, error) {
	var f Field
	var err error
	if f.Name, err = s.string(); err != nil {
		return f, err
	}
	if s.next() != ':' {
		return f, s.unexpected()
	}
	s.at++
	f.Value, err = s.value()
	return f, err
}

// next skips white space and returns the byte after it, 0 at the end.
func (s *scanner) next() byte {
	for s.at < len(s.text) {
		switch c := s.text[s.at]; c {
		case ' ', '\t', '\r', '\n':
			s.at++
		default:
			return c
		}
	}
	return 0
}

func (s *scanner) unexpected() error {
	if s.at >= len(s.text) {
		return errCut
	}
	return fmt.Errorf("unexpected %q at column %d", s.text[s.at], s.at+1)
}

func (s *scanner) value() (Value, error) {
	switch c := s.next(); {
	case c == '"':
		text, err := s.string()
		return Value{Kind: Text, Text: text}, err
	case c == '-' || c >= '0' && c <= '9':
		return s.number()
	case c == '[':
		start := s.at
		if texts, ok := s.texts(); ok {
			return Value{Kind: Texts, Texts: texts}, nil
		}
		s.at = start
		return s.other()
	case c == 'n' && s.word("null"):
		return Value{}, nil
	}
	return s.other()
}

func (s *scanner) word(w string) bool {
	if !strings.HasPrefix(s.text[s.at:], w) {
		return false
	}
	s.at += len(w)
	return true
}

// string reads a string; one without escapes shares memory with the text.
func (s *scanner) string() (string, error) {
	if s.next() != '"' {
		return "", s.unexpected()
	}
	start := s.at
	for i := start + 1; i < len(s.text); i++ {
		switch c := s.text[i]; {
		case c == '"':
			s.at = i + 1
			return s.text[start+1 : i], nil
		case c == '\\':
			return s.escaped(start)
		case c < ' ':
			s.at = i
			return "", s.unexpected()
		}
	}
	return "", errCut
}

func (s *scanner) escaped(start int) (string, error) {
	for i := start + 1; i < len(s.text); i++ {
		switch s.text[i] {
		case '\\':
			i++
		case '"':
			var out string
			if err := json.Unmarshal([]byte(s.text[start:i+1]), &out); err != nil {
				return "", fmt.Errorf("text at column %d: %w", start+1, err)
			}
			s.at = i + 1
			return out, nil
		}
	}
	return "", errCut
}

func (s *scanner) number() (Value, error) {
	start := s.at
	plain := true
	for s.at < len(s.text) {
		c := s.text[s.at]
		if c < '0' || c > '9' {
			if !strings.ContainsRune("+-.eE", rune(c)) {
				break
			}
			plain = false
		}
		s.at++
	}
	text := s.text[start:s.at]
	if plain && (len(text) == 1 || text[0] != '0') {
		return Value{Kind: Number, Text: text}, nil
	}
	if !json.Valid([]byte(text)) {
		return Value{}, fmt.Errorf("%q at column %d is not a JSON number", text, start+1)
	}
	return Value{Kind: Number, Text: text}, nil
}

// texts reads an array of strings. ok is false for anything else.
func (s *scanner) texts() (texts []string, ok bool) {
	s.at++
	if s.next() == ']' {
		s.at++
		return nil, true
	}
	for {
		if s.next() != '"' {
			return nil, false
		}
		text, err := s.string()
		if err != nil {
			return nil, false
		}
		texts = append(texts, text)
		switch s.next() {
		case ',':
			s.at++
		case ']':
			s.at++
			return texts, true
		default:
			return nil, false
		}
	}
}

// other reads a value of any kind with encoding/json.
func (s *scanner) other() (Value, error) {
	d := json.NewDecoder(strings.NewReader(s.text[s.at:]))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
			return Value{}, errCut
		}
		return Value{}, fmt.Errorf("value at column %d: %w", s.at+1, err)
	}
	s.at += int(d.InputOffset())
	return Value{Kind: Other, Other: v}, nil
}
