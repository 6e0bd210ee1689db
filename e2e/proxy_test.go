package e2e

import (
	"bufio"
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"mime/multipart"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/testkit/required"
)

const (
	proxyName = "api.example.com" // as in the guide
	visitorIP = "127.0.0.2"       // where the test's requests come from; nginx itself is at 127.0.0.1
	spoofedIP = "203.0.113.9"
)

var nginxBlock = regexp.MustCompile("(?s)```nginx\n(.*?)```")

// guidesProxy is nginx with the configuration of the guide, in front of a server.
type guidesProxy struct {
	plain, secure string // its addresses for HTTP and HTTPS
	authority     *x509.CertPool
}

// startNginx runs nginx with the guide's own text, in which only the addresses and the certificate are replaced.
func startNginx(t *testing.T, upstream string) *guidesProxy {
	t.Helper()
	program := found("nginx", "/usr/sbin/nginx")
	require.NotEmpty(t, program, "nginx is required here, and missing")
	dir := t.TempDir()
	p := &guidesProxy{plain: freeAddr(t), secure: freeAddr(t), authority: x509.NewCertPool()}
	certificate, key := filepath.Join(dir, "certificate.pem"), filepath.Join(dir, "key.pem")
	p.authority.AddCert(selfSigned(t, certificate, key))

	guide, err := os.ReadFile("../docs/guide/self-hosting.md")
	require.NoError(t, err)
	block := nginxBlock.FindStringSubmatch(string(guide))
	require.NotNil(t, block, "the guide has a configuration for nginx")
	site := block[1]
	for old, replacement := range map[string]string{
		"listen 80;": "listen " + p.plain + ";", "listen 443 ssl;": "listen " + p.secure + " ssl;",
		"/etc/ssl/api.example.com/fullchain.pem": certificate, "/etc/ssl/api.example.com/privkey.pem": key,
		"http://127.0.0.1:8080": "http://" + upstream,
	} {
		require.Contains(t, site, old)
		site = strings.ReplaceAll(site, old, replacement)
	}
	user := ""
	if os.Getuid() == 0 {
		user = "user root;\n" // its workers must read the folder of the test
	}
	var temporary strings.Builder
	for _, kind := range []string{"client_body", "proxy", "fastcgi", "uwsgi", "scgi"} {
		fmt.Fprintf(&temporary, "%s_temp_path %s;\n", kind, filepath.Join(dir, kind))
	}
	config := filepath.Join(dir, "nginx.conf")
	require.NoError(t, os.WriteFile(config, fmt.Appendf(nil,
		"%sdaemon off;\npid %s/nginx.pid;\nerror_log stderr;\nevents {}\nhttp {\naccess_log off;\n%s%s}\n", user, dir, temporary.String(), site), 0o600))
	cmd := exec.Command(program, "-p", dir, "-c", config, "-e", "stderr")
	said := &lines{}
	cmd.Stdout, cmd.Stderr = said, said
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		cmd.Process.Signal(syscall.SIGTERM) //nolint:errcheck // it may have exited
		cmd.Wait()                          //nolint:errcheck // it was stopped
	})
	require.Eventually(t, func() bool {
		c, err := net.Dial("tcp", p.secure)
		if err != nil {
			return false
		}
		return c.Close() == nil
	}, 30*time.Second, 20*time.Millisecond, "nginx does not answer: %s", said)
	return p
}

// selfSigned writes a certificate for proxyName and its key, and returns the certificate.
func selfSigned(t *testing.T, certificateFile, keyFile string) *x509.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: proxyName}, DNSNames: []string{proxyName},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	require.NoError(t, err)
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(certificateFile, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600))
	require.NoError(t, os.WriteFile(keyFile, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret}), 0o600))
	certificate, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	return certificate
}

// visitor returns a browser without scripts at visitorIP, for which proxyName is this proxy.
func (p *guidesProxy) visitor(t *testing.T) *http.Client {
	t.Helper()
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	dialer := &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(visitorIP)}}
	transport := &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: p.authority},
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			return dialer.DialContext(ctx, network, map[string]string{proxyName + ":80": p.plain, proxyName + ":443": p.secure}[address])
		},
	}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// TestTheGuidesProxyWorks runs the guide's nginx in front of a server: what a server behind a proxy must get right.
func TestTheGuidesProxyWorks(t *testing.T) {
	if found("nginx", "/usr/sbin/nginx") == "" {
		required.Missing(t, "nginx", "nginx is missing")
	}
	const site = "https://" + proxyName
	s := newFixture(t, 100_000, "CAPI_PUBLIC_URL="+site, "CAPI_TRUSTED_PROXIES=127.0.0.1")
	s.addr = freeAddr(t)
	var companies strings.Builder
	for i := range 9_000 {
		fmt.Fprintf(&companies, `{"name":"Company %d","domain":"c%d.example","description":"%s"}`+"\n", i, i, noise(i+1, 900))
	}
	s.capi(t, "import", s.write(t, "many.ndjson", companies.String()))
	v := s.serve(t)
	proxy := startNginx(t, s.addr)
	visitor := proxy.visitor(t)
	send := func(method, path, contentType string, body io.Reader, headers ...string) *http.Response {
		r, err := http.NewRequestWithContext(t.Context(), method, site+path, body)
		require.NoError(t, err)
		r.Header.Set("X-Forwarded-For", spoofedIP) // always
		if contentType != "" {
			r.Header.Set("Content-Type", contentType)
		}
		for i := 0; i < len(headers); i += 2 {
			r.Header.Set(headers[i], headers[i+1])
		}
		answer, err := visitor.Do(r)
		require.NoError(t, err)
		t.Cleanup(func() { answer.Body.Close() })
		return answer
	}
	api := func(method, path string, body, into any) int {
		var sent io.Reader
		if body != nil {
			p, err := json.Marshal(body)
			require.NoError(t, err)
			sent = bytes.NewReader(p)
		}
		answer := send(method, "/api/v1"+path, "application/json", sent, "Authorization", "Bearer "+s.token)
		require.NoError(t, json.NewDecoder(answer.Body).Decode(into))
		return answer.StatusCode
	}

	t.Run("plain HTTP leads to TLS", func(t *testing.T) {
		answer, err := visitor.Get("http://" + proxyName + "/docs")
		require.NoError(t, err)
		answer.Body.Close()
		require.Equal(t, http.StatusMovedPermanently, answer.StatusCode)
		require.Equal(t, site+"/docs", answer.Header.Get("Location"))
	})
	t.Run("metrics are not public", func(t *testing.T) {
		require.Equal(t, http.StatusForbidden, send(http.MethodGet, "/metrics", "", nil).StatusCode)
	})
	t.Run("cookies are sent over TLS only", func(t *testing.T) {
		link, err := url.Parse(v.firstLink(t))
		require.NoError(t, err)
		answer := send(http.MethodPost, "/console/join", "application/x-www-form-urlencoded", strings.NewReader(url.Values{
			"link": {link.Query().Get("link")}, "name": {"Ada"}, "email": {"ada@example.com"}, "password": {"gravel moth teapot"}, "workspace": {"Lab"},
		}.Encode()), "Origin", site, "Sec-Fetch-Site", "same-origin")
		require.Equal(t, http.StatusSeeOther, answer.StatusCode)
		cookies := answer.Cookies()
		require.NotEmpty(t, cookies)
		for _, c := range cookies {
			require.True(t, c.Secure && c.HttpOnly, "%s", c)
		}
		require.Equal(t, http.StatusOK, send(http.MethodGet, "/console/operator", "", nil).StatusCode, "the cookie comes back")
	})
	t.Run("the client's address is seen, and a spoofed one does not count", func(t *testing.T) {
		answer := send(http.MethodPost, "/console/sign-in", "application/x-www-form-urlencoded", strings.NewReader(url.Values{
			"email": {"ada@example.com"}, "password": {"wrong horse battery"},
		}.Encode()), "Origin", site, "Sec-Fetch-Site", "same-origin")
		require.Less(t, answer.StatusCode, 500)
		log := s.capi(t, "audit", "--json")
		require.Contains(t, log, `"`+visitorIP+`"`)
		require.NotContains(t, log, spoofedIP)
		require.NotContains(t, log, `"127.0.0.1"`, "that is the proxy")
	})
	t.Run("big uploads pass without script", func(t *testing.T) {
		page := send(http.MethodGet, "/console/operator/uploads/new", "", nil)
		path := page.Header.Get("Location")
		if path == "" {
			content, err := io.ReadAll(page.Body)
			require.NoError(t, err)
			path = regexp.MustCompile(`/console/operator/uploads/[0-9a-f-]{36}`).FindString(string(content))
		}
		require.NotEmpty(t, path)
		var form bytes.Buffer
		w := multipart.NewWriter(&form)
		part, err := w.CreateFormFile("file", "more.ndjson")
		require.NoError(t, err)
		_, err = io.WriteString(part, companies.String())
		require.NoError(t, err)
		require.NoError(t, w.Close())
		require.Greater(t, form.Len(), 8<<20)
		answer := send(http.MethodPost, path+"/files", w.FormDataContentType(), &form, "Origin", site, "Sec-Fetch-Site", "same-origin")
		require.Equal(t, http.StatusSeeOther, answer.StatusCode)
		require.Eventually(t, func() bool {
			shown, err := io.ReadAll(send(http.MethodGet, path, "", nil).Body)
			return err == nil && strings.Contains(string(shown), "more.ndjson") && strings.Contains(string(shown), "9,000")
		}, time.Minute, 100*time.Millisecond, "the file arrived and was read as a whole")
	})
	t.Run("a body over the limit gets the API's own answer", func(t *testing.T) {
		var failure struct{ Detail struct{ Code string } }
		require.Equal(t, http.StatusRequestEntityTooLarge, api(http.MethodPost, "/companies/search", map[string]any{"query": strings.Repeat("x", 1<<20)}, &failure))
		require.Equal(t, "PAYLOAD_TOO_LARGE", failure.Detail.Code)
	})
	t.Run("big downloads pass as a whole, and in parts", func(t *testing.T) {
		id := exportThrough(t, api)
		var detail struct {
			Status string
			Size   int64 `json:"file_size_bytes"`
		}
		require.Eventually(t, func() bool {
			return api(http.MethodGet, "/exports/"+id, nil, &detail) == http.StatusOK && detail.Status == "completed"
		}, time.Minute, 100*time.Millisecond)
		require.Greater(t, detail.Size, int64(8<<20))
		var links struct {
			File     string `json:"download_url"`
			Manifest string `json:"manifest_url"`
		}
		require.Equal(t, http.StatusOK, api(http.MethodPost, "/exports/"+id+"/download", nil, &links))
		path, ours := strings.CutPrefix(links.File, site)
		require.True(t, ours, "%s leads through the proxy", links.File)
		sum := sha256.New()
		n, err := io.Copy(sum, send(http.MethodGet, path, "", nil).Body)
		require.NoError(t, err)
		require.Equal(t, detail.Size, n)
		manifest, err := io.ReadAll(send(http.MethodGet, strings.TrimPrefix(links.Manifest, site), "", nil).Body)
		require.NoError(t, err)
		require.Contains(t, string(manifest), hex.EncodeToString(sum.Sum(nil)))
		part := send(http.MethodGet, path, "", nil, "Range", "bytes=1000000-1000009")
		require.Equal(t, http.StatusPartialContent, part.StatusCode)
		ten, err := io.ReadAll(part.Body)
		require.NoError(t, err)
		require.Len(t, ten, 10)
	})
	t.Run("progress comes as it is made", func(t *testing.T) {
		exports := filepath.Join(s.data, "files", "exports")
		require.NoError(t, os.Rename(exports, exports+".away")) // so that no export completes
		require.NoError(t, os.WriteFile(exports, nil, 0o600))
		id := exportThrough(t, api)
		answer := send(http.MethodGet, "/console/w/"+s.workspace+"/exports/"+id+"/events", "", nil)
		require.Equal(t, http.StatusOK, answer.StatusCode)
		require.Contains(t, answer.Header.Get("Content-Type"), "text/event-stream")
		first := make(chan string, 1)
		go func() {
			line, err := bufio.NewReader(answer.Body).ReadString('\n')
			first <- fmt.Sprint(line, err)
		}()
		select {
		case line := <-first:
			require.Contains(t, line, "retry: 2000")
		case <-time.After(20 * time.Second):
			t.Fatal("the proxy holds back the progress")
		}
	})
}

// exportThrough creates an export of every company, and returns its id.
func exportThrough(t *testing.T, api func(method, path string, body, into any) int) string {
	t.Helper()
	var created struct {
		Job struct{ ID string } `json:"export_job"`
	}
	require.Equal(t, http.StatusCreated, api(http.MethodPost, "/exports", exportOf("all", map[string]any{}), &created))
	return created.Job.ID
}
