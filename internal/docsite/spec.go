package docsite

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// spec is the part of an OpenAPI document that the pages need.
type spec struct {
	Paths      map[string]map[string]*operation `json:"paths"`
	Components struct {
		Schemas   map[string]*schema  `json:"schemas"`
		Responses map[string]response `json:"responses"`
	} `json:"components"`
	Servers []struct {
		URL string `json:"url"`
	} `json:"servers"`
	Tags []struct {
		Name        string `json:"name"`
		Description string `json:"description"`
	} `json:"tags"`

	operations []*operation // by tag, then path, then method
}

type operation struct {
	ID          string              `json:"operationId"`
	Summary     string              `json:"summary"`
	Description string              `json:"description"`
	Tags        []string            `json:"tags"`
	Parameters  []parameter         `json:"parameters"`
	Body        *body               `json:"requestBody"`
	Responses   map[string]response `json:"responses"`
	Scope       string              `json:"x-scope"`
	Limit       struct {
		Name      string `json:"name"`
		PerMinute int    `json:"per_minute"`
	} `json:"x-rate-limit"`

	Method string `json:"-"`
	Path   string `json:"-"` // with the base path
}

type parameter struct {
	Name        string  `json:"name"`
	In          string  `json:"in"`
	Required    bool    `json:"required"`
	Description string  `json:"description"`
	Schema      *schema `json:"schema"`
}

type body struct {
	Required bool             `json:"required"`
	Content  map[string]media `json:"content"`
}

type media struct {
	Schema   *schema                    `json:"schema"`
	Example  json.RawMessage            `json:"example"`
	Examples map[string]json.RawMessage `json:"examples"` // of an error, by code
}

type response struct {
	Ref         string           `json:"$ref"`
	Description string           `json:"description"`
	Content     map[string]media `json:"content"`
}

type schema struct {
	Ref         string             `json:"$ref"`
	Type        words              `json:"type"`
	Format      string             `json:"format"`
	Description string             `json:"description"`
	Default     json.RawMessage    `json:"default"`
	Enum        []any              `json:"enum"`
	Examples    []json.RawMessage  `json:"examples"`
	Minimum     *float64           `json:"minimum"`
	Maximum     *float64           `json:"maximum"`
	MaxLength   *int               `json:"maxLength"`
	MinItems    *int               `json:"minItems"`
	MaxItems    *int               `json:"maxItems"`
	Items       *schema            `json:"items"`
	Properties  map[string]*schema `json:"properties"`
	Required    []string           `json:"required"`
	AnyOf       []*schema          `json:"anyOf"`
}

// words is a string or a list of strings in JSON.
type words []string

// UnmarshalJSON accepts both.
func (w *words) UnmarshalJSON(p []byte) error {
	var one string
	if json.Unmarshal(p, &one) == nil {
		*w = words{one}
		return nil
	}
	return json.Unmarshal(p, (*[]string)(w))
}

func readSpec(document []byte) (*spec, error) {
	s := &spec{}
	if err := json.Unmarshal(document, s); err != nil {
		return nil, fmt.Errorf("read OpenAPI document: %w", err)
	}
	if len(s.Servers) == 0 {
		return nil, errors.New("the OpenAPI document names no server")
	}
	for path, methods := range s.Paths {
		for method, op := range methods {
			op.Method, op.Path = strings.ToUpper(method), s.Servers[0].URL+path
			if len(op.Tags) == 0 || op.ID == "" {
				return nil, fmt.Errorf("%s %s has no tag or no operationId", op.Method, path)
			}
			s.operations = append(s.operations, op)
		}
	}
	slices.SortFunc(s.operations, func(a, b *operation) int { return strings.Compare(s.rank(a), s.rank(b)) })
	return s, nil
}

// rank returns a sort key: by tag, then path, then reading before writing.
func (s *spec) rank(op *operation) string {
	tag := len(s.Tags)
	for i, t := range s.Tags {
		if t.Name == op.Tags[0] {
			tag = i
		}
	}
	method := slices.Index([]string{"GET", "POST", "PATCH", "PUT", "DELETE"}, op.Method)
	return fmt.Sprintf("%03d %s %d", tag, op.Path, method)
}

func (s *spec) operation(id string) *operation {
	for _, op := range s.operations {
		if op.ID == id {
			return op
		}
	}
	return nil
}

// resolve follows references, and skips the null of a nullable type.
func (s *spec) resolve(x *schema) *schema {
	for range 10 {
		switch {
		case x == nil:
			return &schema{}
		case x.Ref != "":
			x = s.Components.Schemas[lastWord(x.Ref)]
		case len(x.AnyOf) > 0:
			x = x.AnyOf[0]
		default:
			return x
		}
	}
	return x
}

func (s *spec) response(r response) response {
	if r.Ref == "" {
		return r
	}
	return s.Components.Responses[lastWord(r.Ref)]
}

// tagDescription returns the description of a tag, "" if it is not listed.
func (s *spec) tagDescription(name string) string {
	for _, t := range s.Tags {
		if t.Name == name {
			return t.Description
		}
	}
	return ""
}

// about returns the description without its last paragraph, which names the scope and the rate limit.
func (op *operation) about() string {
	about, _, _ := strings.Cut(op.Description, "\n\nRequires a token")
	return about
}

// success returns the status and the response of a successful call.
func (op *operation) success() (int, response) {
	for status, r := range op.Responses {
		if n, err := strconv.Atoi(status); err == nil && n < 300 {
			return n, r
		}
	}
	return 0, response{}
}

func lastWord(ref string) string { return ref[strings.LastIndexByte(ref, '/')+1:] }

// slug returns the slug of the operation's page: createExport has reference/create-export.
func (op *operation) slug() string {
	var b strings.Builder
	b.WriteString("reference/")
	for _, r := range op.ID {
		if 'A' <= r && r <= 'Z' {
			b.WriteByte('-')
			r += 'a' - 'A'
		}
		b.WriteRune(r)
	}
	return b.String()
}
