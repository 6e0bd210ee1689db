package e2e

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/blob/s3/s3test"
)

func TestAStandingOrderIsLookedAfterOnTheCommandLine(t *testing.T) {
	t.Parallel()
	s := newFixture(t, 100)
	s.load(t, companies(0, 5, nil))
	v := s.serve(t)
	var made struct{ ID string }
	s.client(v).must(t, http.StatusCreated, "POST", "/orders", map[string]any{
		"name": "New firms", "search_filters": map[string]any{"countries": []string{"Germany"}},
		"schedule": map[string]any{"cron": "0 8 * * MON", "time_zone": "Europe/Berlin"},
	}, &made)
	order := func(command string, more ...string) string {
		return s.capi(t, append([]string{"order", command, "--workspace", s.workspace}, more...)...)
	}
	require.Regexp(t, `(?m)^`+made.ID+`  active  0 8 \* \* MON \(Europe/Berlin\)  \d{4}-\d\d-\d\d 0[67]:00 +0  New firms$`, order("list"))
	shown := order("show", made.ID)
	require.Contains(t, shown, "New firms is active. It delivers: added. It runs: 0 8 * * MON (Europe/Berlin).")
	require.Contains(t, shown, "It has not run yet.")

	require.Equal(t, "Order "+made.ID+" is paused.\n", order("pause", made.ID))
	require.Regexp(t, made.ID+`  paused .*  -  +0  New firms`, order("list"))
	require.Contains(t, order("show", made.ID), "It was paused on request.")
	require.Equal(t, "Order "+made.ID+" is active.\n", order("resume", made.ID))

	require.Equal(t, "The server runs order "+made.ID+" now.\n", order("run", made.ID))
	var after struct {
		CreditsSpent int64 `json:"credits_spent"`
		Runs         []struct {
			Cause, Status string
			ExportID      string `json:"export_id"`
		}
	}
	require.Eventually(t, func() bool {
		s.json(t, &after, "order", "show", made.ID, "--workspace", s.workspace, "--json")
		return len(after.Runs) > 0
	}, 30*time.Second, 100*time.Millisecond)
	require.Equal(t, []string{"request", "exported"}, []string{after.Runs[0].Cause, after.Runs[0].Status})
	require.EqualValues(t, 5, after.CreditsSpent)
	require.Regexp(t, `request +exported +5 +5  export `+after.Runs[0].ExportID, order("show", made.ID))
	require.Contains(t, order("show", made.ID), "Spent: 5 credits.")
	var all struct{ Items []struct{ ID string } }
	s.json(t, &all, "order", "list", "--workspace", s.workspace, "--json")
	require.Equal(t, []struct{ ID string }{{made.ID}}, all.Items)
}

func TestADestinationIsTestedOnTheCommandLine(t *testing.T) {
	t.Parallel()
	store := s3test.Start(t)
	s := newFixture(t, 0, "CAPI_DESTINATION_ALLOW=127.0.0.0/8")
	v := s.serve(t)
	link, err := url.Parse(v.firstLink(t))
	require.NoError(t, err)
	owner := newVisitor(t)
	status, body := owner.post(t, v.url+"/console/join", url.Values{
		"link": {link.Query().Get("link")}, "name": {"Ann"}, "email": {"ann@example.com"}, "password": {"correct horse battery"},
	})
	require.Equal(t, http.StatusOK, status, body)
	status, body = owner.post(t, v.url+"/console/w/"+s.workspace+"/destinations", url.Values{
		"name": {"Data lake"}, "kind": {"s3"}, "s3-bucket": {store.NewBucket(t)}, "s3-endpoint": {store.Endpoint},
		"s3-access_key_id": {s3test.AccessKey}, "s3-secret_access_key": {s3test.SecretKey},
	})
	require.Equal(t, http.StatusOK, status, body)
	require.Contains(t, body, "Exports can be delivered to Data lake now.")

	var all struct{ Items []struct{ ID, Name string } }
	s.json(t, &all, "destination", "list", "--workspace", s.workspace, "--json")
	require.Len(t, all.Items, 1)
	require.Equal(t, "Data lake", all.Items[0].Name)
	require.Regexp(t, all.Items[0].ID+`  s3 .*  Data lake`, s.capi(t, "destination", "list", "--workspace", s.workspace))
	test := []string{"destination", "test", all.Items[0].ID, "--workspace", s.workspace}
	require.Equal(t, "The file _capi-test.txt was written and deleted.\n", s.capi(t, test...))

	store.Down()
	out, err := s.command(test...).Output()
	require.Error(t, err, "a script sees that nothing can be delivered")
	require.Contains(t, string(out), strings.TrimPrefix(store.Endpoint, "http://"))
	var tested struct {
		OK      bool
		Message string
	}
	store.Up(t)
	s.json(t, &tested, append(test, "--json")...)
	require.True(t, tested.OK, tested.Message)
}
