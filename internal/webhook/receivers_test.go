package webhook_test

import (
	"bufio"
	"cmp"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/db/dbtest"
	"github.com/opencapi/capi/internal/event"
	"github.com/opencapi/capi/internal/testkit/required"
	"github.com/opencapi/capi/internal/webhook"
)

// startReceiver starts a receiver in another language and returns its address and a function that gives it the secret. Without the
// library that it needs the test is skipped, or fails if CAPI_TEST_REQUIRE has the word.
func startReceiver(t *testing.T, word string, env []string, probe, command []string) (url string, tell func(secret string)) {
	t.Helper()
	run := func(args []string) *exec.Cmd {
		c := exec.CommandContext(t.Context(), args[0], args[1:]...)
		c.Env, c.Stderr = append(os.Environ(), env...), t.Output()
		return c
	}
	if err := run(probe).Run(); err != nil {
		required.Missing(t, word, "%s lacks the library standardwebhooks: %v", command[0], err)
	}
	c := run(command)
	in, err := c.StdinPipe()
	require.NoError(t, err)
	out, err := c.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, c.Start())
	t.Cleanup(func() {
		_ = c.Process.Kill()
		_ = c.Wait()
	})
	port, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err)
	return "http://127.0.0.1:" + strings.TrimSpace(port) + "/", func(secret string) {
		_, err := io.WriteString(in, secret+"\n")
		require.NoError(t, err)
	}
}

// The library of the specification in Python and JavaScript verifies what is sent, in real receivers; TestAWebhookGetsTheEventsThatItChoseSigned
// does so in Go. Node finds its library in e2e/browser/node_modules, where the tests in a browser install it.
func TestOtherProgramsVerifyWebhooks(t *testing.T) {
	t.Parallel()
	modules, err := filepath.Abs("../../e2e/browser/node_modules")
	require.NoError(t, err)
	python := cmp.Or(os.Getenv("CAPI_TEST_PYTHON"), "python3")
	for language, c := range map[string]struct {
		required       string
		env            []string
		probe, command []string
	}{
		"python":     {"readers", nil, []string{python, "-c", "import standardwebhooks"}, []string{python, "testdata/receiver.py"}},
		"javascript": {"node", []string{"NODE_PATH=" + cmp.Or(os.Getenv("CAPI_TEST_NODE_PATH"), modules)}, []string{"node", "-e", `require("standardwebhooks")`}, []string{"node", "testdata/receiver.cjs"}},
	} {
		t.Run(language, func(t *testing.T) {
			t.Parallel()
			url, tell := startReceiver(t, c.required, c.env, c.probe, c.command)
			h := open(t, dbtest.SQLite(t), quick)
			secret, made := h.create(t, url)
			tell(secret)
			last := func() webhook.Delivery { return h.deliveries(t, made.ID)[0] }
			require.Eventually(t, func() bool { // the receiver may not have read the secret yet
				d, err := h.Webhooks.Test(t.Context(), h.ws, made.ID)
				require.NoError(t, err)
				return d.State == webhook.Delivered
			}, 30*time.Second, 50*time.Millisecond, "%v", last)
			h.happen(t, event.ExportCompleted)
			h.work(t)
			require.Equal(t, webhook.Delivered, last().State, "%s", last().Response)
			require.Equal(t, 204, *last().Status)

			_, _, err := h.Webhooks.Rotate(t.Context(), h.ws, made.ID, time.Hour)
			require.NoError(t, err)
			h.happen(t, event.ExportCompleted)
			h.work(t)
			require.Equal(t, webhook.Delivered, last().State, "the old secret still verifies: %s", last().Response)
			_, _, err = h.Webhooks.Rotate(t.Context(), h.ws, made.ID, 0)
			require.NoError(t, err)
			h.happen(t, event.ExportCompleted)
			h.work(t)
			require.Equal(t, webhook.Failed, last().State)
			require.Equal(t, 401, *last().Status)
		})
	}
}
