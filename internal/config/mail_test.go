package config_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/config"
)

func TestSettingsOfTheMailServer(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "password")
	require.NoError(t, os.WriteFile(file, []byte("from a file\n"), 0o600))
	good := config.Mail{SMTPHost: "smtp.example.com", SMTPPort: 587, SMTPTLS: "starttls", SMTPUser: "capi", SMTPPassword: "x", SMTPFrom: "CAPI <capi@example.com>"}
	require.NoError(t, good.ValidateMail())
	require.NoError(t, config.Mail{}.ValidateMail())
	for setting, change := range map[string]func(*config.Mail){
		"smtp-host":          func(m *config.Mail) { m.SMTPHost = "" },
		"smtp-port":          func(m *config.Mail) { m.SMTPPort = 0 },
		"smtp-tls":           func(m *config.Mail) { m.SMTPTLS = "ssl" },
		"smtp-user":          func(m *config.Mail) { m.SMTPUser = "" },
		"smtp-password":      func(m *config.Mail) { m.SMTPPassword = "" },
		"smtp-password-file": func(m *config.Mail) { m.SMTPPassword, m.SMTPPasswordFile = "", file+"x" },
		"smtp-from":          func(m *config.Mail) { m.SMTPFrom = "capi" },
	} {
		bad := good
		change(&bad)
		require.ErrorContains(t, bad.ValidateMail(), "--"+setting+": ", setting)
	}
	good.SMTPPassword, good.SMTPPasswordFile = "", file
	require.NoError(t, good.ValidateMail())
	password, err := good.Password()
	require.NoError(t, err)
	require.Equal(t, "from a file", password)
}
