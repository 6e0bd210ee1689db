package docsite

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"text/template"
)

// call is one request as the samples send it.
type call struct {
	Method, URL, Token string
	Body               json.RawMessage // nil for none
	HasAnswer, IsJSON  bool
}

// exampleID is the id in the samples.
const exampleID = "0195510c-7a3b-7c1d-9e2f-0a1b2c3d4e5f"

// samples returns the operation's example request, as one code block per language.
func samples(op *operation) string {
	c := call{Method: op.Method, URL: Host + op.examplePath(), Token: Token}
	if op.Body != nil {
		c.Body = op.Body.Content["application/json"].Example
	}
	_, r := op.success()
	_, c.IsJSON = r.Content["application/json"]
	c.HasAnswer = len(r.Content) > 0
	var b strings.Builder
	for _, l := range languages {
		var code strings.Builder
		if err := sampleTemplates.ExecuteTemplate(&code, l.extension, c); err != nil {
			panic(err) // the templates and their data are our own
		}
		fence(&b, l.fence, code.String())
	}
	return b.String()
}

// examplePath returns the path with an id for each parameter.
func (op *operation) examplePath() string {
	path := op.Path
	for _, p := range op.Parameters {
		if p.In == "path" {
			value := exampleID
			if p.Schema != nil && len(p.Schema.Examples) > 0 {
				value = strings.Trim(string(p.Schema.Examples[0]), `"`)
			}
			path = strings.ReplaceAll(path, "{"+p.Name+"}", value)
		}
	}
	return path
}

var sampleTemplates = func() *template.Template {
	t := template.New("").Funcs(template.FuncMap{
		"shell": shellQuoted, "pretty": pretty, "python": pythonLiteral, "compact": compact,
	})
	for name, text := range map[string]string{"sh": curlSample, "js": javaScriptSample, "py": pythonSample, "go": goSample} {
		template.Must(t.New(name).Parse(text))
	}
	return t
}()

const curlSample = `curl{{if ne .Method "GET"}} -X {{.Method}}{{end}} {{.URL}} \
  -H "Authorization: Bearer {{.Token}}"{{if .Body}} \
  -H "Content-Type: application/json" \
  -d {{shell (compact .Body)}}{{end}}
`

const javaScriptSample = `const response = await fetch("{{.URL}}", {
  method: "{{.Method}}",
  headers: {
    "Authorization": "Bearer {{.Token}}",{{if .Body}}
    "Content-Type": "application/json",{{end}}
  },{{if .Body}}
  body: JSON.stringify({{pretty .Body "  "}}),{{end}}
});
if (!response.ok) throw new Error(await response.text());
{{if .HasAnswer}}console.log(await response.{{if .IsJSON}}json{{else}}text{{end}}());{{else}}console.log(response.status);{{end}}
`

const pythonSample = `{{if or .Body .IsJSON}}import json
{{end}}import urllib.request

request = urllib.request.Request(
    "{{.URL}}",
    method="{{.Method}}",
    headers={
        "Authorization": "Bearer {{.Token}}",{{if .Body}}
        "Content-Type": "application/json",{{end}}
    },{{if .Body}}
    data=json.dumps({{python .Body "    "}}).encode(),{{end}}
)
with urllib.request.urlopen(request) as response:
    {{if .IsJSON}}print(json.load(response)){{else if .HasAnswer}}print(response.read().decode()){{else}}print(response.status){{end}}
`

const goSample = `package main

import (
	"fmt"
	"io"
	"log"
	"net/http"{{if .Body}}
	"strings"{{end}}
)

func main() {
	{{if .Body}}body := strings.NewReader(` + "`{{compact .Body}}`" + `)
	{{end}}request, err := http.NewRequest("{{.Method}}", "{{.URL}}", {{if .Body}}body{{else}}nil{{end}})
	if err != nil {
		log.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer {{.Token}}"){{if .Body}}
	request.Header.Set("Content-Type", "application/json"){{end}}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		log.Fatal(err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(response.Status, string(answer))
}
`

func shellQuoted(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }

func compact(body json.RawMessage) (string, error) {
	var b bytes.Buffer
	err := json.Compact(&b, body)
	return b.String(), err
}

func pretty(body json.RawMessage, indent string) (string, error) {
	var b bytes.Buffer
	err := json.Indent(&b, body, indent, "  ")
	return b.String(), err
}

// pythonLiteral returns the value as a Python literal.
func pythonLiteral(body json.RawMessage, indent string) (string, error) {
	var v any
	if err := json.Unmarshal(body, &v); err != nil {
		return "", err
	}
	var b strings.Builder
	writePython(&b, v, indent)
	return b.String(), nil
}

func writePython(b *strings.Builder, v any, indent string) {
	switch v := v.(type) {
	case map[string]any:
		names := make([]string, 0, len(v))
		for name := range v {
			names = append(names, name)
		}
		slices.Sort(names)
		b.WriteString("{\n")
		for _, name := range names {
			fmt.Fprintf(b, "%s    %q: ", indent, name)
			writePython(b, v[name], indent+"    ")
			b.WriteString(",\n")
		}
		b.WriteString(indent + "}")
	case []any:
		b.WriteString("[")
		for i, element := range v {
			if i > 0 {
				b.WriteString(", ")
			}
			writePython(b, element, indent)
		}
		b.WriteString("]")
	case bool:
		b.WriteString(map[bool]string{true: "True", false: "False"}[v])
	case nil:
		b.WriteString("None")
	default: // texts and numbers are written as in JSON
		p, err := json.Marshal(v)
		if err != nil {
			panic(err) // it was read from JSON
		}
		b.Write(p)
	}
}
