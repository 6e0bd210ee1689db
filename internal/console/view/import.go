package view

import (
	"cmp"
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/importer"
	"github.com/opencapi/capi/internal/upload"
)

// Upload is the page of an import in the browser.
type Upload struct {
	upload.Upload
	Enabled    bool
	LimitBytes int64
	Problem    string // why the last form changed nothing
	Offset     int    // of the first column that is shown, of those of all tables
}

// UploadPath returns the path of an upload's page, with what follows it.
func UploadPath(x id.Upload, rest string) string {
	return BasePath + "/operator/uploads/" + x.String() + rest
}

// ImportPath returns the path of an import's page, with what follows it.
func ImportPath(number int64, rest string) string {
	return BasePath + "/operator/imports/" + strconv.FormatInt(number, 10) + rest
}

// UploadColumnsMax is the most columns that a page shows, because each has a menu of all fields.
const UploadColumnsMax = 16

// Bounds of what a page shows of a plan or a result.
const (
	importNotesMax   = 10
	importSamplesMax = 3
	importReasonsMax = 8
	importCharsMax   = 160
	importFilesMax   = 30
)

// importTable is the part of a table's columns that a page shows.
type importTable struct {
	importer.Source
	First   bool // whether the page shows its first column
	Columns []importColumn
}

// importColumn is a column of a table with its menu.
type importColumn struct {
	importer.ColumnPlan
	Input   string // the name of its menu in the form
	Current string // what its menu shows
	Custom  bool   // Current is not one of the usual choices
}

// tables returns the tables with the columns that the page shows.
func (v *Upload) tables() (shown []importTable) {
	at := 0
	for i, source := range v.Plan.Sources {
		t := importTable{Source: source, First: at >= v.Offset}
		for n, c := range source.Columns {
			if at >= v.Offset && at < v.Offset+UploadColumnsMax {
				current := choiceOf(c)
				t.Columns = append(t.Columns, importColumn{c, fmt.Sprintf("c.%d.%d", i, n), current, !slices.Contains(usualChoices(), current)})
			}
			at++
		}
		if len(t.Columns) > 0 || len(source.Columns) == 0 && v.Offset == 0 {
			shown = append(shown, t)
		}
	}
	return shown
}

// columns returns the number of columns of all tables.
func (v *Upload) columns() (n int) {
	for _, s := range v.Plan.Sources {
		n += len(s.Columns)
	}
	return n
}

// What a menu offers besides fields.
const (
	labelAttribute = "Keep as an attribute"
	labelIgnore    = "Ignore"
	labelKey       = "Key of this source"
	labelAuto      = "Recognise it again"
	labelConnected = "Connected: "
	labelNamed     = "Attribute: "
)

// choiceOf returns what the menu of a column shows.
func choiceOf(c importer.ColumnPlan) string {
	switch {
	case c.Field == "":
		return labelIgnore
	case c.Field == upload.ChoiceAttribute && c.By != importer.ByName, c.Field == upload.ChoiceAttribute+"."+c.Column:
		return labelAttribute
	case c.Field == upload.ChoiceKey:
		return labelKey
	}
	if category, ok := strings.CutPrefix(c.Field, "connections."); ok {
		return labelConnected + category
	}
	if name, ok := strings.CutPrefix(c.Field, upload.ChoiceAttribute+"."); ok {
		return labelNamed + name
	}
	for _, f := range importer.Fields() {
		if f.Name == c.Field {
			return f.Label
		}
	}
	return c.Field
}

// usualChoices are the choices of every menu, the fields first.
var usualChoices = sync.OnceValue(func() (all []string) {
	for _, f := range importer.Fields() {
		all = append(all, f.Label)
	}
	for _, category := range importer.Relations() {
		all = append(all, labelConnected+category)
	}
	return append(all, labelAttribute, labelIgnore, labelKey)
})

// ReadChoice returns what the menu of a column says. changed is false if it still shows what the plan has.
func ReadChoice(c importer.ColumnPlan, label string) (as string, changed bool) {
	switch {
	case label == choiceOf(c):
		return "", false
	case label == labelAuto:
		return "", true
	case label == labelAttribute:
		return upload.ChoiceAttribute, true
	case label == labelIgnore:
		return upload.ChoiceIgnore, true
	case label == labelKey:
		return upload.ChoiceKey, true
	}
	if category, ok := strings.CutPrefix(label, labelConnected); ok {
		return "connections." + category, true
	}
	return fieldOfLabel(label), true
}

// fieldOfLabel returns the field with the label, else the label itself.
func fieldOfLabel(label string) string {
	for _, f := range importer.Fields() {
		if f.Label == label {
			return f.Name
		}
	}
	return label
}

// whyText says what decided how a column is read.
func whyText(c importer.ColumnPlan) string {
	switch c.By {
	case importer.ByYou:
		return "your choice"
	case importer.ByNobody:
		return "no field is like it"
	default:
		return fmt.Sprintf("%.0f %% by its %s", 100*c.Confidence, c.By)
	}
}

// samplesText returns the samples of a column in one line.
func samplesText(c importer.ColumnPlan) string { return clipped(strings.Join(c.Samples, " · ")) }

// clipped shortens a text from a file.
func clipped(s string) string { return clip(s, importCharsMax) }

// pageWords has what the page offers in place of the command's options.
var pageWords = strings.NewReplacer(
	"set it with --set country=NAME", "set it under More settings",
	"undo the import and repeat it with --encoding ", "set the encoding under More settings: ",
	"read one with --sheet NAME", "name one under More settings",
)

// adviceText returns a remark of the importer in the words of the page.
func adviceText(s string) string { return clipped(pageWords.Replace(s)) }

// setFields are the fields that can have the same value in every row, by label.
func setFields() (labels []string) {
	for _, f := range importer.Fields() {
		switch f.Name {
		case "country", "state", "city", "industries", "technologies", "naics_codes", "technology_categories", "description":
			labels = append(labels, f.Label)
		}
	}
	return labels
}

// ReadSetField returns the field that a form names by its label.
func ReadSetField(label string) string { return fieldOfLabel(label) }

// setLabel returns the label of a field that every row has the same value of.
func setLabel(field string) string {
	for _, f := range importer.Fields() {
		if f.Name == field {
			return f.Label
		}
	}
	return field
}

// percentRead returns how much of the file has been read, from 0 to 100.
func (v *Upload) percentRead() int {
	if v.Progress.SizeBytes <= 0 {
		return 0
	}
	return percent(v.Progress.ReadBytes, v.Progress.SizeBytes)
}

// lastImport returns the number of the last import, 0 if there is none.
func (v *Upload) lastImport() int64 {
	if len(v.Imports) == 0 {
		return 0
	}
	return v.Imports[len(v.Imports)-1]
}

// takesForms reports whether the page has forms that upload.js helps with, now or as soon as the plan is made.
func (v *Upload) takesForms() bool {
	return v.State == upload.StateReceiving || v.State == upload.StatePlanning || v.State == upload.StatePlanned
}

// nothingText says what helps if a plan loads nothing.
func (v *Upload) nothingText() string {
	switch {
	case v.columns() > 0:
		return "Say below which column has the names or domains of companies, or:"
	case len(v.Problems) > 0:
		return "Correct the settings below, or:"
	default:
		return ""
	}
}

// changesNothing reports whether the catalog has all that the plan would load.
func (v *Upload) changesNothing() bool {
	return upload.Loads(v.Plan) && v.Plan.Added+v.Plan.Updated+v.Plan.Connections.Added == 0
}

// importVerb returns the text of the button that imports.
func importVerb(ctx context.Context, plan *importer.Summary) string {
	n := plan.Added + plan.Updated
	switch {
	case n > 0:
		return "Import " + Plural(ctx, n, "company", "companies")
	case plan.Connections.Read > plan.Connections.Rejected:
		return "Import " + Plural(ctx, plan.Connections.Read-plan.Connections.Rejected, "connection", "connections")
	default:
		return "Import"
	}
}

// filesText names the files of an upload.
func filesText(u *upload.Upload) string {
	var names []string
	for _, f := range u.Files[:min(len(u.Files), 5)] {
		names = append(names, f.Name)
	}
	if more := len(u.Files) - len(names); more > 0 {
		names = append(names, fmt.Sprintf("and %d more", more))
	}
	return cmp.Or(strings.Join(names, ", "), "no file yet")
}

// stateText says how far an upload is, and the tone of its badge.
func stateText(u *upload.Upload) (text, tone string) {
	switch u.State {
	case upload.StateReceiving:
		return "waits for files", ""
	case upload.StatePlanning:
		return "reading", "info"
	case upload.StatePlanned:
		if !upload.Loads(u.Plan) {
			return "nothing to import", "warn"
		}
		return "ready to import", "info"
	case upload.StateQueued:
		return "waiting", "info"
	case upload.StateImporting:
		return "importing", "info"
	case upload.StateImported:
		return "imported", "good"
	case upload.StateInterrupted:
		return "not finished", "warn"
	default:
		return "failed", "bad"
	}
}

// UndoPage shows an import, and what undoing it would do or has done.
type UndoPage struct {
	Import
	Preview *importer.UndoPreview // nil if the import is undone, or if the preview takes too long
	Undoing upload.Undoing
	Known   bool // whether this server runs an undo of it or has run one
}

// tableText tells a table of the result from the others of its file; empty if there are none.
func (v *Upload) tableText(i int) string {
	of := v.Result.Sources[i]
	for n, other := range v.Result.Sources {
		if n != i && other.File == of.File {
			return "(" + clipped(of.Format) + ")"
		}
	}
	return ""
}

// rejectsName returns the name under which rejected rows are downloaded.
func rejectsName(path string) string { return filepath.Base(path) }

// importFiles names the files of an import.
func importFiles(names []string) string {
	if more := len(names) - importFilesMax; more > 0 {
		return strings.Join(names[:importFilesMax], ", ") + fmt.Sprintf(" and %d more", more)
	}
	return strings.Join(names, ", ")
}

// keptText says why an undo keeps companies; their names follow.
func keptText(reason string) string { return reason + ": " }
