package cli

import (
	"os"

	"github.com/alecthomas/kong"

	"github.com/opencapi/capi/internal/config"
)

// settings resolves flags that are not on the command line: from the environment, else from the settings file. Kong's own
// resolvers would prefer the file to the environment.
type settings struct {
	read   bool
	values config.Values
	err    error
}

func (s *settings) Validate(*kong.Application) error { return nil }

func (s *settings) Resolve(ctx *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
	if !s.read {
		s.values, s.err = config.ReadFile(settingsFile(ctx))
		s.read = true
	}
	if s.err != nil {
		return nil, s.err
	}
	emptied := false
	for _, name := range flag.Envs {
		if v, ok := os.LookupEnv(name); ok && v != "" {
			return v, nil
		} else if ok {
			emptied = true // an empty variable counts as not set
		}
	}
	if v, ok := s.values[flag.Name]; ok {
		return v, nil
	}
	if emptied && flag.HasDefault {
		return flag.Default, nil
	}
	return nil, nil
}

func settingsFile(ctx *kong.Context) string {
	for _, p := range ctx.Path {
		if p.Flag != nil && p.Flag.Name == "config" {
			if path, ok := ctx.FlagValue(p.Flag).(string); ok {
				return path
			}
		}
	}
	return os.Getenv("CAPI_CONFIG")
}
