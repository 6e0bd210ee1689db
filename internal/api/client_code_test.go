package api_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/export"
	"github.com/opencapi/capi/internal/fault"
)

func TestClientNamesEveryCodeAndStatusOfTheServer(t *testing.T) {
	t.Parallel()
	var codes []string
	for _, e := range fault.Catalogue() {
		if !strings.HasPrefix(e.When, "Console only") {
			codes = append(codes, string(e.Code))
		}
	}
	require.ElementsMatch(t, codes, clientConstants(t, "ErrorCode"))
	statuses := []export.Status{
		export.StatusPending, export.StatusProcessing, export.StatusCompleted, export.StatusFailed, export.StatusCancelled,
	}
	names := make([]string, len(statuses))
	for i, s := range statuses {
		names[i] = string(s)
	}
	require.ElementsMatch(t, names, clientConstants(t, "ExportStatus"))
}

// clientConstants returns the values of the client's constants of a type.
func clientConstants(t *testing.T, typ string) (values []string) {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "../../client/code.go", nil, 0)
	require.NoError(t, err)
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		if name, ok := spec.Type.(*ast.Ident); ok && name.Name == typ {
			value, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
			require.NoError(t, err)
			values = append(values, value)
		}
		return false
	})
	require.NotEmpty(t, values)
	return values
}
