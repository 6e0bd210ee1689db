package customer

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
)

// readFile returns the rows of an export's file.
func readFile(format string, content []byte) ([]row, error) {
	if format == "json" {
		return readJSON(content)
	}
	return readCSV(content)
}

func readJSON(content []byte) (rows []row, err error) {
	var all []struct {
		Domain      string
		Description string
	}
	if err := json.Unmarshal(content, &all); err != nil {
		return nil, err
	}
	for _, c := range all {
		r, err := parseRow(c.Domain, c.Description)
		if err != nil {
			return nil, err
		}
		rows = append(rows, r)
	}
	return rows, nil
}

func readCSV(content []byte) (rows []row, err error) {
	all, err := csv.NewReader(bytes.NewReader(content)).ReadAll()
	if err != nil {
		return nil, err
	}
	if len(all) == 0 {
		return nil, errors.New("no header")
	}
	d, e := slices.Index(all[0], "domain"), slices.Index(all[0], "description")
	if d < 0 || e < 0 {
		return nil, fmt.Errorf("the header lacks domain or description: %v", all[0])
	}
	for _, cells := range all[1:] {
		r, err := parseRow(cells[d], cells[e])
		if err != nil {
			return nil, err
		}
		rows = append(rows, r)
	}
	return rows, nil
}
