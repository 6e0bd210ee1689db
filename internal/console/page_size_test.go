package console

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/console/view"
	"github.com/opencapi/capi/internal/credit"
	"github.com/opencapi/capi/internal/id"
)

// pageBytesMax is the size limit of a page with its style sheet and script, before compression.
const pageBytesMax = 100_000

// verbose returns companies whose texts are as long as texts get.
func verbose(n int) []*company.Company {
	many := func(word string, n, from int) (all []string) {
		for i := range n {
			all = append(all, fmt.Sprintf("%s number %d <of & many>", word, from+i))
		}
		return all
	}
	made := make([]*company.Company, n)
	for i := range made {
		made[i] = &company.Company{
			ID: id.New[id.Company](), Name: strings.Repeat("A <long> & winding name ", 20) + strconv.Itoa(i),
			Domain: fmt.Sprintf("%s%d.example", strings.Repeat("long", 12), i), Description: strings.Repeat("Says <b>much</b> & more. ", 400),
			Website: "https://example.com/" + strings.Repeat("path/", 50), Country: "Germany",
			State: strings.Repeat("State ", 5), City: strings.Repeat("City ", 5) + strconv.Itoa(i%30),
			Industries: many("Industry", 30, i%10), Technologies: many("Technology", 200, i%10),
			TechnologyCategories: many("Category", 60, 0), NAICSCodes: []string{"522320", "541511"},
			EmployeeCount: new(int64(i)), FoundedYear: new(int64(1900 + i)), Attributes: map[string]any{},
		}
		for a := range 120 {
			made[i].Attributes[fmt.Sprint("attribute_", a)] = strings.Repeat("value ", 100)
		}
	}
	return made
}

func TestPagesStayBelowTheSizeLimit(t *testing.T) {
	t.Parallel()
	h := importing(t)
	made := verbose(80)
	h.put(t, made...)
	for _, from := range made[1:] {
		for _, category := range []string{"vendor", "partner", "investor"} {
			h.connect(t, from, made[0], category)
			h.connect(t, made[0], from, category)
		}
	}
	ids := h.belongings(t)
	ids["company_id"] = made[0].ID.String()
	for range 2 * pageSize {
		h.grant(t, h.acme, credit.Grant{Amount: 1, Note: strings.Repeat("a note ", 20), Actor: credit.ActorSystem})
	}
	ann := h.as(t, h.ann)
	for range pageSize {
		ids["list_id"] = ann.listOfAll(t, "", strings.Repeat("x", 200)).String()
	}
	at := in(h.acme, "/lists/"+ids["list_id"])
	for n := range pageSize {
		ann.post(t, in(h.acme, "/searches?countries=Germany&cities="+url.QueryEscape(made[n].City)), "name", strings.Repeat("y", 200))
	}
	ids["export_id"] = ann.buys(t, ann.quoted(t, "name", strings.Repeat("z", 200)))[len(in(h.acme, "/exports/")):]

	heaviest, heaviestName := 0, ""
	asset := regexp.MustCompile(`<(?:script|link rel="stylesheet")[^>]*"` + basePath + view.AssetsPath + `([^"]+)"`)
	weigh := func(name string, a answer) {
		require.Less(t, a.status, http.StatusInternalServerError, name)
		bytes := len(a.body)
		for _, m := range asset.FindAllStringSubmatch(a.body, -1) {
			content, ok := view.AssetContent(m[1])
			require.True(t, ok, m[1])
			bytes += len(content)
		}
		if bytes > heaviest {
			heaviest, heaviestName = bytes, name
		}
		require.Less(t, bytes, pageBytesMax, "%s: %d without its assets", name, len(a.body))
	}
	for _, rt := range routes() {
		if rt.method == http.MethodGet && !strings.HasSuffix(rt.path, "/events") {
			weigh(rt.path, ann.get(t, fillPath(rt.path, ids)))
		}
	}
	params := url.Values{"countries": {"Germany"}, "technologies": made[0].Technologies[:3], "exclude_keywords": {"one", "two"}}
	weigh("a company beside the list", ann.get(t, in(h.acme, "/search?company="+made[0].ID.String())))
	weigh("every value of a facet", ann.get(t, in(h.acme, "/search/values/technologies")))
	weigh("a search of many filters", ann.get(t, in(h.acme, "/search?"+params.Encode())))
	for _, n := range []int{40, 150, 500} {
		ids, cities := make([]string, n), make([]string, n)
		for i := range n {
			ids[i], cities[i] = `"`+made[i%len(made)].ID.String()+`"`, fmt.Sprintf("City number %d", i)
		}
		set := `{"companies":[` + strings.Join(ids, ",") + `]}`
		for name, search := range map[string]url.Values{"ids": {"in": {set}}, "ids that are left out": {"not_in": {set}}, "cities": {"cities": cities}} {
			name = fmt.Sprintf("a search for %d %s", n, name)
			if len(search.Encode()) < 1_500 {
				continue
			}
			a := ann.get(t, in(h.acme, "/search?"+search.Encode()))
			weigh(name, a)
			require.Contains(t, a.body, "Save and open", name)
			saved := ann.post(t, in(h.acme, "/searches?"+search.Encode()), "name", name)
			require.Less(t, len(saved.location()), 250, name)
			opened := ann.follow(t, saved)
			weigh(name+", saved", opened)
			require.Equal(t, figuresIn(t, a.body)[0], figuresIn(t, opened.body)[0], name)
			weigh(name+" as a table", ann.follow(t, ann.get(t, in(h.acme, "/pivot?"+search.Encode()))))
			weigh(name+" and others", ann.get(t, in(h.acme, "/compare?set=owned&"+search.Encode())))
		}
	}
	weigh("a search beside them", ann.get(t, in(h.acme, "/search")))
	upload, _ := ann.planned(t, "wide.csv", wide())
	weigh("a plan of many columns", ann.get(t, upload))
	weigh("other columns of it", ann.get(t, upload+"?from=16"))
	ann.post(t, upload+"/import")
	ann.settles(t, upload)
	weigh("the result of an import", ann.get(t, upload))
	weigh("an import", ann.get(t, "/operator/imports/1"))
	weigh("a match report", ann.follow(t, ann.post(t, at+"/matches", "domains", manyDomains(domainsMax))))
	t.Logf("the heaviest page is %s: %d bytes with sheets and scripts", heaviestName, heaviest)
}
