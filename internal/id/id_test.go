package id_test

import (
	"database/sql/driver"
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/id"
)

func TestIDsReadBackAsWritten(t *testing.T) {
	t.Parallel()
	x := id.New[id.Company]()
	y, err := id.Parse[id.Company](x.String())
	require.NoError(t, err)
	require.Equal(t, x, y)

	p, err := json.Marshal(x)
	require.NoError(t, err)
	require.Equal(t, `"`+x.String()+`"`, string(p))
	var fromJSON id.Company
	require.NoError(t, json.Unmarshal(p, &fromJSON))
	require.Equal(t, x, fromJSON)

	v, err := driver.Valuer(x).Value()
	require.NoError(t, err)
	var fromSQL id.Company
	require.NoError(t, fromSQL.Scan(v))
	require.Equal(t, x, fromSQL)
}

func TestOnlyTheCanonicalSpellingIsRead(t *testing.T) {
	t.Parallel()
	for _, s := range []string{
		"", "1", "{018f3c5e-7a3b-7c1d-9e2f-0a1b2c3d4e5f}", "urn:uuid:018f3c5e-7a3b-7c1d-9e2f-0a1b2c3d4e5f",
		"018f3c5e7a3b7c1d9e2f0a1b2c3d4e5f", "018f3c5e-7a3b-7c1d-9e2f-0a1b2c3d4e5g",
	} {
		_, err := id.Parse[id.Export](s)
		require.Error(t, err, s)
	}
	upper, err := id.Parse[id.Export]("018F3C5E-7A3B-7C1D-9E2F-0A1B2C3D4E5F")
	require.NoError(t, err)
	require.Equal(t, "018f3c5e-7a3b-7c1d-9e2f-0a1b2c3d4e5f", upper.String())
}

func TestLaterIDsSortLater(t *testing.T) {
	t.Parallel()
	last := id.New[id.Entry]().String()
	for range 1000 {
		next := id.New[id.Entry]().String()
		require.Less(t, last, next)
		last = next
	}
}

func TestIDsAreBelowTheBoundOfLaterOnesAndOfNone(t *testing.T) {
	t.Parallel()
	earlier, later := id.New[id.Run](), id.New[id.Run]()
	require.Less(t, earlier.String(), later.Bound())
	require.GreaterOrEqual(t, later.String(), later.Bound())
	greatest, err := id.Parse[id.Run]("ffffffff-ffff-ffff-ffff-ffffffffffff")
	require.NoError(t, err)
	require.Less(t, greatest.String(), id.Run{}.Bound())
}
