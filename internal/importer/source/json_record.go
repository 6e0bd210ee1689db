package source

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"
)

// recordFields turns the members of an object into the fields of a record: values that MongoDB writes as objects become
// values, the envelope that a program put around the record is taken off, and the members of nested objects become fields.
// It returns false for a message of such a program that is no record.
func recordFields(schema Schema, text string, fields []Field) ([]Field, bool) {
	if strings.Contains(text, `"$`) || strings.Contains(text, `"#text"`) {
		for i := range fields {
			if v := &fields[i].Value; v.Kind == Other {
				*v = valueOf(plainJSON(v.Other))
			}
		}
	}
	if isTyped(fields) {
		for i := range fields {
			fields[i].Value = valueOf(untyped(fields[i].Value.Other))
		}
	}
	if isMessage(schema, fields) {
		return fields, false
	}
	takeBindings(fields)
	if !slices.ContainsFunc(fields, isObject) {
		return fields, true
	}
	if strings.Contains(text, `"plain_text"`) {
		for i := range fields {
			if v := &fields[i].Value; v.Kind == Other {
				*v = valueOf(untagged(v.Other))
			}
		}
	}
	return flatten(schema, takeOff(schema, fields)), true
}

// envelopeOfText is the column in which a replication tool writes each record as JSON.
const envelopeOfText = "_airbyte_data"

// yieldRecords yields the records of an object that was parsed: itself, those in it if it is a page of them, or none.
func yieldRecords(schema Schema, text string, record *Record, yield func(*Record)) {
	page, isPage := pageOf(schema, record.Fields)
	if !isPage {
		var isRecord bool
		if record.Fields, isRecord = recordFields(schema, text, record.Fields); isRecord {
			yield(record)
		}
		return
	}
	for i := range page {
		one := Record{Line: record.Line}
		var isRecord bool
		if one.Fields, isRecord = recordFields(schema, text, fieldsOfMembers(&page[i])); isRecord {
			yield(&one)
		}
	}
}

// pagingMembers are the names of texts that say something about a page.
var pagingMembers = []string{
	"next", "next_page", "next_page_token", "nextpagetoken", "nexttoken", "next_cursor", "nextcursor", "cursor", "previous", "prev", "first", "last", "status", "message", "url", "self",
	"href", "offset", "scroll_id", "_scroll_id", "request_id", "requestid", "object", "kind", "etag", "took", "after", "query", "@odata.context", "@odata.nextlink",
}

// pageOf returns the records in a page of an answer, which is an object with a list of them and its own number or the address of the next page.
// It returns false for any other object.
func pageOf(schema Schema, fields []Field) (records []Value, ok bool) {
	found := false
	for _, f := range fields {
		list, isList := f.Value.Other.([]any)
		name := strings.ToLower(f.Name)
		switch {
		case isList && f.Value.Kind == Other && slices.Contains(wrappers, name) && !found:
			found = true
			for _, e := range list {
				if _, isObject := e.(map[string]any); !isObject {
					return nil, false
				}
				records = append(records, Value{Kind: Other, Other: e})
			}
		case f.Value.Kind == Texts && len(f.Value.Texts) == 0 && slices.Contains(wrappers, name) && !found:
			found = true // without records
		case isObject(f) && slices.Contains(wrappers, name) && !found:
			if records, found = pageOf(schema, fieldsOfMembers(&f.Value)); !found {
				return nil, false
			}
		case (f.Value.Kind == Text || isList || f.Value.Kind == Texts) && !slices.Contains(pagingMembers, name), schema.Column(f.Name).Key:
			return nil, false
		}
	}
	return records, found
}

// fieldsOfMembers returns the members of an object as fields.
func fieldsOfMembers(v *Value) []Field {
	members, _ := v.Other.(map[string]any)
	var out []Field
	for _, name := range sortedNames(members) {
		out = append(out, Field{name, valueOf(members[name])})
	}
	return out
}

// openEnvelope replaces a cell that is a record as JSON by the record's fields. A cell that is not JSON is the record's problem.
func openEnvelope(schema Schema, r *Record) {
	at := slices.IndexFunc(r.Fields, func(f Field) bool {
		return strings.EqualFold(f.Name, envelopeOfText) && (f.Value.Kind == Cell || f.Value.Kind == Text)
	})
	if at < 0 || r.Reason != "" || strings.TrimSpace(r.Fields[at].Value.Text) == "" {
		return
	}
	inner, err := parseRecord(r.Fields[at].Value.Text, nil)
	if err != nil {
		r.Reason, r.Detail = ReasonBrokenJSON, envelopeOfText+": "+err.Error()
		return
	}
	inner, isRecord := recordFields(schema, r.Fields[at].Value.Text, inner)
	if !isRecord {
		inner = nil
	}
	for _, f := range r.Fields {
		if !isBookkeeping(f.Name) && !slices.ContainsFunc(inner, func(have Field) bool { return have.Name == f.Name }) {
			inner = append(inner, f)
		}
	}
	r.Fields = inner
}

// takeBindings replaces the values of a SPARQL result, which are objects with their type and value.
func takeBindings(fields []Field) {
	for i := range fields {
		members, ok := fields[i].Value.Other.(map[string]any)
		kind, isText := members["type"].(string)
		value, has := members["value"].(string)
		if !ok || !isText || !has || fields[i].Value.Kind != Other {
			continue
		}
		switch kind {
		case "uri", "literal", "typed-literal", "bnode":
			fields[i].Value = valueOf(value)
		}
	}
}

// plainJSON converts MongoDB's extended JSON: {"$numberInt": "47"} is 47.
func plainJSON(v any) any {
	switch v := v.(type) {
	case []any:
		for i, e := range v {
			v[i] = plainJSON(e)
		}
	case map[string]any:
		if text, ok := elementText(v); ok {
			return text
		}
		for name, e := range v {
			if name != "" && name[0] == '$' && len(v) <= 2 {
				return extended(name, e)
			}
			v[name] = plainJSON(e)
		}
	}
	return v
}

// elementText returns the text of an element of XML that a program wrote as an object with its attributes: {"@lang": "en", "$": "Acme"}.
func elementText(members map[string]any) (text any, ok bool) {
	for name, e := range members {
		switch {
		case name == "$" || name == "#text":
			text, ok = plainJSON(e), true
		case !strings.HasPrefix(name, "@") && !strings.HasPrefix(name, "$"):
			return nil, false
		}
	}
	return text, ok
}

// extended returns the value of a member whose name begins with a dollar sign.
func extended(name string, v any) any {
	v = plainJSON(v)
	switch name {
	case "$numberInt", "$numberLong", "$numberDouble", "$numberDecimal":
		if s, ok := v.(string); ok && json.Valid([]byte(s)) {
			return json.Number(s)
		}
		if n, ok := v.(json.Number); ok {
			return n
		}
		return nil // NaN or infinite
	case "$date":
		n, ok := v.(json.Number)
		if !ok {
			return v
		}
		ms, err := strconv.ParseInt(n.String(), 10, 64)
		if err != nil {
			return nil
		}
		return time.UnixMilli(ms).UTC().Format(time.RFC3339)
	case "$oid", "$symbol", "$uuid", "$id", "$ref", "$t":
		return v
	}
	return nil // $binary, $undefined, $minKey, $timestamp …
}

// isTyped reports whether all members are values with their types, as DynamoDB and Firestore export them: {"S": "text"},
// {"stringValue": "text"}.
func isTyped(fields []Field) bool {
	for i := range fields {
		members, ok := fields[i].Value.Other.(map[string]any)
		if !ok || fields[i].Value.Kind != Other || len(members) != 1 {
			return false
		}
		for kind := range members {
			switch kind {
			case "S", "N", "B", "BOOL", "NULL", "M", "L", "SS", "NS", "BS":
			case "stringValue", "integerValue", "doubleValue", "booleanValue", "nullValue", "mapValue", "arrayValue", "timestampValue", "referenceValue",
				"geoPointValue", "bytesValue":
			default:
				return false
			}
		}
	}
	return len(fields) > 0
}

// untyped returns the value of a value with its type.
func untyped(v any) any {
	members, ok := v.(map[string]any)
	if !ok || len(members) != 1 {
		return v
	}
	for kind, inner := range members {
		switch kind {
		case "mapValue":
			inner, _ := inner.(map[string]any)
			return untyped(map[string]any{"M": inner["fields"]})
		case "arrayValue":
			inner, _ := inner.(map[string]any)
			return untyped(map[string]any{"L": inner["values"]})
		case "N", "integerValue":
			if s, ok := inner.(string); ok && json.Valid([]byte(s)) {
				return json.Number(s)
			}
		case "NULL", "nullValue":
			return nil
		case "M":
			if list, ok := inner.(map[string]any); ok {
				for name, e := range list {
					list[name] = untyped(e)
				}
			}
		case "L":
			if list, ok := inner.([]any); ok {
				for i, e := range list {
					list[i] = untyped(e)
				}
			}
		}
		return inner
	}
	return v
}

// untagged returns the value of a property that has it under the name of its type, as Notion does: {"type": "url", "url": "acme.com"}. A
// text in parts, and what is chosen from a list, is its text.
func untagged(v any) any {
	switch v := v.(type) {
	case []any:
		var parts []string
		for i, e := range v {
			members, _ := e.(map[string]any)
			if text, ok := members["plain_text"].(string); ok {
				parts = append(parts, text)
			}
			v[i] = untagged(e)
		}
		if len(parts) > 0 && len(parts) == len(v) {
			return strings.Join(parts, "")
		}
	case map[string]any:
		kind, _ := v["type"].(string)
		if inner, ok := v[kind]; ok {
			return untagged(inner)
		}
		for name, e := range v {
			v[name] = untagged(e)
		}
		if _, isDate := v["end"]; isDate && v["start"] != nil {
			return v["start"]
		}
		if _, isChoice := v["color"]; isChoice && v["name"] != nil {
			return v["name"]
		}
	}
	return v
}

// envelopes are the names of members that hold the record itself, inside an object that a program put around it.
var envelopes = []string{
	"_airbyte_data", "_source", "record", "fields", "attributes", "Item", "doc", "document", "node", "after", "payload", "entity", "item",
}

const envelopesMax = 3 // one inside the other

// takeOff replaces an envelope by the record in it. What the envelope says of the record is kept, except for its own
// bookkeeping.
func takeOff(schema Schema, fields []Field) []Field {
	for depth := range envelopesMax {
		feature := isFeature(fields)
		at := slices.IndexFunc(fields, func(f Field) bool {
			return isObject(f) && (slices.Contains(envelopes, f.Name) || len(fields) == 1 && (isLarge(f) || isWrapped(schema, f)) || depth > 0 && f.Name == "data" || feature && f.Name == "properties")
		})
		if at < 0 {
			return fields
		}
		members, _ := fields[at].Value.Other.(map[string]any)
		inner := fieldsOfMembers(&fields[at].Value)
		typed := isTyped(inner)
		if hasKey(schema, fields) && !typed { // the name beside values with their types is that of the document
			return fields
		}
		if typed {
			for i := range inner {
				inner[i].Value = valueOf(untyped(inner[i].Value.Other))
			}
		}
		for i := range fields {
			f := fields[i]
			_, have := members[f.Name]
			if i != at && !have && (!isObject(f) || feature) && !isBookkeeping(f.Name) && (!typed || !schema.Column(f.Name).Key) {
				inner = append(inner, f)
			}
		}
		fields = inner
	}
	return fields
}

// isLarge reports whether an object has more members than those that become fields of a record with others.
func isLarge(f Field) bool {
	members, _ := f.Value.Other.(map[string]any)
	return len(members) > flattenMembersMax
}

// wrapped are the names of a member that holds a record if there is no other member. A person or an author is no company.
var wrapped = []string{"result", "data", "row", "object", "hit", "resource", "element", "value", "body", "response", "content", "values", "properties", "obj", "json"}

// isWrapped reports whether such a member names a company by one of its own that would not be known with its name before it.
func isWrapped(schema Schema, f Field) bool {
	members, _ := f.Value.Other.(map[string]any)
	if !slices.Contains(wrapped, strings.ToLower(f.Name)) {
		return false
	}
	for name, v := range members {
		_, isText := v.(string)
		if isText && schema.Column(name).Key && !schema.Column(f.Name+"."+name).Known {
			return true
		}
	}
	return false
}

// isFeature reports whether the fields are a feature of GeoJSON, which has its record in "properties".
func isFeature(fields []Field) bool {
	return slices.ContainsFunc(fields, func(f Field) bool { return f.Name == "type" && f.Value.Text == "Feature" })
}

func sortedNames(members map[string]any) []string {
	names := make([]string, 0, len(members))
	for name := range members {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

func isBookkeeping(name string) bool {
	switch name {
	case "type", "stream", "namespace", "time_extracted", "emitted_at", "version", "sort", "key", "value", "cursor", "op", "ts_ms", "kind", "etag":
		return true
	}
	return strings.HasPrefix(name, "_")
}

// hasKey reports whether a field names the company of a record.
func hasKey(schema Schema, fields []Field) bool {
	return slices.ContainsFunc(fields, func(f Field) bool { return schema.Column(f.Name).Key && !isObject(f) })
}

// isMessage reports whether the fields are a message of Singer or Airbyte other than a record.
func isMessage(schema Schema, fields []Field) bool {
	for i := range fields {
		if fields[i].Name != "type" {
			continue
		}
		switch fields[i].Value.Text {
		case "SCHEMA", "STATE", "ACTIVATE_VERSION", "BATCH", "LOG", "TRACE", "CATALOG", "SPEC", "CONNECTION_STATUS", "CONTROL":
			return !hasKey(schema, fields)
		}
	}
	return false
}
