package e2e

import (
	"strconv"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/opencapi/capi/internal/mail"
	"github.com/opencapi/capi/internal/mail/mailtest"
)

func TestCommandLine(t *testing.T) {
	t.Parallel()
	sent := mailtest.Start(t, mail.Clear).Options()
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		Setup: func(e *testscript.Env) error {
			e.Setenv("CAPI_RATE_LIMITS", "off")
			e.Setenv("MAIL_PORT", strconv.Itoa(sent.Port))
			e.Setenv("UNKNOWN_ADDRESS", mailtest.Unknown)
			return nil
		},
	})
}
