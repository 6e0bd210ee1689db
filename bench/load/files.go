package load

import (
	"encoding/csv"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/opencapi/capi/bench/workload"
)

const (
	companiesFile   = "companies.csv"
	connectionsFile = "connections.csv"
)

// Write writes the workload's companies and connections to CSV files in dir.
func Write(w *workload.Workload, dir string) (f Files, err error) {
	dir, err = filepath.Abs(dir)
	if err != nil {
		return f, err
	}
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return f, err
	}
	f.Companies, f.Connections = filepath.Join(dir, companiesFile), filepath.Join(dir, connectionsFile)
	companies, err := os.Create(f.Companies)
	if err != nil {
		return f, err
	}
	defer companies.Close()
	connections, err := os.Create(f.Connections)
	if err != nil {
		return f, err
	}
	defer connections.Close()
	rows, links := csv.NewWriter(companies), csv.NewWriter(connections)
	err = errors.Join(
		rows.Write([]string{"id", "name", "domain", "country", "state", "city", "industries", "technologies", "employee_count", "founded_year", "description"}),
		links.Write([]string{"company_domain", "category", "connected_domain"}))
	for c := range w.Companies() {
		if err != nil {
			return f, err
		}
		err = rows.Write([]string{
			c.ID.String(), c.Name, c.Domain, c.Country, c.State, c.City, strings.Join(c.Industries, "|"), strings.Join(c.Technologies, "|"),
			number(c.EmployeeCount), number(c.FoundedYear), c.Description,
		})
		f.CompanyCount++
		for _, x := range c.Connections {
			err = errors.Join(err, links.Write([]string{c.Domain, x.Category, x.Domain}))
			f.ConnectionsCount++
		}
	}
	rows.Flush()
	links.Flush()
	return f, errors.Join(err, rows.Error(), links.Error(), companies.Close(), connections.Close())
}

func number(n *int64) string {
	if n == nil {
		return ""
	}
	return strconv.FormatInt(*n, 10)
}
