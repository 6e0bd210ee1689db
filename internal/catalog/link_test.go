package catalog

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/id"
)

func TestConnectionsReadBackAsWritten(t *testing.T) {
	t.Parallel()
	cs := []company.Connection{
		{Category: "vendor", Number: 1 << 31, ID: id.New[id.Company](), Name: "Zürich Foods", Domain: "zf.example"},
		{Category: "investor", Name: "Unknown"},
		{},
	}
	got, err := decodeConnections(encodeConnections(cs))
	require.NoError(t, err)
	require.Empty(t, cmp.Diff(cs, got))
	require.Nil(t, encodeConnections(nil))
}

func FuzzDecodeConnectionsNeverPanics(f *testing.F) {
	f.Add(encodeConnections([]company.Connection{{Category: "vendor", Number: 7, ID: id.New[id.Company](), Name: "A"}}))
	f.Add([]byte{connectionsVersion, 0xff, 0xff, 0xff, 0xff, 0x0f})
	f.Add([]byte{2})
	f.Fuzz(func(t *testing.T, p []byte) {
		cs, err := decodeConnections(p)
		if err != nil {
			return
		}
		again, err := decodeConnections(encodeConnections(cs))
		require.NoError(t, err)
		require.Len(t, again, len(cs))
	})
}
