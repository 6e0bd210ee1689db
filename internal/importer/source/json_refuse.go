package source

import (
	"fmt"
	"slices"
	"strings"
)

// refuseJSON returns an error if a document is of a kind that has no records of companies although its members have names of
// columns: a schema, the description of a software package, the message of an error. Else it returns nil.
func refuseJSON(head []byte) error {
	root := outline(tolerate(head, `"N"`))
	if root == nil || root.kind != '{' {
		return nil
	}
	has := func(names ...string) bool {
		return !slices.ContainsFunc(names, func(name string) bool { return root.member(name) == nil })
	}
	const helpData = "name the file with the data"
	switch {
	case has("$schema", "properties"), has("$schema", "definitions"), has("$schema", "$defs"):
		return notTable{"a JSON Schema, which describes data", helpData}.err()
	case has("info", "paths") && (has("openapi") || has("swagger")):
		return notTable{"an OpenAPI document, which describes an API", helpData}.err()
	case has("name", "version", "dependencies"), has("name", "version", "devDependencies"), has("name", "version", "scripts"), has("lockfileVersion"):
		return notTable{"the description of a software package", helpData}.err()
	case has("terraform_version"):
		return notTable{"a state of Terraform", helpData}.err()
	case has("nbformat", "cells"):
		return notTable{"a Jupyter notebook", "save the table in it as CSV, and import that"}.err()
	case has("doc_id", "email", ""):
		return notTable{"a shortcut to a document in Google Drive", helpLink}.err()
	case has("log") && root.member("log").member("creator") != nil && root.member("log").member("entries") != nil:
		return notTable{"a recording of requests (HAR)", "save the answer with the companies as JSON, and import that"}.err()
	case root.isError():
		return fmt.Errorf("this is the message of an error, not data: %s; get the data again", strings.TrimSpace(root.message()))
	}
	return nil
}

// errorMembers are the members of answers that are only an error, true for those that say so.
var errorMembers = map[string]bool{
	"error": true, "errors": true, "error_description": true, "error_code": true, "message": true, "detail": true, "errorMessage": true,
	"code": false, "status": false, "statusCode": false, "status_code": false, "success": false, "ok": false, "documentation_url": false, "timestamp": false, "path": false,
	"details": false, "type": false, "title": false, "instance": false, "request_id": false, "requestId": false, "traceId": false, "error_uri": false,
}

// isError reports whether an object has the members of an answer that is only an error, and no others.
func (n *node) isError() bool {
	says := false
	for i, name := range n.names {
		v := n.values[i]
		if v.null || (v.kind == '[' || v.kind == '{') && len(v.values) == 0 {
			continue
		}
		is, known := errorMembers[name]
		if !known {
			return false
		}
		says = says || is
	}
	return says && !n.cut
}

// message returns the first text in the object that is not a single word.
func (n *node) message() string {
	first := ""
	for _, v := range n.values {
		text := v.text
		if v.kind == '{' || v.kind == '[' {
			text = v.message()
		}
		if strings.Contains(text, " ") {
			return text
		}
		if first == "" {
			first = text
		}
	}
	return first
}
