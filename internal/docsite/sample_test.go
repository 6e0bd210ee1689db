package docsite_test

import (
	"encoding/json"
	"fmt"
	"go/format"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/opencapi/capi/client"
	"github.com/opencapi/capi/internal/account"
	"github.com/opencapi/capi/internal/app/apptest"
	"github.com/opencapi/capi/internal/auth"
	"github.com/opencapi/capi/internal/blob/s3/s3test"
	"github.com/opencapi/capi/internal/config"
	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/destination"
	"github.com/opencapi/capi/internal/docsite"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/testkit/required"
	"github.com/opencapi/capi/internal/token"
	"github.com/opencapi/capi/internal/webhook"
	"github.com/opencapi/capi/internal/workspace"
)

// A sample is a code sample of a page, which a reader may copy and run.
type sample struct{ page, language, code string }

var fences = regexp.MustCompile("(?ms)^```([a-z]+)\n(.*?)^```$")

// samplesOf returns the samples of all pages. The test fails on JSON or YAML that does not parse, and on a Go sample that is
// not formatted.
func samplesOf(t *testing.T) (all []sample) {
	t.Helper()
	h := site(t, docsite.Host)
	pages := regexp.MustCompile(`\(`+regexp.QuoteMeta(docsite.Host)+`(/docs/\S+\.md)\)`).FindAllStringSubmatch(read(t, h, "/llms.txt"), -1)
	require.NotEmpty(t, pages)
	for _, page := range pages {
		ofPage := 0
		for _, fence := range fences.FindAllStringSubmatch(read(t, h, page[1]), -1) {
			switch fence[1] {
			case "sh", "javascript", "python", "go":
				ofPage++
				all = append(all, sample{page[1], fence[1], fence[2]})
				if fence[1] == "go" {
					formatted, err := format.Source([]byte(fence[2]))
					require.NoError(t, err)
					require.Equal(t, string(formatted), fence[2], page[1])
				}
			case "json":
				require.True(t, json.Valid([]byte(fence[2])), "%s: %s", page[1], fence[2])
			case "yaml":
				require.NoError(t, yaml.Unmarshal([]byte(fence[2]), new(any)), page[1])
			case "console", "nginx", "haproxy", "promql":
			default:
				require.Fail(t, "a code block in a language that no test checks", "%s: %s", page[1], fence[1])
			}
		}
		if name, ok := strings.CutPrefix(page[1], "/docs/reference/"); ok {
			require.Equal(t, 4, ofPage, "samples of %s", name)
		}
	}
	return all
}

// programs run the samples by language. If a program is not installed, its samples are skipped, or the test fails if
// CAPI_TEST_REQUIRE names the program.
var programs = map[string]struct {
	name, file string
	arguments  []string
}{
	"sh":         {"curl", "sample.sh", []string{"sh", "-eu"}},
	"javascript": {"node", "sample.mjs", []string{"node"}},
	"python":     {"python3", "sample.py", []string{"python3"}},
	"go":         {"go", "main.go", nil},
}

func TestEverySampleRuns(t *testing.T) {
	t.Parallel()
	byLanguage := map[string][]sample{}
	for _, s := range samplesOf(t) {
		byLanguage[s.language] = append(byLanguage[s.language], s)
	}
	require.Len(t, byLanguage, len(programs))
	v := startServers(t)
	for language, samples := range byLanguage {
		t.Run(language, func(t *testing.T) {
			t.Parallel()
			program := programs[language]
			if _, err := exec.LookPath(program.name); err != nil {
				required.Missing(t, program.name, "%s is missing", program.name)
			}
			var prepared []preparedSample
			for _, s := range samples {
				if v.s3 == nil && (strings.Contains(s.page+s.code, "destination") || strings.Contains(s.page, "deliver-export")) {
					t.Logf("NOT TESTED: the sample of %s, because bin/versitygw does not exist", s.page)
					continue
				}
				prepared = append(prepared, v.prepare(t, s))
			}
			if language == "go" {
				build(t, prepared)
			}
			for _, p := range prepared {
				p.run(t)
			}
		})
	}
}

// preparedSample is a sample that is ready to run.
type preparedSample struct {
	sample
	proxy   *proxy
	dir     string
	command []string
}

// prepare writes the sample to a file, with the address of its server, a valid token and the ids of existing objects.
func (v *servers) prepare(t *testing.T, s sample) preparedSample {
	t.Helper()
	p := preparedSample{sample: s, proxy: v.proxy(t, s), dir: t.TempDir()}
	program := programs[s.language]
	file := filepath.Join(p.dir, program.file)
	p.code = v.filled(t, s, p.proxy.URL)
	require.NoError(t, os.WriteFile(file, []byte(p.code), 0o600))
	p.command = append(slices.Clone(program.arguments), file)
	return p
}

func (p preparedSample) run(t *testing.T) {
	t.Helper()
	run := exec.CommandContext(t.Context(), p.command[0], p.command[1:]...)
	run.Dir = p.dir
	out, err := run.CombinedOutput()
	require.NoError(t, err, "%s, %s:\n%s\n%s", p.page, p.language, p.code, out)
	p.proxy.check(t, p.sample, string(out))
	if strings.HasSuffix(p.page, "/quickstart.md") && strings.Contains(p.code, "us-fintech.csv") {
		file, err := os.ReadFile(filepath.Join(p.dir, "us-fintech.csv"))
		require.NoError(t, err)
		require.Equal(t, 3, strings.Count(string(file), "\r\n"), "header and rows of %s", file)
	}
}

// build compiles the Go samples into one program, because linking is the slowest step. Each sample becomes a package of this
// module in an overlay, and its main becomes a function that the program calls by the sample's name.
func build(t *testing.T, samples []preparedSample) {
	t.Helper()
	root, err := filepath.Abs("../..")
	require.NoError(t, err)
	work := t.TempDir()
	overlay := map[string]string{}
	put := func(name, code string) {
		file := filepath.Join(work, name+".go")
		require.NoError(t, os.WriteFile(file, []byte(code), 0o600))
		overlay[filepath.Join(root, "internal", "docsite", "samples", name, "sample.go")] = file
	}
	program := filepath.Join(work, "samples")
	var imports, calls strings.Builder
	for i := range samples {
		name := fmt.Sprintf("sample%d", i)
		code := strings.Replace(samples[i].code, "package main\n", "package "+name+"\n", 1)
		code = strings.Replace(code, "func main() {", "func Main() {", 1)
		require.Contains(t, code, "func Main() {", samples[i].page)
		put(name, code)
		fmt.Fprintf(&imports, "import %q\n", "github.com/opencapi/capi/internal/docsite/samples/"+name)
		fmt.Fprintf(&calls, "%q: %s.Main,\n", name, name)
		samples[i].command = []string{program, name}
	}
	put("all", "package main\n\nimport \"os\"\n"+imports.String()+"\nfunc main() { map[string]func(){\n"+calls.String()+"}[os.Args[1]]() }\n")
	content, err := json.Marshal(map[string]any{"Replace": overlay})
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(work, "overlay.json"), content, 0o600))
	build := exec.CommandContext(t.Context(), "go", "build", "-overlay", filepath.Join(work, "overlay.json"), "-o", program,
		"./internal/docsite/samples/all")
	build.Dir, build.Env = root, append(os.Environ(), "CGO_ENABLED=0")
	out, err := build.CombinedOutput()
	require.NoError(t, err, "%s", out)
}

const companies = `{"name":"Acme Payments","domain":"acmepayments.example","country":"US","industries":["Fintech"],"employee_count":120,"description":"A fintech."}
{"name":"Ledger","domain":"ledger.example","country":"US","industries":["Fintech"],"employee_count":90,"description":"Accounting for fintech firms."}
{"name":"Example Robotics","domain":"example-robotics.test","country":"DE","industries":["Robotics"],"employee_count":240}
`

// servers are the two servers for the samples. On the stuck one no export ever completes, so that it can be cancelled, and each
// sample about a webhook has its own.
type servers struct {
	quick, stuck *apptest.Server
	receiver     *httptest.Server // of webhooks
	numbers      atomic.Int64     // that were used

	s3   *s3test.Server // nil if it is not built
	lake string         // a destination of the quick server

	hook, delivered string // a webhook of the quick server and one of its deliveries
}

func startServers(t *testing.T) *servers {
	t.Helper()
	allow := func(c *config.Config) { c.WebhookAllow, c.DestinationAllow = "127.0.0.0/8", "127.0.0.0/8" }
	o := apptest.Options{Companies: companies, Credits: 1000, Config: allow}
	receiver := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	t.Cleanup(receiver.Close)
	v := &servers{receiver: receiver, quick: apptest.Start(t, o), stuck: apptest.Start(t, o)}
	for _, s := range []*apptest.Server{v.quick, v.stuck} {
		s.Token = ownersToken(t, s)
	}
	v.deliver(t)
	if s3test.Built() {
		v.s3 = s3test.Start(t)
		v.lake = v.destination(t, v.quick)
	}
	require.NoError(t, os.WriteFile(filepath.Join(v.stuck.Config.Data, "files", "exports"), nil, 0o600))
	return v
}

// ownersToken returns a token that belongs to an owner, which may also read the audit log.
func ownersToken(t *testing.T, s *apptest.Server) string {
	t.Helper()
	checked, err := s.People.Check(t.Context(), account.NewPerson{Email: "ann@example.com", Name: "Ann"})
	require.NoError(t, err)
	var ann account.Person
	require.NoError(t, s.DB.Tx(t.Context(), func(tx *db.Tx) error {
		if ann, err = s.People.Create(t.Context(), tx, checked); err != nil {
			return err
		}
		return s.Workspaces.AddMember(t.Context(), tx, s.Workspace, ann.ID, workspace.Owner)
	}))
	secret, _, err := s.Tokens.Create(t.Context(), token.NewToken{Workspace: s.Workspace, Name: "samples", Scope: auth.ReadWrite, Owner: ann.ID})
	require.NoError(t, err)
	return secret
}

func (v *servers) server(s sample) *apptest.Server {
	switch s.page {
	case "/docs/reference/cancel-export.md", "/docs/reference/delete-webhook.md", "/docs/reference/rotate-webhook.md", "/docs/reference/delete-destination.md":
		return v.stuck
	}
	return v.quick
}

// webhook creates a webhook.
func (v *servers) webhook(t *testing.T, s *apptest.Server) string {
	t.Helper()
	_, made, err := s.Webhooks.Create(t.Context(), webhook.Webhook{Workspace: s.Workspace, URL: v.receiver.URL + "/" + v.number()})
	require.NoError(t, err)
	return made.ID.String()
}

// deliver sets a webhook and a delivery to it.
func (v *servers) deliver(t *testing.T) {
	t.Helper()
	v.hook = v.webhook(t, v.quick)
	hook, err := id.Parse[id.Webhook](v.hook)
	require.NoError(t, err)
	v.create(t, v.quick, "exports")
	require.Eventually(t, func() bool {
		all, err := v.quick.Webhooks.Deliveries(t.Context(), v.quick.Workspace, hook, "", id.Delivery{}, 1)
		require.NoError(t, err)
		if len(all) > 0 {
			v.delivered = all[0].ID.String()
		}
		return len(all) > 0
	}, 30*time.Second, 10*time.Millisecond)
}

var placeholder = regexp.MustCompile(`/(companies|exports|lists|orders|webhooks|deliveries|destinations|presets)/[0-9a-f]{8}-[0-9a-f-]{27}`)

// number returns a number that nothing else has: of an address of the receiver, or in a name.
func (v *servers) number() string { return strconv.FormatInt(v.numbers.Add(1), 10) }

// filled returns the code of the sample with the host, a valid token and the ids of existing objects.
func (v *servers) filled(t *testing.T, s sample, host string) string {
	t.Helper()
	code := strings.ReplaceAll(s.code, docsite.Host, host)
	code = strings.ReplaceAll(code, docsite.Token, v.server(s).Token)
	if strings.Contains(code, exampleBucket.Bucket) {
		b := v.bucket(t)
		code = strings.NewReplacer(exampleBucket.Bucket, b.Bucket, exampleBucket.Endpoint, b.Endpoint, exampleBucket.AccessKeyID, b.AccessKeyID,
			exampleBucket.SecretAccessKey, b.SecretAccessKey, "Data lake", "Lake of "+b.Bucket).Replace(code)
	}
	number := v.number()
	code = strings.ReplaceAll(code, "https://example.com/hooks/capi", v.receiver.URL+"/"+number) // one webhook for each address
	code = strings.ReplaceAll(code, `"CRM"`, `"CRM `+number+`"`)                                 // nor have two presets one name
	return placeholder.ReplaceAllStringFunc(code, func(path string) string {
		kind := placeholder.FindStringSubmatch(path)[1]
		if kind == "exports" && strings.Contains(code, "/deliver") {
			return "/exports/" + v.delivering(t)
		}
		if kind == "destinations" && s.page == "/docs/reference/update-destination.md" { // two changes at once are refused
			return "/destinations/" + v.destination(t, v.quick)
		}
		return "/" + kind + "/" + v.create(t, v.server(s), kind)
	})
}

// create returns the id of an object of the kind, a new one except for companies.
func (v *servers) create(t *testing.T, s *apptest.Server, kind string) string {
	t.Helper()
	c, ctx := s.Client(), t.Context()
	switch kind {
	case "companies":
		found, err := c.Search(ctx, client.SearchRequest{Limit: 1})
		require.NoError(t, err)
		return found.Items[0].ID
	case "lists":
		list, err := c.CreateList(ctx, "Partners")
		require.NoError(t, err)
		_, err = c.AddToList(ctx, list.ID, client.ListMembers{Domains: []string{"example-robotics.test"}})
		require.NoError(t, err)
		return list.ID
	case "orders":
		order, err := c.CreateOrder(ctx, client.OrderRequest{
			Name: "New", SearchFilters: &client.Filters{}, Schedule: client.Schedule{Cron: "0 8 * * MON"}, MaxCredits: new(int64(1)), AboveCap: "fill",
		})
		require.NoError(t, err)
		return order.ID
	case "presets":
		preset, err := c.CreatePreset(ctx, client.PresetRequest{Name: id.New[id.Preset]().String(), Columns: []string{"name"}})
		require.NoError(t, err)
		return preset.ID
	case "webhooks":
		if s == v.stuck {
			return v.webhook(t, s)
		}
		return v.hook
	case "deliveries":
		return v.delivered
	case "destinations":
		if s == v.stuck {
			return v.destination(t, s)
		}
		return v.lake
	}
	made, err := c.CreateExport(ctx, client.ExportRequest{Name: "All", SearchFilters: &client.Filters{}})
	require.NoError(t, err)
	if s == v.quick {
		_, err = c.Wait(ctx, made.ExportJob.ID, time.Millisecond, nil)
		require.NoError(t, err)
	}
	return made.ExportJob.ID
}

// exampleBucket is the bucket of the samples.
var exampleBucket = client.BucketRequest{
	Bucket: "acme-data", Endpoint: "https://storage.example.com", AccessKeyID: "AKIAIOSFODNN7EXAMPLE", SecretAccessKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
}

// bucket returns a new bucket of a real server.
func (v *servers) bucket(t *testing.T) client.BucketRequest {
	t.Helper()
	b := client.BucketRequest{Bucket: v.s3.NewBucket(t), Endpoint: v.s3.Endpoint}
	b.AccessKeyID, b.SecretAccessKey = v.s3.NewUser(t, b.Bucket, "s3:PutObject", "s3:DeleteObject")
	return b
}

// destination creates a destination.
func (v *servers) destination(t *testing.T, s *apptest.Server) string {
	t.Helper()
	b := v.bucket(t)
	made, err := s.Destinations.Create(t.Context(), destination.Destination{
		Workspace: s.Workspace, Name: b.Bucket, Kind: destination.S3,
		Bucket: destination.Bucket{Name: b.Bucket, Endpoint: b.Endpoint, PathStyle: true, AccessKey: b.AccessKeyID},
	}, destination.Secrets{SecretKey: b.SecretAccessKey})
	require.NoError(t, err)
	return made.ID.String()
}

// delivering creates an export that is delivered.
func (v *servers) delivering(t *testing.T) string {
	t.Helper()
	c := v.quick.Client()
	made, err := c.CreateExport(t.Context(), client.ExportRequest{Name: "All", SearchFilters: &client.Filters{}, DestinationID: v.lake})
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		e, err := c.Export(t.Context(), made.ExportJob.ID)
		require.NoError(t, err)
		return e.Delivery.Status == "delivered"
	}, 30*time.Second, 10*time.Millisecond)
	return made.ExportJob.ID
}

// proxy forwards the requests of a sample to its server and records them.
type proxy struct {
	*httptest.Server
	mu    sync.Mutex
	calls []string
}

func (v *servers) proxy(t *testing.T, s sample) *proxy {
	t.Helper()
	target, err := url.Parse(v.server(s).URL)
	require.NoError(t, err)
	p := &proxy{}
	forward := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(target)
			r.Out.Host = r.In.Host // for links
		},
		ModifyResponse: func(r *http.Response) error {
			p.mu.Lock()
			defer p.mu.Unlock()
			p.calls = append(p.calls, fmt.Sprintf("%d %s %s", r.StatusCode, r.Request.Method, r.Request.URL.Path))
			return nil
		},
	}
	p.Server = httptest.NewServer(forward)
	t.Cleanup(p.Close)
	return p
}

// check checks that every request of the sample succeeded. A sample of the reference sends exactly one.
func (p *proxy) check(t *testing.T, s sample, out string) {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	require.NotEmpty(t, p.calls, "%s, %s sent no request:\n%s", s.page, s.language, out)
	for _, call := range p.calls {
		require.Equal(t, uint8('2'), call[0], "%s, %s: %s\n%s", s.page, s.language, call, out)
	}
	if strings.HasPrefix(s.page, "/docs/reference/") {
		require.Len(t, p.calls, 1)
	}
}
