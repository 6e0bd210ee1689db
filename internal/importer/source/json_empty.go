package source

import (
	"bytes"
	"slices"
	"strings"
)

// emptyDocument returns why a document that is one object has no records: the list that would hold them is empty, as in the answer of a
// search that found nothing. It returns "" if the document may have records.
func emptyDocument(schema Schema, head []byte) string {
	head = bytes.TrimSpace(head)
	if !isWholeJSON(head) {
		return ""
	}
	root := outline(tolerate(head, `"N"`))
	switch {
	case root == nil || root.kind != '{' || root.cut:
		return ""
	case len(root.values) == 0:
		return "is empty"
	case root.hasRecords(schema):
		return ""
	}
	path := root.emptyList(schema, nil)
	if path == nil {
		return ""
	}
	return "is empty: it has no records in " + strings.Join(path, ".")
}

// hasRecords reports whether an object is a record, or has one or a list of anything inside it, except for the names of columns.
func (n *node) hasRecords(schema Schema) bool {
	if n.kind == '{' && n.isRecord(schema) && !n.are('[') {
		return true
	}
	names := n.header()
	for i, v := range n.values {
		switch {
		case v.kind == '[' && len(v.values) > 0 && (names == nil || !slices.Contains(headers, strings.ToLower(n.names[i]))):
			return true
		case v.kind == '{' && v.hasRecords(schema):
			return true
		}
	}
	return false
}

// emptyList returns the path to the first list without elements, or to null in its place, that would hold records; nil if there is none.
func (n *node) emptyList(schema Schema, path []string) []string {
	for i, v := range n.values {
		name := n.names[i]
		holds := slices.Contains(wrappers, strings.ToLower(name)) || schema.Column(name).Key
		at := append(slices.Clip(path), name)
		switch {
		case holds && (v.null || v.kind == '[' && len(v.values) == 0):
			return at
		case v.kind == '{':
			if inner := v.emptyList(schema, at); inner != nil {
				return inner
			}
			if holds && len(v.values) == 0 {
				return at
			}
		}
	}
	return nil
}
