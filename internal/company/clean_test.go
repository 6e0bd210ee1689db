package company_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/fault"
)

func TestCleanDomain(t *testing.T) {
	t.Parallel()
	for given, want := range map[string]string{
		"example.com":                            "example.com",
		"  WWW.Example.COM. ":                    "example.com",
		"https://www.example.com/about?x=1#y":    "example.com",
		"http://user:pass@example.com:8080/path": "example.com",
		"//example.co.uk":                        "example.co.uk",
		"corporate.example.co.uk":                "corporate.example.co.uk",
		"www.com":                                "www.com",
		"www.example":                            "www.example",
		"www2.example.com":                       "www2.example.com",
		"Bücher.de":                              "xn--bcher-kva.de",
		"xn--bcher-kva.de":                       "xn--bcher-kva.de",
		"例え.jp":                                  "xn--r8jz45g.jp",
		"my_shop.example.com":                    "my_shop.example.com",
		"HTTPS://EXAMPLE.COM":                    "example.com",
		"example.com:":                           "example.com",
		"":                                       "",
		"example":                                "",
		"localhost:8080":                         "",
		"192.168.0.1":                            "",
		"[::1]":                                  "",
		"exa mple.com":                           "",
		"example..com":                           "",
		"-example.com":                           "",
		".com":                                   "",
		"n/a":                                    "",
		"example.com, other.com":                 "",
		"mailto:someone@example.com":             "example.com",
		"example.c":                              "",
		"1.2":                                    "",
		strings.Repeat("a", 64) + ".com":         "",
		strings.Repeat("abcdefghi.", 26) + "com": "",
		"exam\x00ple.com":                        "",
		"http://":                                "",
		"xn--.com":                               "",
	} {
		got, ok := company.CleanDomain(given)
		if want == "" {
			require.False(t, ok, "%q gave %q", given, got)
			continue
		}
		require.True(t, ok, given)
		require.Equal(t, want, got, given)
	}
}

func TestCleanMakesTheFormOfTheCatalog(t *testing.T) {
	t.Parallel()
	c := company.Company{
		Name: " Acme\t\x00 Ltd\r\n", Domain: "n/a", Website: "HTTPS://www.Acme.example/", Description: "one\n\ntwo\ufffd",
		Country: "usa", CountryCode: "XX", Industries: []string{" Software ", "", "software", "SOFTWARE", "Fintech"},
		Technologies: []string{" "},
	}
	c.Clean()
	require.Empty(t, cmp.Diff(company.Company{
		Name: "Acme Ltd", Domain: "acme.example", Website: "HTTPS://www.Acme.example/", Description: "one two",
		Country: "United States", CountryCode: "US", Industries: []string{"Software", "Fintech"},
	}, c))
	require.NoError(t, c.Validate())
}

func TestCleanKeepsAnUnknownCountryWithoutACode(t *testing.T) {
	t.Parallel()
	c := company.Company{Name: "A", Country: "Atlantis", CountryCode: "DE"}
	c.Clean()
	require.Equal(t, "Atlantis", c.Country)
	require.Empty(t, c.CountryCode)
	c = company.Company{Name: "A", CountryCode: "DEU"}
	c.Clean()
	require.Equal(t, "Germany DE", c.Country+" "+c.CountryCode)
}

func TestAPageOnASharedHostIsNoDomain(t *testing.T) {
	t.Parallel()
	c := company.Company{Name: "A", Website: "https://www.facebook.com/a"}
	c.Clean()
	require.Empty(t, c.Domain)
	c = company.Company{Name: "Facebook", Domain: "facebook.com"}
	c.Clean()
	require.Equal(t, "facebook.com", c.Domain)
}

func TestCleanTwiceChangesNothing(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		c := record().Draw(t, "company")
		c.Clean()
		again := *c
		again.Clean()
		require.Empty(t, cmp.Diff(c, &again))
	})
}

func TestValidateTellsEveryFault(t *testing.T) {
	t.Parallel()
	low, high := int64(-1), int64(10_000)
	c := company.Company{
		Description: strings.Repeat("é", 50_001), City: strings.Repeat("x", 2_001), EmployeeCount: &low, FoundedYear: &high,
		Technologies: make([]string, 1_001),
	}
	err := c.Validate()
	require.Equal(t, fault.Validation, fault.CodeOf(err))
	var fields []string
	for _, f := range fault.Fields(err) {
		fields = append(fields, f.Field)
	}
	require.Equal(t, []string{"name", "description", "city", "technologies", "employee_count", "founded_year"}, fields)
	require.Error(t, (&company.Company{Name: strings.Repeat("n", 1_001)}).Validate())
	require.NoError(t, (&company.Company{Name: strings.Repeat("ñ", 1_000)}).Validate())
}
