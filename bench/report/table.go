package report

import (
	"fmt"
	"io"
	"strings"
)

// Table builds a Markdown table; all columns except the first are right-aligned.
type Table struct {
	head []string
	rows [][]string
}

// NewTable returns a table with a header row.
func NewTable(head ...string) *Table { return &Table{head: head} }

// Row adds a row.
func (t *Table) Row(cells ...string) { t.rows = append(t.rows, cells) }

// Write writes the table, aligned for reading as plain text.
func (t *Table) Write(w io.Writer) {
	widths := make([]int, len(t.head))
	for _, row := range append([][]string{t.head}, t.rows...) {
		for i, cell := range row {
			widths[i] = max(widths[i], len([]rune(cell)), 3)
		}
	}
	t.write(w, widths, t.head)
	rule := make([]string, len(widths))
	for i, width := range widths {
		rule[i] = strings.Repeat("-", width-1) + ":"
	}
	rule[0] = strings.Repeat("-", widths[0])
	t.write(w, widths, rule)
	for _, row := range t.rows {
		t.write(w, widths, row)
	}
}

func (t *Table) write(w io.Writer, widths []int, row []string) {
	for i, cell := range row {
		pad := strings.Repeat(" ", widths[i]-len([]rune(cell)))
		if i == 0 {
			fmt.Fprint(w, "| ", cell, pad, " |")
		} else {
			fmt.Fprint(w, " ", pad, cell, " |")
		}
	}
	fmt.Fprintln(w)
}
