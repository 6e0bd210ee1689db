package console

import (
	"net/http"
	"path"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/company/companytest"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/order"
)

func TestAStandingOrderIsScheduledFromASearchRunAndPaused(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.put(t, companytest.Slice(1, 12)...)
	ann := h.as(t, h.ann)
	require.Contains(t, ann.get(t, in(h.acme, "/orders")).body, "No standing orders yet")
	require.Contains(t, ann.get(t, in(h.acme, "/exports/new?has=name")).body, `formaction="`+basePath+in(h.acme, "/orders/new")+`"`, "the form of an export can be scheduled as it is")
	require.Contains(t, ann.get(t, in(h.acme, "/orders/new?has=name&only_new=1")).body, `name="only_new" value="1" checked`)
	form := ann.get(t, in(h.acme, "/orders/new?has=name")).body
	require.Contains(t, form, `name="has" value="name"`)
	require.Contains(t, form, "0 8 * * MON")

	for message, field := range map[string][2]string{
		"This never fires": {"cron", "0 0 30 2 *"}, "This is not a time zone": {"time_zone", "Mars"}, "whole number of credits": {"max_credits", "x"},
		"must be one of skip, fill": {"above_cap", "stop"},
	} {
		bad := ann.post(t, in(h.acme, "/orders"), "has", "name", "name", "Weekly", field[0], field[1])
		require.Equal(t, http.StatusUnprocessableEntity, bad.status)
		require.Contains(t, bad.body, message)
	}
	require.Contains(t, ann.get(t, in(h.acme, "/orders")).body, "No standing orders yet")
	require.Contains(t, ann.get(t, in(h.acme, "/orders/new?countries=Atlantis")).body, "<bdi>“Atlantis”</bdi>: ", "before it runs without it for weeks")
	refused := ann.post(t, in(h.acme, "/orders"), "in", "list:x", "name", "Weekly")
	require.Equal(t, http.StatusUnprocessableEntity, refused.status)
	require.Equal(t, 1, strings.Count(refused.body, "is not a set"), "once is enough")

	made := ann.post(t, in(h.acme, "/orders"), "has", "name", "name", "Weekly", "max_credits", "5", "above_cap", "fill", "time_zone", "Europe/Berlin")
	require.Equal(t, http.StatusSeeOther, made.status, made.body)
	at := strings.TrimPrefix(made.location(), basePath)
	page := ann.get(t, at).body
	for _, text := range []string{"5 companies for 5 credits.", "7 companies would stay", "0 8 * * MON (Europe/Berlin)", "It has not run yet", "ann"} {
		require.Contains(t, page, text)
	}
	bought := ann.post(t, at+"/run")
	require.Contains(t, bought.location(), "/exports/")
	require.EqualValues(t, 995, h.balance(t, h.acme))
	require.Contains(t, ann.get(t, at).body, path.Base(bought.location()), "the history links to the export")
	export := strings.TrimPrefix(bought.location(), basePath)
	require.Contains(t, ann.get(t, export).body, "7 not covered by the balance or a limit")
	require.Contains(t, ann.get(t, export).body, `<dt>Standing order</dt><dd><a href="`+basePath+at+`"><bdi>Weekly</bdi></a>`)
	ann.post(t, at+"/run")
	ann.post(t, at+"/run")
	require.Equal(t, at, strings.TrimPrefix(ann.post(t, at+"/run").location(), basePath))
	require.Contains(t, ann.get(t, at).body, "There is nothing new to deliver")
	require.EqualValues(t, 988, h.balance(t, h.acme))

	ann.post(t, at+"/pause")
	require.Contains(t, ann.get(t, at).body, "It was paused on request.")
	bob := h.as(t, h.bob)
	bob.post(t, at+"/resume")
	orders, err := h.Orders.List(t.Context(), h.acme, id.Order{}, 10)
	require.NoError(t, err)
	require.Equal(t, h.bob.ID, orders[0].Person, "who resumes it takes it over")
	require.Equal(t, order.Schedule{Cron: "0 8 * * MON", Zone: "Europe/Berlin"}, orders[0].Schedule)
	require.Contains(t, ann.get(t, in(h.acme, "/orders")).body, "Weekly")
	bob.post(t, at+"/delete")
	require.Equal(t, http.StatusNotFound, ann.get(t, at).status)
	require.NotContains(t, ann.get(t, export).body, "Standing order<", "it leads nowhere any more")
}

func TestEverySearchAndListCanBeScheduled(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.put(t, companytest.Slice(1, 3)...)
	ann := h.as(t, h.ann)
	schedule := func(query string) string {
		return `href="` + basePath + in(h.acme, "/orders/new?"+query) + `">Schedule…`
	}
	const button = `<button type="submit" form="search" formaction="orders/new">Schedule…</button>`
	require.Contains(t, ann.get(t, in(h.acme, "/search?has=name")).body, button)
	require.Contains(t, ann.get(t, in(h.acme, "/search?query=nowhere")).body, button, "also before anything matches")
	sent := ann.get(t, in(h.acme, "/orders/new?query=&has=name&cities=&order=name+asc"))
	require.Equal(t, basePath+in(h.acme, "/orders/new?has=name&order=name+asc"), sent.location(), "without the fields that nobody filled in")

	require.Equal(t, http.StatusSeeOther, ann.post(t, in(h.acme, "/searches?has=name"), "name", "Named").status)
	at := strings.TrimPrefix(ann.post(t, in(h.acme, "/lists"), "name", "Prospects").location(), basePath)
	lists := ann.get(t, in(h.acme, "/lists")).body
	require.Regexp(t, `href="orders/new\?has=name[^"]*">Schedule…<span class="sr">Named`, lists)
	require.Contains(t, lists, `href="orders/new?list=`+path.Base(at)+`">Schedule…<span class="sr">Prospects`)
	require.Contains(t, ann.get(t, at).body, schedule("list="+path.Base(at)))
	ofList := ann.get(t, in(h.acme, "/orders/new?list="+path.Base(at))).body
	require.Contains(t, ofList, "Prospects")
	require.Contains(t, ofList, `<a href="`+basePath+at+`">Back to list</a>`)
	require.NotContains(t, ofList, "Change the search")
	require.Contains(t, ann.get(t, in(h.acme, "/orders/new?has=name")).body, `/search?has=name">Change the search</a>`)

	made := strings.TrimPrefix(ann.post(t, in(h.acme, "/orders"), "name", "Weekly", "list", path.Base(at)).location(), basePath)
	require.Contains(t, ann.get(t, made).body, `From the list <a href="`+basePath+at+`"><bdi>Prospects</bdi></a>.`)
	ann.post(t, at+"/delete")
	require.Contains(t, ann.get(t, made).body, "From a list that was deleted.")
}
