package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/rivo/uniseg"
	"golang.org/x/term"
)

// jsonFlag is part of every command that prints data.
type jsonFlag struct {
	JSON bool `name:"json" env:"CAPI_JSON" help:"Print JSON instead of text."`
}

// printJSON prints v as indented JSON, without escaping HTML characters.
func (s *session) printJSON(v any) error {
	e := json.NewEncoder(s.out)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

func (s *session) printf(format string, args ...any) { fmt.Fprintf(s.out, format, args...) }

// printTable prints rows in aligned columns under a heading. A title that starts with ">" aligns right.
func (s *session) printTable(titles []string, rows [][]string) {
	width := make([]int, len(titles))
	right := make([]bool, len(titles))
	heading := make([]string, len(titles))
	for i, t := range titles {
		heading[i], right[i] = strings.CutPrefix(t, ">")
	}
	all := append([][]string{heading}, rows...)
	for _, row := range all {
		for i, cell := range row {
			width[i] = max(width[i], uniseg.StringWidth(cell))
		}
	}
	for _, row := range all {
		var line strings.Builder
		for i, cell := range row {
			pad := strings.Repeat(" ", width[i]-uniseg.StringWidth(cell))
			if right[i] {
				cell = pad + cell
			} else {
				cell += pad
			}
			line.WriteString(cell + "  ")
		}
		s.printf("%s\n", strings.TrimRight(line.String(), " "))
	}
}

// count returns n with thousands separators.
func count[N int | int64](n N) string { return humanize.Comma(int64(n)) }

// signed returns n with its sign and thousands separators.
func signed(n int64) string {
	if n > 0 {
		return "+" + humanize.Comma(n)
	}
	return humanize.Comma(n)
}

// plural returns a text such as "1 company" or "2,000 companies".
func plural[N int | int64](n N, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return count(n) + " " + many
}

// rowsMax is the most rows that a command shows.
type rowsMax int

// UnmarshalText accepts a whole number from 1.
func (m *rowsMax) UnmarshalText(p []byte) error {
	n, err := strconv.Atoi(string(p))
	if err != nil || n < 1 {
		return fmt.Errorf("%q is not a whole number from 1", p)
	}
	*m = rowsMax(n)
	return nil
}

// timestamp formats t for a table: UTC, to the minute.
func timestamp(t time.Time) string { return t.UTC().Format("2006-01-02 15:04") }

// orDash is timestamp for an optional time.
func orDash(t *time.Time) string {
	if t == nil || t.IsZero() {
		return "-"
	}
	return timestamp(*t)
}

// terminalWidth returns the width of the terminal behind w, or 0 if w is not a terminal.
func terminalWidth(w io.Writer) int {
	f, ok := w.(*os.File)
	if !ok {
		return 0
	}
	columns, _, err := term.GetSize(int(f.Fd()))
	if err != nil {
		return 0
	}
	return max(columns, 20)
}
