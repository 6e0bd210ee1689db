package reqbody

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/opencapi/capi/internal/fault"
)

// Resolver is a body with rules beyond its schema. Resolve runs after the schema's validation, on the body without its
// invalid parts, so that the client learns of every error at once. It may keep what it parsed.
type Resolver interface{ Resolve() []fault.FieldError }

// Inspector is a body that needs to see what was sent: after decoding, null and an empty list look like absence.
type Inspector interface{ Inspect(sent *Value) }

var byteOrderMark = []byte("\xef\xbb\xbf")

// Decode validates p against s and decodes it into body, a pointer. A missing body is an empty object. Invalid input is
// not the error that it returns: see Errors.
func (v *Validator) Decode(p []byte, s *huma.Schema, body any) error {
	if p = bytes.TrimSpace(bytes.TrimPrefix(p, byteOrderMark)); len(p) == 0 {
		p = []byte("{}")
	}
	sent, errs := parse(p)
	if v.errs = append(v.errs, errs...); sent == nil {
		return nil
	}
	v.check(s, sent, nil)
	if sent.invalid {
		return nil
	}
	if v.changed {
		p = sent.render(nil)
	}
	if err := json.Unmarshal(p, body); err != nil {
		return fmt.Errorf("decode a validated body: %w", err)
	}
	if b, ok := body.(Inspector); ok {
		b.Inspect(sent)
	}
	if b, ok := body.(Resolver); ok {
		v.errs = appendNew(v.errs, b.Resolve())
	}
	return nil
}

// Param validates a parameter of the path or the query against s and stores it in target: a *string, an *int or an
// encoding.TextUnmarshaler.
func (v *Validator) Param(s *huma.Schema, name, given string, target any) {
	val, at := &Value{kind: kindString, text: given, raw: []byte(given)}, &path{name: name}
	if s.Type == huma.TypeInteger {
		if val.kind = kindNumber; !json.Valid(val.raw) || strings.ContainsAny(given, `"[{tfn`) {
			v.reject(val, at, "must be a whole number")
			return
		}
	} else if strings.ContainsRune(given, 0) || strings.ToValidUTF8(given, "") != given {
		v.reject(val, at, "must be valid UTF-8 without NUL characters")
		return
	}
	if v.check(s, val, at); val.invalid {
		return
	}
	switch target := target.(type) {
	case *string:
		*target = val.text
	case *int:
		_ = json.Unmarshal(val.raw, target) // validated above
	case interface{ UnmarshalText([]byte) error }:
		_ = target.UnmarshalText([]byte(val.text)) // validated above
	default:
		panic(fmt.Sprintf("a parameter cannot be read into a %T", target))
	}
}
