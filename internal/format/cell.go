package format

// SafeCell is a text as a cell of a CSV that is not an export: what a spreadsheet could run as a formula is led by an
// apostrophe, as in exports. It is not for numbers, whose minus is no formula.
func SafeCell(text string) string {
	if runsAsFormula([]byte(text)) {
		return "'" + text
	}
	return text
}
