package importer

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/importer/source"
	"github.com/opencapi/capi/internal/importer/source/sourcetest"
)

// readAll reads a stream like an import, to its end or first error, and returns the names of the companies.
func readAll(tb testing.TB, name string, in io.Reader) (names []string, rejected int, err error) {
	tb.Helper()
	s := source.New(name, in, schema{}, source.Options{})
	defer s.Close()
	t, err := s.Next()
	if err != nil {
		return nil, 0, err
	}
	first, err := takeSample(t)
	if err != nil {
		return nil, 0, err
	}
	p, err := makePlan(Mapping{}, first)
	if err != nil {
		return nil, 0, err
	}
	m := newMapper(p)
	for {
		chunk, err := t.Next()
		if errors.Is(err, io.EOF) {
			return names, rejected, nil
		}
		if err != nil {
			return names, rejected, err
		}
		chunk.Records(func(rec *source.Record) {
			for _, it := range m.items(nil, rec) {
				require.True(tb, it.reason != "" || it.company != nil || len(it.connections) == 1)
				if it.reason != "" {
					rejected++
				} else if it.company != nil {
					names = append(names, it.company.End().Name)
				}
			}
		})
	}
}

func TestEveryFormatIsMappedToTheSameCompanies(t *testing.T) {
	t.Parallel()
	for what, content := range sourcetest.Formats(t) {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			names, rejected, err := readAll(t, "-", strings.NewReader(content))
			require.NoError(t, err)
			require.Equal(t, sourcetest.Names, names)
			require.Zero(t, rejected)
		})
	}
}

func TestRowsOfAnotherTableAreNoRowsOfAList(t *testing.T) {
	t.Parallel()
	const file = "Name,Website\nAcme,acme.example\n\nCompany,Employees\nBolt,12\n"
	const said = "has rows that are not read: another table begins in line 4, with the columns Company, Employees; save it in a file of its own, and import that"
	rows, notices, err := ReadListRows("a.csv", strings.NewReader(file), 10)
	require.NoError(t, err)
	require.Equal(t, []ListRow{{Line: 2, Name: "Acme", Website: "acme.example"}}, rows)
	require.Equal(t, []string{said}, notices)
	domains, notices, err := ReadDomains("a.csv", strings.NewReader(file), 10)
	require.NoError(t, err)
	require.Equal(t, []DomainRow{{Line: 2, Domain: "acme.example", Text: "Acme,acme.example"}}, domains)
	require.Equal(t, []string{said}, notices)
}

func FuzzAnyBytesAreMappedOrRefused(f *testing.F) {
	for _, content := range sourcetest.Formats(f) {
		f.Add([]byte(content))
	}
	f.Fuzz(func(t *testing.T, p []byte) {
		readAll(t, "-", bytes.NewReader(p)) //nolint:errcheck // any error is fine; it must not panic
	})
}

func FuzzValuesNeverPanic(f *testing.F) {
	for _, s := range []string{"51-200", "2013 (1888)", "San Francisco, CA, USA", "['a']", "MÃ¼nchen", ",", "[", "{", "1.2.3,4"} {
		f.Add(s)
	}
	f.Fuzz(func(_ *testing.T, s string) {
		headcount(s)
		year(s)
		serialYear(s)
		parseLocation(s, &codeUse{countries: true, mixed: true})
		repair(s)
		splitTexts(s, true)
		splitNames(&source.Value{Kind: source.Cell, Text: s})
		aliasOf(s)
	})
}
