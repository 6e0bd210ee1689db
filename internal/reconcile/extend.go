package reconcile

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/opencapi/capi/internal/auth"
	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/httpx"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/search"
	"github.com/opencapi/capi/internal/text"
)

const (
	idsMax        = 100 // of a request for values
	propertiesMax = 50
)

// properties are the fields whose values can be fetched: all but the attributes, which have no names of their own.
var properties = func() (fields []*company.Field) {
	for i := range company.Fields {
		if f := &company.Fields[i]; f.Kind != company.KindAttributes {
			fields = append(fields, f)
		}
	}
	return fields
}()

func propertyNames() (names []string) {
	for _, f := range properties {
		names = append(names, f.Name)
	}
	return names
}

// extended is the answer to a request for values.
type extended struct {
	Meta    []column                      `json:"meta"`
	Rows    map[string]map[string][]value `json:"rows"`
	Locked  map[string][]string           `json:"locked_fields,omitempty"` // the requested properties that are locked, by id
	Unknown []string                      `json:"unknown_ids,omitempty"`
}

type column struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	Type *named `json:"type,omitempty"`
}

// value is a value of a property; one member is set.
type value struct {
	ID   string `json:"id,omitempty"`
	Name string `json:"name,omitempty"`
	Str  string `json:"str,omitempty"`
	Int  *int64 `json:"int,omitempty"`
	Date string `json:"date,omitempty"`
}

// extend returns values of properties of companies. What is locked has no values, and is named.
func (s *server) extend(w http.ResponseWriter, r *http.Request, caller auth.Caller) error {
	ids, fields, err := readExtend(r.Form.Get("extend"))
	if err != nil {
		return err
	}
	known := make(map[string]id.Company, len(ids))
	var wanted []id.Company
	for _, given := range ids {
		if of, err := id.Parse[id.Company](given); err == nil && known[given].IsZero() {
			known[given], wanted = of, append(wanted, of)
		}
	}
	connected := slices.ContainsFunc(fields, func(f *company.Field) bool { return f.Kind == company.KindConnections })
	items, err := s.Search.ByIDs(r.Context(), caller, wanted, connected)
	if err != nil {
		return fmt.Errorf("extend: %w", err)
	}
	out := extended{Meta: make([]column, len(fields)), Rows: make(map[string]map[string][]value, len(ids)), Locked: map[string][]string{}}
	for i, f := range fields {
		out.Meta[i] = column{ID: f.Name, Name: f.Label}
		if f.Kind == company.KindConnections {
			out.Meta[i].Type = &entityType
		}
	}
	for _, given := range ids {
		item, ok := items[known[given]]
		if !ok && !slices.Contains(out.Unknown, given) {
			out.Unknown = append(out.Unknown, given)
		}
		row := make(map[string][]value, len(fields))
		var locked []string
		for _, f := range fields {
			row[f.Name] = []value{}
			if !ok {
				continue
			}
			row[f.Name] = append(row[f.Name], valuesOf(f, item)...)
			if item.Locked.Has(f.Name) {
				locked = append(locked, f.Name)
			}
		}
		out.Rows[given] = row
		if locked != nil {
			out.Locked[given] = locked
		}
	}
	if err := s.tellDaily(w, r, caller); err != nil {
		return err
	}
	httpx.WriteJSON(w, http.StatusOK, out)
	return nil
}

func valuesOf(f *company.Field, c search.Item) (values []value) {
	switch f.Kind {
	case company.KindID:
		return []value{{Str: c.ID.String()}}
	case company.KindText, company.KindList:
		for _, s := range f.Texts(c.Company) {
			values = append(values, value{Str: s})
		}
	case company.KindInteger:
		if n := *f.Int(c.Company); n != nil {
			values = append(values, value{Int: n})
		}
	case company.KindTime:
		if f.Known(c.Company) {
			values = append(values, value{Date: f.Time(c.Company).UTC().Format(time.RFC3339)})
		}
	case company.KindConnections:
		for _, to := range c.Connections {
			v := value{Str: to.Name}
			if !to.ID.IsZero() {
				v = value{ID: to.ID.String(), Name: to.Name}
			}
			if to.Name != "" && !slices.Contains(values, v) {
				values = append(values, v)
			}
		}
	case company.KindAttributes:
	}
	return values
}

// readExtend reads a request for values.
func readExtend(given string) (ids []string, fields []*company.Field, err error) {
	o, err := object("extend", given)
	if err != nil {
		return nil, nil, err
	}
	var errs []fault.FieldError
	bad := func(field, message string) {
		errs = append(errs, fault.FieldError{Field: "extend." + field, Message: message})
	}
	list, ok := o["ids"].([]any)
	if !ok {
		bad("ids", "must be a list of ids of companies")
	}
	if len(list) > idsMax {
		return nil, nil, fault.New(fault.PayloadTooLarge, "The request has %d ids; send at most %d at a time.", len(list), idsMax).With("ids_max", idsMax)
	}
	for i, v := range list {
		of, ok := v.(string)
		if !ok {
			bad("ids["+strconv.Itoa(i)+"]", "must be a string")
		}
		ids = append(ids, of)
	}
	asked, ok := o["properties"].([]any)
	if !ok {
		bad("properties", "must be a list, such as [{\"id\": \"domain\"}]")
	}
	if len(asked) > propertiesMax {
		bad("properties", "has more than "+strconv.Itoa(propertiesMax)+" properties")
		asked = nil
	}
	for i, v := range asked {
		p, _ := v.(map[string]any)
		name, ok := p["id"].(string)
		at := "properties[" + strconv.Itoa(i) + "].id"
		f := propertyNamed(name)
		switch {
		case !ok:
			bad(at, "is missing, or not a text")
		case f == nil:
			bad(at, text.Short(name)+" is not a property"+didYouMean(name)+"; the properties are those that "+Path+"/TOKEN/extend/properties lists")
		case !slices.Contains(fields, f):
			fields = append(fields, f)
		}
	}
	return ids, fields, fault.Invalid(errs...)
}

func propertyNamed(name string) *company.Field {
	i := slices.IndexFunc(properties, func(f *company.Field) bool { return f.Name == name })
	if i < 0 {
		return nil
	}
	return properties[i]
}

func didYouMean(name string) string {
	if near := text.Nearest(text.Fold(name), propertyNames()); near != "" {
		return " (did you mean " + near + "?)"
	}
	return ""
}
