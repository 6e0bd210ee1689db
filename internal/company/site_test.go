package company_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/company"
)

func TestSiteDomainIsTheCompanysOwn(t *testing.T) {
	t.Parallel()
	for url, want := range map[string]string{
		"https://www.acme.com/about":               "acme.com",
		"acme.co.uk":                               "acme.co.uk",
		"https://careers.acme.com":                 "acme.com",
		"https://nl.jobs.acme.com/en/x":            "acme.com",
		"https://jobs.us.acme.co.uk/":              "acme.co.uk",
		"https://acme.com/careers":                 "acme.com",
		"http://www2.acme.com/ui/en.html":          "acme.com",
		"https://corporate.acme.com/home":          "acme.com",
		"https://techlab.acme.com":                 "techlab.acme.com",
		"https://acme.github.io/site":              "acme.github.io",
		"https://acme.myshopify.com":               "acme.myshopify.com",
		"https://it.schwarz/":                      "it.schwarz",
		"https://www.facebook.com":                 "facebook.com",
		"https://www.facebook.com/acme":            "",
		"https://de.linkedin.com/company/acme":     "",
		"https://bit.ly/3iLDKw2":                   "",
		"https://bit.ly":                           "",
		"http://acmecareers.com":                   "",
		"http://acme.jobs/all":                     "",
		"https://acme.jobsoid.com/":                "",
		"https://play.google.com/store/apps?id=a":  "",
		"https://ad.doubleclick.net/x?https://a.b": "",
		"https://münchen-ag.de":                    "xn--mnchen-ag-q9a.de",
		"n/a":                                      "",
		"www.eve":                                  "",
		"http://intranet.acme.local:8080/start":    "",
		"https://files.corp":                       "",
	} {
		t.Run(url, func(t *testing.T) {
			got, ok := company.SiteDomain(url)
			require.Equal(t, want, got, url)
			require.Equal(t, want != "", ok, url)
		})
	}
}

func TestCountriesAreFoundInOtherLanguages(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]string{
		"Allemagne": "Germany", "Niemcy": "Germany", "ドイツ": "Germany", "Estados Unidos": "United States", "États-Unis": "United States",
		"Vereinigte Staaten": "United States", "Reino Unido": "United Kingdom", "Royaume-Uni": "United Kingdom", "Schweiz": "Switzerland",
		"Suisse": "Switzerland", "中国": "China", "日本": "Japan", "Япония": "Japan", "Países Bajos": "Netherlands", "Yhdysvallat": "United States",
		"ROM": "Romania",
	} {
		t.Run(s, func(t *testing.T) {
			c, ok := company.LookupCountry(s)
			require.True(t, ok, s)
			require.Equal(t, want, c.Name, s)
		})
	}
}
