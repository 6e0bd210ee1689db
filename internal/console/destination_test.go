package console

import (
	"context"
	"io"
	"maps"
	"net/http"
	"net/url"
	"path"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/destination"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/job"
	"github.com/opencapi/capi/internal/remote"
)

// places are the buckets of the tests, by name: the files of each, by path.
var places sync.Map

// openPlace opens a bucket. One called closed takes nothing.
func openPlace(d destination.Destination, _ destination.Secrets) (remote.Server, error) {
	files, _ := places.LoadOrStore(d.Bucket.Name, &sync.Map{})
	return place{d.Bucket.Name == "closed", files.(*sync.Map)}, nil
}

type place struct {
	closed bool
	files  *sync.Map
}

func (p place) Put(_ context.Context, path, _ string, fn func(io.Writer) error) error {
	if p.closed {
		return &remote.Error{Reason: remote.AccessDenied, Message: "The key may not put objects there."}
	}
	var content strings.Builder
	if err := fn(&content); err != nil {
		return err
	}
	p.files.Store(path, content.String())
	return nil
}

func (p place) Delete(_ context.Context, path string) error { p.files.Delete(path); return nil }
func (place) Close() error                                  { return nil }

// paths returns the files that arrived in a bucket.
func paths(bucket string) (all []string) {
	files, _ := openPlace(destination.Destination{Bucket: destination.Bucket{Name: bucket}}, destination.Secrets{})
	files.(place).files.Range(func(path, _ any) bool { all = append(all, path.(string)); return true })
	return all
}

// bucketForm fills in the form of a new destination, with these values besides.
func bucketForm(pairs ...string) url.Values {
	form := url.Values{
		"name": {"Data lake"}, "kind": {"s3"}, "prefix": {"c/dt={date}"}, "s3-bucket": {"lake"}, "s3-region": {"eu-central-1"},
		"s3-access_key_id": {"AKIALAKE"}, "s3-secret_access_key": {"not-to-be-shown"},
	}
	for i := 0; i < len(pairs); i += 2 {
		form.Set(pairs[i], pairs[i+1])
	}
	return form
}

func flat(form url.Values) (pairs []string) {
	for name, values := range form {
		for _, value := range values {
			pairs = append(pairs, name, value)
		}
	}
	return pairs
}

func TestADestinationIsMadeTestedChosenAndDelivered(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.companies(t, 3)
	ann, bucket := h.as(t, h.ann), "lake-"+strings.ToLower(id.New[id.Export]().String())
	page := in(h.acme, "/destinations")
	require.Contains(t, ann.get(t, page).body, "No destinations yet")
	require.Equal(t, http.StatusForbidden, h.as(t, h.bob).get(t, page).status, "destinations are for owners")

	made := ann.follow(t, ann.post(t, page, flat(bucketForm("s3-bucket", bucket))...))
	require.Contains(t, made.body, "Exports can be delivered to Data lake now.")
	require.Contains(t, made.body, "c/dt={date}")
	require.NotContains(t, made.body, "not-to-be-shown")
	at := regexp.MustCompile(page + `/([0-9a-f-]{36})`).FindStringSubmatch(made.body)
	require.Contains(t, ann.get(t, at[0]).body, "Nothing has been delivered here yet")
	require.Equal(t, http.StatusForbidden, h.as(t, h.bob).get(t, at[0]).status)
	settings := func(pairs ...string) []string {
		return flat(bucketForm(append([]string{"s3-bucket", bucket, "s3-secret_access_key", "", "name", "Lake"}, pairs...)...))
	}
	require.Contains(t, ann.follow(t, ann.post(t, at[0]+"/test")).body, "Data lake: ")
	require.Empty(t, paths(bucket), "the file of a test is deleted")
	require.Contains(t, ann.follow(t, ann.post(t, at[0], settings("prefix", "d")...)).body, "Saved.")
	refused := ann.post(t, at[0], settings("prefix", "a/../b", "name", "Sea")...)
	require.Equal(t, http.StatusUnprocessableEntity, refused.status)
	require.Contains(t, refused.body, `<details open`)
	require.Contains(t, refused.body, `value="Sea"`, "what was typed stays")
	require.Contains(t, refused.body, `value="a/../b"`)
	moved := ann.post(t, at[0], settings("s3-endpoint", "https://storage.example.com")...)
	require.Contains(t, moved.body, "is required to change the server or the access key ID.", "a secret never goes to another server")

	form := ann.quoted(t, "name", "All")
	confirm := ann.get(t, in(h.acme, "/quotes/"+form.Get("quote_id"))).body
	require.Contains(t, confirm, `<option value="`+at[1]+`">Lake</option>`)
	for _, wrong := range []string{"nonsense", id.New[id.Destination]().String()} {
		form.Set("destination", wrong)
		ann.post(t, in(h.acme, "/exports"), flat(form)...)
		require.NotContains(t, ann.get(t, in(h.acme, "/exports")).body, "All</bdi>", "nothing was bought for %s", wrong)
	}
	form.Set("destination", at[1])
	bought := ann.post(t, in(h.acme, "/exports"), flat(form)...)
	export := strings.TrimPrefix(bought.location(), basePath)
	require.Contains(t, ann.get(t, export).body, "being delivered")
	work := func() {
		handlers := h.Deliveries.Handlers()
		maps.Copy(handlers, h.Exports.Handlers())
		runner := job.NewRunner(h.jobs, handlers)
		require.NoError(t, runner.Start(t.Context()))
		require.Eventually(t, func() bool { return strings.Contains(ann.get(t, export).body, ">delivered<") }, 30*time.Second, 5*time.Millisecond)
		require.NoError(t, runner.Stop(t.Context()))
	}
	work()
	require.NotEmpty(t, paths(bucket))
	require.Contains(t, ann.get(t, export).body, "Deliver again")
	listed := ann.get(t, at[0]).body
	require.Contains(t, listed, path.Base(export), "the page of a destination lists its deliveries")
	require.Contains(t, listed, ">delivered<")
	require.Contains(t, ann.follow(t, ann.post(t, export+"/deliver")).body, "The export is being delivered.")
	work()

	require.Contains(t, ann.get(t, in(h.acme, "/orders/new")).body, "Deliver to")
	ordered := ann.post(t, in(h.acme, "/orders"), "name", "Weekly", "destination", at[1])
	require.Contains(t, ann.follow(t, ordered).body, "<dt>Delivered to</dt><dd><bdi>Lake</bdi></dd>")
	require.Contains(t, ann.follow(t, ann.post(t, at[0]+"/delete")).body, "The destination was deleted.")
	require.Contains(t, ann.get(t, export).body, "To a destination that was deleted.")

	const gone = "This destination does not exist any more."
	stays := `<option value="` + at[1] + `" selected>a destination that was deleted</option>`
	for _, opened := range []answer{
		ann.get(t, in(h.acme, "/orders/new?destination="+at[1])), ann.post(t, in(h.acme, "/orders"), "name", "Daily", "destination", at[1]),
	} {
		require.Contains(t, opened.body, gone)
		require.Contains(t, opened.body, stays)
	}
	weekly := strings.TrimPrefix(ordered.location(), basePath)
	require.Contains(t, ann.get(t, weekly).body, stays)
	ann.post(t, weekly, "name", "Mondays", "destination", at[1])
	require.Contains(t, ann.get(t, weekly).body, "<dt>Delivered to</dt><dd><bdi>a destination that was deleted</bdi></dd>", "another change does not remove it")
	form = ann.quoted(t, "name", "Another")
	form.Set("destination", at[1])
	require.Contains(t, ann.follow(t, ann.post(t, in(h.acme, "/exports"), flat(form)...)).body, gone+" Choose another one. Nothing was charged.")
}

func TestADestinationThatDoesNotWorkKeepsTheFormAndSaysWhy(t *testing.T) {
	t.Parallel()
	h := open(t)
	ann, page := h.as(t, h.ann), in(h.acme, "/destinations")
	for said, form := range map[string]url.Values{
		"The key may not put objects there.":               bucketForm("s3-bucket", "closed"),
		`id="prefix-fault"`:                                bucketForm("prefix", "{week}/"),
		`id="s3-secret_access_key-fault"`:                  bucketForm("s3-secret_access_key", ""),
		`id="sftp-host-fault"`:                             {"name": {"Data lake"}, "kind": {"sftp"}, "sftp-user": {"capi"}, "sftp-password": {"not-to-be-shown"}},
		"This is required, or a private key in its place.": {"name": {"Data lake"}, "kind": {"sftp"}, "sftp-host": {"sftp.example.com"}, "sftp-user": {"capi"}},
		"This must be empty if there is a private key.":    {"name": {"Data lake"}, "kind": {"sftp"}, "sftp-host": {"sftp.example.com"}, "sftp-user": {"capi"}, "sftp-password": {"x"}, "sftp-private_key": {"not-to-be-shown"}},
		`id="sftp-port-fault"`:                             {"name": {"Data lake"}, "kind": {"sftp"}, "sftp-host": {"sftp.example.com"}, "sftp-port": {"x"}},
	} {
		a := ann.post(t, page, flat(form)...)
		require.Equal(t, http.StatusUnprocessableEntity, a.status, said)
		require.Contains(t, a.body, said)
		require.Contains(t, a.body, `value="Data lake"`, "what was typed stays")
		require.NotContains(t, a.body, "not-to-be-shown")
		require.NotContains(t, a.body, "private_key,", "a message names the fields of the form, not those of the API")
		require.Contains(t, ann.get(t, page).body, "No destinations yet")
	}
}
