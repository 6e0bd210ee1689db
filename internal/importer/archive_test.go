package importer_test

import (
	"archive/zip"
	"bytes"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/importer"
)

type closer struct{ io.Writer }

func (closer) Close() error { return nil }

func TestEachTableOfAnArchiveHasAPlanAndRejectsOfItsOwn(t *testing.T) {
	t.Parallel()
	var content bytes.Buffer
	z := zip.NewWriter(&content)
	for _, f := range [][2]string{
		{"a.csv", "name,city\nAcme,Bonn\nx,y,z\n"},
		{"b.json", `[{"title":"Bolt","hq_city":"Ulm"}]`},
		{"codes.csv", "code,meaning\nA,4\nB,5\n"},
		{"c.csv", "city;name\nJena;Cog\n1;2;3\n"},
	} {
		w, err := z.Create(f[0])
		require.NoError(t, err)
		_, err = w.Write([]byte(f[1]))
		require.NoError(t, err)
	}
	require.NoError(t, z.Close())
	rejects := map[string]*strings.Builder{}
	b, s := loadWith(t, importer.Options{
		Files: []string{write(t, "all.zip", content.String())},
		Rejects: func(source, ext string) (io.WriteCloser, error) {
			source = source[strings.LastIndexByte(source, '/')+1:]
			require.NotContains(t, rejects, source)
			rejects[source] = &strings.Builder{}
			return closer{rejects[source]}, nil
		},
	})
	require.Equal(t, []string{"Acme", "Bolt", "Cog"}, names(t, b))
	require.Equal(t, []int{1, 4, 2}, []int{s.Files, len(s.Sources), s.Rejected})
	for i, source := range s.Sources {
		require.Equal(t, i, source.Table)
		require.Equal(t, i == 2, source.Unread, "codes.csv has no companies")
	}
	require.Regexp(t, `a\.csv:3: .*\nx,y,z`, rejects["all.zip"].String())
	require.Regexp(t, `c\.csv:3: .*\n1;2;3`, rejects["all-3.zip"].String())
	var at []string
	for _, r := range s.Reasons {
		for _, sample := range r.Samples {
			at = append(at, fmt.Sprintf("%s:%d", filepath.Base(filepath.Dir(sample.File))+"/"+filepath.Base(sample.File), sample.Line))
		}
	}
	require.ElementsMatch(t, []string{"all.zip/a.csv:3", "all.zip/c.csv:3"}, at)
	require.Len(t, s.Notes, 1)
	require.Contains(t, s.Notes[0].Text, "codes.csv")
}
