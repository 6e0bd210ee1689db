package format

// SafeCell returns a text as a cell of a CSV that is not an export: a text that a spreadsheet could run as a formula gets a
// leading apostrophe, as in exports. Do not use it for numbers, whose minus sign is not a formula.
func SafeCell(text string) string {
	if runsAsFormula([]byte(text)) {
		return "'" + text
	}
	return text
}
