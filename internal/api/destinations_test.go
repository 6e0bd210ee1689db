package api_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/ssh"

	"github.com/opencapi/capi/client"
	"github.com/opencapi/capi/internal/blob/s3/s3test"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/job"
	"github.com/opencapi/capi/internal/remote/sftp/sftptest"
)

// bucketRequest is a destination in a new bucket with a key that may do what the rights say.
func bucketRequest(t *testing.T, server *s3test.Server, name string, rights ...string) M {
	t.Helper()
	bucket := server.NewBucket(t)
	key, secret := server.NewUser(t, bucket, rights...)
	return M{
		"name": name, "type": "s3", "prefix": "capi/{year}/",
		"s3": M{"bucket": bucket, "endpoint": server.Endpoint, "access_key_id": key, "secret_access_key": secret},
	}
}

func TestOwnersManageDestinations(t *testing.T) {
	t.Parallel()
	server := s3test.Start(t)
	h := stocked(t, 10, settings{})
	owner := h.ownersToken(t, h.ws)
	body := bucketRequest(t, server, "Data lake", "s3:PutObject")
	made := get[M](t, h, owner, 201, "POST", "/destinations", body)
	at := "/destinations/" + made["id"].(string)
	secret := body["s3"].(M)["secret_access_key"]
	require.Equal(t, M{
		"id": made["id"], "name": "Data lake", "type": "s3", "prefix": "capi/{year}/", "place": server.Endpoint + "/" + body["s3"].(M)["bucket"].(string),
		"s3": M{
			"bucket": body["s3"].(M)["bucket"], "region": "us-east-1", "endpoint": server.Endpoint, "path_style": true,
			"access_key_id": body["s3"].(M)["access_key_id"],
		},
		"sftp":       nil,
		"created_at": made["created_at"],
	}, made)
	for _, path := range []string{"/destinations", at, "/audit"} {
		a := h.send(t, owner, "GET", path, nil)
		require.Equal(t, http.StatusOK, a.status)
		require.NotContains(t, string(a.body), secret, path)
	}
	require.Equal(t, []any{made}, get[M](t, h, h.reader, 200, "GET", "/destinations", nil)["items"], "members choose among them")
	require.Equal(t, made, get[M](t, h, h.reader, 200, "GET", at, nil))

	for _, op := range []struct {
		method, path string
		body         any
	}{
		{"POST", "/destinations", body},
		{"PATCH", at, M{"name": "x"}},
		{"POST", at + "/test", nil},
		{"DELETE", at, nil},
	} {
		a := h.send(t, h.writer, op.method, op.path, op.body)
		require.Equal(t, http.StatusForbidden, a.status, op)
		require.Equal(t, "FORBIDDEN", a.code(t), op)
		if op.path == "/destinations" {
			continue
		}
		a = h.send(t, h.ownersToken(t, h.workspace(t, 0)), op.method, op.path, op.body)
		require.Equal(t, http.StatusNotFound, a.status, op)
	}

	tested := get[M](t, h, owner, 200, "POST", at+"/test", nil)
	require.Equal(t, true, tested["ok"])
	require.Equal(t, false, tested["deleted"], "keys that may not delete work")
	require.Equal(t, "capi/"+time.Now().UTC().Format("2006")+"/_capi-test.txt", tested["path"])
	require.Equal(t, "capi", get[M](t, h, owner, 200, "PATCH", at, M{"prefix": "capi"})["prefix"])

	for name, c := range map[string]struct {
		change func(b, s3 M)
		want   string
	}{
		"private":      {func(_, s M) { s["endpoint"] = "https://10.0.0.1" }, "private, loopback, link-local"},
		"metadata":     {func(_, s M) { s["endpoint"] = "https://169.254.169.254" }, "private, loopback, link-local"},
		"no bucket":    {func(_, s M) { s["bucket"] = "there-is-none" }, "There is no bucket there-is-none"},
		"bad secret":   {func(_, s M) { s["secret_access_key"] = "nonsense" }, "does not belong to the access key id"},
		"placeholder":  {func(b, _ M) { b["prefix"] = "{moth}" }, "did you mean {month}?"},
		"parent":       {func(b, _ M) { b["prefix"] = "a/../.." }, "must not have . or .."},
		"same name":    {func(_, _ M) {}, "is the name of another destination"},
		"both":         {func(b, _ M) { b["sftp"] = M{"host": "h", "user": "u"} }, "is only for type sftp"},
		"other kind":   {func(b, _ M) { b["type"] = "sftp" }, "is required for type sftp"},
		"no settings":  {func(b, _ M) { delete(b, "s3") }, "is required for type s3"},
		"unknown type": {func(b, _ M) { b["type"] = "ftp" }, "type"},
		"unknown":      {func(b, _ M) { b["secret"] = "x" }, "unknown field"},
	} {
		b := bucketRequest(t, server, "Data lake", "s3:PutObject")
		c.change(b, b["s3"].(M))
		a := h.send(t, owner, "POST", "/destinations", b)
		require.Equal(t, http.StatusUnprocessableEntity, a.status, name)
		require.Contains(t, string(a.body), c.want, name)
	}
	require.Equal(t, http.StatusNoContent, h.send(t, owner, "DELETE", at, nil).status)
	require.Empty(t, get[M](t, h, owner, 200, "GET", "/destinations", nil)["items"])
}

func TestAnExportShowsItsDelivery(t *testing.T) {
	t.Parallel()
	s3 := s3test.Start(t)
	h := stocked(t, 10, settings{})
	api := httptest.NewServer(h)
	t.Cleanup(api.Close)
	ctx, c := t.Context(), client.New(api.URL, h.ownersToken(t, h.ws), client.Options{})
	body := bucketRequest(t, s3, "Data lake", "s3:PutObject")["s3"].(M)
	to, err := c.CreateDestination(ctx, client.DestinationRequest{Name: "Data lake", Type: "s3", S3: &client.BucketRequest{
		Bucket: body["bucket"].(string), Endpoint: s3.Endpoint, AccessKeyID: body["access_key_id"].(string), SecretAccessKey: body["secret_access_key"].(string),
	}})
	require.NoError(t, err)
	request := client.ExportRequest{Name: "x", SearchFilters: &client.Filters{}, DestinationID: to.ID}
	quote, err := c.Quote(ctx, request)
	require.NoError(t, err)
	bought, err := c.CreateExport(ctx, client.ExportRequest{Name: "x", QuoteID: quote.ID, DestinationID: to.ID})
	require.NoError(t, err)
	require.EqualValues(t, 10, bought.CreditsCharged)
	waiting, err := c.Export(ctx, bought.ExportJob.ID)
	require.NoError(t, err)
	require.Equal(t, &client.ExportDelivery{DestinationID: to.ID, Status: "pending"}, waiting.Delivery)

	jobs := h.exports.Handlers()
	for kind, handler := range h.Deliveries.Handlers() {
		jobs[kind] = handler
	}
	runner := job.NewRunner(h.jobs, jobs)
	require.NoError(t, runner.Start(ctx))
	t.Cleanup(func() { require.NoError(t, runner.Stop(ctx)) })
	delivered := func() (e *client.Export) {
		require.Eventually(t, func() bool {
			e, err = c.Export(ctx, bought.ExportJob.ID)
			require.NoError(t, err)
			return e.Delivery.Status == "delivered"
		}, 30*time.Second, 5*time.Millisecond)
		return e
	}
	e := delivered()
	require.True(t, s3.Exists(t, to.S3.Bucket, e.Delivery.Path))
	require.True(t, s3.Exists(t, to.S3.Bucket, "_"+e.Delivery.Path+".manifest.json"))
	page, err := c.Exports(ctx, "", 0)
	require.NoError(t, err)
	require.Equal(t, e.Delivery, page.Items[0].Delivery)
	again, err := c.DeliverExport(ctx, e.ID)
	require.NoError(t, err)
	require.Equal(t, "pending", again.Status)
	require.Equal(t, e.Delivery.Path, delivered().Delivery.Path)

	// What cannot be delivered is an error, and a destination that is not there costs nothing.
	before := get[M](t, h, h.reader, 200, "GET", "/credits", nil)["balance"]
	a := h.send(t, h.writer, "POST", "/exports", M{"name": "x", "search_filters": M{}, "destination_id": id.New[id.Destination]().String()})
	require.Equal(t, http.StatusUnprocessableEntity, a.status)
	require.Contains(t, string(a.body), "is not a destination of this workspace")
	require.Equal(t, before, get[M](t, h, h.reader, 200, "GET", "/credits", nil)["balance"])
	plain, err := c.CreateExport(ctx, client.ExportRequest{Name: "x", SearchFilters: &client.Filters{}})
	require.NoError(t, err)
	a = h.send(t, h.writer, "POST", "/exports/"+plain.ExportJob.ID+"/deliver", nil)
	require.Equal(t, http.StatusConflict, a.status)
	require.Equal(t, "EXPORT_NOT_DELIVERABLE", a.code(t))

	cancelled := create(t, h, M{"name": "x", "search_filters": M{}, "destination_id": to.ID})
	if a := h.send(t, h.writer, "POST", "/exports/"+cancelled.ExportJob.ID+"/cancel", nil); a.status == http.StatusOK { // unless it is written already
		var ended M
		a.into(t, &ended)
		require.Equal(t, "failed", ended["delivery"].(M)["status"])
	}

	all, err := c.Destinations(ctx)
	require.NoError(t, err)
	require.Equal(t, *to, all[0])
	renamed, err := c.UpdateDestination(ctx, to.ID, client.DestinationChange{Name: new("Lake")})
	require.NoError(t, err)
	read, err := c.Destination(ctx, to.ID)
	require.NoError(t, err)
	require.Equal(t, renamed, read)
	tested, err := c.TestDestination(ctx, to.ID)
	require.NoError(t, err)
	require.True(t, tested.OK)
	require.NoError(t, c.DeleteDestination(ctx, to.ID))
}

func TestAnSFTPServerIsConfirmedByItsHostKey(t *testing.T) {
	t.Parallel()
	server := sftptest.Start(t)
	h := stocked(t, 10, settings{})
	owner := h.ownersToken(t, h.ws)
	host := M{"host": server.Host, "port": server.Port, "user": server.User, "private_key": server.PrivateKey}
	body := M{"name": "Server", "type": "sftp", "sftp": host}
	a := h.send(t, owner, "POST", "/destinations", body)
	require.Equal(t, http.StatusUnprocessableEntity, a.status)
	require.Contains(t, string(a.body), ssh.FingerprintSHA256(server.HostKey))
	host["host_key"] = ssh.FingerprintSHA256(server.HostKey)
	made := get[M](t, h, owner, 201, "POST", "/destinations", body)
	require.Equal(t, M{
		"host": server.Host, "port": float64(server.Port), "user": server.User, "authentication": "private_key",
		"host_key": strings.TrimSpace(string(ssh.MarshalAuthorizedKey(server.HostKey))),
	}, made["sftp"])
	require.Nil(t, made["s3"])
	at := "/destinations/" + made["id"].(string)
	require.Equal(t, true, get[M](t, h, owner, 200, "POST", at+"/test", nil)["ok"])
	for _, c := range []struct {
		body M
		want string
	}{
		{M{"s3": M{"bucket": "abc"}}, "is only for type s3"},
		{M{"sftp": M{"user": "root"}}, "needs the password or private_key again"},
	} {
		a := h.send(t, owner, "PATCH", at, c.body)
		require.Equal(t, http.StatusUnprocessableEntity, a.status)
		require.Contains(t, string(a.body), c.want)
	}
	require.Equal(t, "x", get[M](t, h, owner, 200, "PATCH", at, M{"prefix": "x"})["prefix"])
}
