package source

import (
	"encoding/json"
	"slices"
	"strings"
)

// The members of an object that is one field of a record: {"field": "name", "value": "Acme"}.
var (
	fieldMembers = []string{"field", "key", "name", "property", "attribute", "label", "column", "feld", "champ", "campo"}
	valueMembers = []string{"value", "val", "wert", "valeur", "valor", "valore"}
)

// fieldCards returns a reader of the records whose fields are objects of their own, one after another; nil if the objects are records.
func (v *values) fieldCards() *cards {
	if v.layout != layoutObjects || v.nested {
		return nil
	}
	head, _ := v.in.Peek(headBytes) // reading it will return the same error
	n := outline(tolerate(append([]byte{'['}, head...), `"N"`))
	if n == nil || !n.are('{') {
		return nil
	}
	field, value := n.values[0].fieldAndValue()
	var names fieldNames
	for _, e := range n.values {
		if e.cut {
			break
		}
		of := e.member(field)
		if len(e.names) != 2 || of == nil || of.kind != '"' || e.member(value) == nil {
			return nil
		}
		names.add(v.schema, cardName(of.text))
	}
	if !names.areFields() {
		return nil
	}
	c := &cards{schema: v.schema, end: func() error { return v.end }}
	c.next = func() (cardLine, bool) { return v.cardLine(field, value) }
	c.start(nil)
	return c
}

// fieldAndValue returns the names of the members with the name of a field and its value; empty if there are none.
func (n *node) fieldAndValue() (field, value string) {
	for _, name := range n.names {
		switch lower := strings.ToLower(name); {
		case slices.Contains(fieldMembers, lower) && field == "":
			field = name
		case slices.Contains(valueMembers, lower) && value == "":
			value = name
		}
	}
	return field, value
}

// cardLine reads the next object as the name of a field and its value.
func (v *values) cardLine(field, value string) (cardLine, bool) {
	next, ok := v.value()
	if !ok {
		return cardLine{}, false
	}
	l := cardLine{line: next.line, raw: next.text, reason: next.reason}
	fields, err := parseRecord(next.text, nil)
	if err != nil && l.reason == "" {
		l.reason = ReasonBrokenJSON
	}
	cell := func(name string) string {
		i := slices.IndexFunc(fields, func(f Field) bool { return f.Name == name })
		if i < 0 {
			return ""
		}
		return fields[i].Value.cell()
	}
	l.cells = []string{cell(field), cell(value)}
	return l, true
}

// cell returns the value as a cell has it: a list with a line for each value.
func (v *Value) cell() string {
	switch v.Kind {
	case Texts:
		return strings.Join(v.Texts, "\n")
	case Other:
		text, err := json.Marshal(v.Other)
		if err != nil {
			return ""
		}
		return string(text)
	default:
		return v.Text
	}
}
