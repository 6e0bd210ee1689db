package cli

import (
	"bytes"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestTableColumnsAlignWithWideCharacters(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	s := &session{out: &out}
	s.printTable([]string{"NAME", ">BALANCE", "NOTE"}, [][]string{{"Acme", count(1500), ""}, {"東京", count(int64(7)), "é"}})
	require.Equal(t, ""+
		"NAME  BALANCE  NOTE\n"+
		"Acme    1,500\n"+
		"東京        7  é\n", out.String())
}

func TestNumbersAreFormattedForPeople(t *testing.T) {
	t.Parallel()
	require.Equal(t, "-1,234,567", signed(-1234567))
	require.Equal(t, "+5", signed(5))
	require.Equal(t, "1 credit", plural(1, "credit", "credits"))
	require.Equal(t, "0 credits", plural(0, "credit", "credits"))
	require.Equal(t, "2,000 credits", plural(2000, "credit", "credits"))
	require.Equal(t, "4.2s", seconds(4237*time.Millisecond))
	require.Equal(t, "2ms", seconds(2345*time.Microsecond))
}

func TestFacetsAndCellsAreTruncatedToFit(t *testing.T) {
	t.Parallel()
	require.Empty(t, facet(nil))
	require.Equal(t, "short", shortened("short"))
	require.Len(t, []rune(shortened(string(make([]rune, 100)))), cellRunesMax)
}
