package source

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/opencapi/capi/internal/testkit/effort"
)

func TestACardOfVeryManyLinesIsRejected(t *testing.T) {
	t.Parallel()
	got, _, err := records(t, "a.csv", "Name,Acme\n"+strings.Repeat("City,Bonn\n", ColumnsMax)+"Name,Bolt\nCity,Ulm\n", Options{})
	require.NoError(t, err)
	require.Equal(t, []string{string(ReasonManyColumns), `City="Bonn"`, `Name="Bolt" City="Ulm"`}, got)
}

// TestRandomPartsOfTablesAreReadOrRefused puts together what the shapes of CSV are recognised by. Nothing may panic.
func TestRandomPartsOfTablesAreReadOrRefused(t *testing.T) {
	t.Parallel()
	parts := []string{
		"name", "city", "employees", "company name", "id", "field", "value", "Acme", "1", ",", ",", ",", "\n", "\n", "\n\n", "", "\"", ":", ";", "\r", " ", "\t",
		`=HYPERLINK("https://a.com","A")`, "<a href=x>y</a>", "[A](https://a.com)", "(https://a.com)", CommentPrefix + "3: x",
	}
	effort.Check(t, 2_000, func(rt *rapid.T) {
		content := strings.Join(rapid.SliceOfN(rapid.SampledFrom(parts), 0, 60).Draw(rt, "content"), "")
		readAll(t, "a.csv", strings.NewReader(content)) //nolint:errcheck // any error is fine; it must not panic
	})
}

func TestTheDirtOfCSVIsRead(t *testing.T) {
	t.Parallel()
	for what, c := range map[string]struct{ content, want string }{
		"a space before quotes": {
			"\"name\", \"city\",  \"country\"\n\"Acme, Ltd\", \"Bonn, \"\"Süd\"\"\", \"DE\"\n\"Bolt\", \"Ulm\nNord\" , \"DE\"\n",
			"name=\"Acme, Ltd\" city=\"Bonn, \\\"Süd\\\"\" country=\"DE\"\nname=\"Bolt\" city=\"Ulm\\nNord\" country=\"DE\"",
		},
		"a space before quotes below a plain header": {
			"name, city, country\n\"Acme\", \"Bonn, Süd\", DE\n", `name="Acme" city="Bonn, Süd" country=" DE"`,
		},
		"quotes after a space that are text": {
			"name,city\nAcme, \"Alt\" Bonn\nBolt, 5\" pipes\nCog, \"\n", `name="Acme" city=" \"Alt\" Bonn"` + "\n" + `name="Bolt" city=" 5\" pipes"` + "\n" + `name="Cog" city=" \""`,
		},
		"the header again":                 {"name,city\nAcme,Bonn\nname,city\n\ufeffname,city\nBolt,Ulm\nName,Ulm\n", "name=\"Acme\" city=\"Bonn\"\nname=\"Bolt\" city=\"Ulm\"\nname=\"Name\" city=\"Ulm\""},
		"the same name twice":              {"name,city,city\nAcme,Bonn,Ulm\nname,city,city\n", `name="Acme" city="Bonn" city_2="Ulm"`},
		"each line in quotes":              {"\"name,city\"\n\"Acme,Bonn\"\n\"\"\"Bolt, Ltd\"\",Ulm\"\n", "name=\"Acme\" city=\"Bonn\"\nname=\"Bolt, Ltd\" city=\"Ulm\""},
		"each line, semicolons":            {"\"name;city\"\n\"Acme, Ltd;Bonn\"\n", `name="Acme, Ltd" city="Bonn"`},
		"some lines in quotes":             {"name,city\nAcme,Bonn\n\"\"\"Bolt, Ltd\"\",Ulm\"\n", "name=\"Acme\" city=\"Bonn\"\nname=\"Bolt, Ltd\" city=\"Ulm\""},
		"one column in quotes":             {"\"name\"\n\"Acme, Ltd\"\n\"Bolt, Ltd\"\n", "name=\"Acme, Ltd\"\nname=\"Bolt, Ltd\""},
		"U+0001 between cells":             {"name\x01city\x01country\nAcme, Ltd\x01Bonn\x01DE\n", `name="Acme, Ltd" city="Bonn" country="DE"`},
		"a header in two rows":             {"Company,Place,,Size\n,City,Country,Employees\nAcme,Bonn,DE,5\nBolt,Ulm,DE,9\n", "Company=\"Acme\" City=\"Bonn\" Country=\"DE\" Employees=\"5\"\nCompany=\"Bolt\" City=\"Ulm\" Country=\"DE\" Employees=\"9\""},
		"two rows below a title":           {"A list,,\nCompany,Place,\n,City,Country\nAcme,Bonn,DE\n", `Company="Acme" City="Bonn" Country="DE"`},
		"a header with a blank":            {"name,,country\nAcme,City,DE\nBolt,x,FR\n", "name=\"Acme\" column_2=\"City\" country=\"DE\"\nname=\"Bolt\" column_2=\"x\" country=\"FR\""},
		"a header, then its like":          {"name,city\nCompany,City\n", `name="Company" city="City"`},
		"a field on each line":             {"Name:,Acme\nCity:,Bonn\nEmployees:,120\n", `Name="Acme" City="Bonn" Employees="120"`},
		"a broken line of a table of keys": {"id,field,value\n1,name,\"Acme\n1,city,Bonn\n2,name,Bolt\n2,city,Ulm\n", "unbalanced quotes\nid=\"1\" city=\"Bonn\"\nid=\"2\" name=\"Bolt\" city=\"Ulm\""},
		"a broken line of a card":          {"Name,Acme\nCity,\"Bonn\nName,Bolt\nCity,Ulm\n", "unbalanced quotes\nName=\"Acme\"\nName=\"Bolt\" City=\"Ulm\""},
		"footers and totals": {
			"name,city,size\nAcme,Bonn,5\nTotal,Paris,9\nTotal,,14\n© Bolt Data,,\nSource: Bolt,,\nTotal,,\n",
			"name=\"Acme\" city=\"Bonn\" size=\"5\"\nname=\"Total\" city=\"Paris\" size=\"9\"\n" + strings.Repeat("the row is a footer or a total\n", 3) + `name="Total"`,
		},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			got, _, err := records(t, "-", c.content, Options{})
			require.NoError(t, err)
			require.Equal(t, c.want, strings.Join(got, "\n"))
		})
	}
}
