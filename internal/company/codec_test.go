package company_test

import (
	"encoding/json"
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/company/companytest"
	"github.com/opencapi/capi/internal/id"
)

// record draws any record that Encode preserves.
func record() *rapid.Generator[*company.Company] {
	texts := rapid.SliceOfN(rapid.String(), 1, 4)
	list := rapid.OneOf(rapid.Just[[]string](nil), texts)
	moment := rapid.OneOf(rapid.Just(time.Time{}), rapid.Map(rapid.Int64Range(-1<<50, 1<<50), func(µs int64) time.Time {
		return time.UnixMicro(µs).UTC()
	}))
	number := rapid.OneOf(rapid.Just[*int64](nil), rapid.Ptr(rapid.Int64(), false))
	return rapid.Custom(func(t *rapid.T) *company.Company {
		c := &company.Company{
			ID:          id.Company{UUID: [16]byte(rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "id"))},
			Name:        rapid.String().Draw(t, "name"),
			Domain:      rapid.String().Draw(t, "domain"),
			Website:     rapid.String().Draw(t, "website"),
			LinkedInURL: rapid.String().Draw(t, "linkedin"),
			Description: rapid.String().Draw(t, "description"),
			Country:     rapid.String().Draw(t, "country"),
			CountryCode: rapid.String().Draw(t, "code"),
			State:       rapid.String().Draw(t, "state"),
			City:        rapid.String().Draw(t, "city"),
			Industries:  list.Draw(t, "industries"), NAICSCodes: list.Draw(t, "naics"),
			Technologies: list.Draw(t, "technologies"), TechnologyCategories: list.Draw(t, "categories"),
			EmployeeCount: number.Draw(t, "employees"), FoundedYear: number.Draw(t, "founded"),
			CreatedAt: moment.Draw(t, "created"), UpdatedAt: moment.Draw(t, "updated"),
		}
		if rapid.Bool().Draw(t, "has attributes") {
			c.Attributes = map[string]any{
				rapid.String().Draw(t, "key"): rapid.String().Draw(t, "value"), "n": json.Number("1.50"), "nested": []any{true, nil},
			}
		}
		return c
	})
}

func TestWhatIsEncodedDecodesTheSame(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		c := record().Draw(t, "company")
		connections := []company.Connection{{Category: "vendor"}}
		again := company.Company{Number: 7, Name: "old", Industries: []string{"old"}, Connections: connections}
		p := company.Encode(c)
		require.NoError(t, company.Decode(p, &again))
		require.Equal(t, p, company.Encode(&again))
		clear(p)
		c.Number, c.Connections = 7, connections
		require.Empty(t, cmp.Diff(c, &again))
	})
}

func TestAttributesThatJSONCannotHoldAreLeftOut(t *testing.T) {
	t.Parallel()
	var c company.Company
	p := company.Encode(&company.Company{Name: "A", Attributes: map[string]any{"bad": math.NaN(), "good": "<&>"}})
	require.NoError(t, company.Decode(p, &c))
	require.Equal(t, map[string]any{"good": "<&>"}, c.Attributes)
}

func TestACutOrLengthenedRecordIsAnError(t *testing.T) {
	t.Parallel()
	for _, c := range companytest.Slice(1, 20) {
		p := company.Encode(c)
		for n := range p {
			require.Error(t, company.Decode(p[:n], &company.Company{}), "first %d bytes", n)
		}
		require.Error(t, company.Decode(append(p, 0), &company.Company{}))
		p[0]++
		require.Error(t, company.Decode(p, &company.Company{}), "another version")
	}
}

func FuzzDecode(f *testing.F) {
	for _, c := range companytest.Slice(1, 5) {
		c.Attributes = map[string]any{"rank": 1}
		f.Add(company.Encode(c))
	}
	f.Add([]byte{})
	f.Add(append(make([]byte, 18), 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01))
	f.Fuzz(func(t *testing.T, p []byte) {
		var c, again company.Company
		if company.Decode(p, &c) != nil {
			return
		}
		require.NoError(t, company.Decode(company.Encode(&c), &again))
		require.Empty(t, cmp.Diff(c, again))
	})
}

func BenchmarkDecode(b *testing.B) {
	var records [][]byte
	for c := range companytest.Generate(1, 1_000) {
		records = append(records, company.Encode(c))
	}
	b.ReportAllocs()
	var c company.Company
	for i := 0; b.Loop(); i++ {
		if err := company.Decode(records[i%len(records)], &c); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkEncode(b *testing.B) {
	companies := companytest.Slice(1, 1_000)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		company.Encode(companies[i%len(companies)])
	}
}
