package customer

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/parquet-go/parquet-go"
)

// readFile returns the rows of an export's file.
func readFile(format string, content []byte) ([]row, error) {
	switch format {
	case "json":
		var all []described
		if err := json.Unmarshal(content, &all); err != nil {
			return nil, err
		}
		return rowsOf(all)
	case "ndjson":
		return readNDJSON(content)
	case "parquet":
		all, err := parquet.Read[described](bytes.NewReader(content), int64(len(content)))
		if err != nil {
			return nil, err
		}
		return rowsOf(all)
	}
	return readCSV(content)
}

// described is a company of a file, with the columns from which a row is known.
type described struct {
	Domain      string `json:"domain" parquet:"domain,optional"`
	Description string `json:"description" parquet:"description,optional"`
}

func readNDJSON(content []byte) ([]row, error) {
	var all []described
	for line := range bytes.Lines(content) {
		var c described
		if err := json.Unmarshal(line, &c); err != nil {
			return nil, err
		}
		all = append(all, c)
	}
	return rowsOf(all)
}

func rowsOf(all []described) (rows []row, err error) {
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
