package cli

import (
	"errors"
	"regexp"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
)

// usual rewrites what people type from habit: capi help COMMAND, capi --version, capi -v.
func usual(args []string) []string {
	switch {
	case len(args) == 0:
		return []string{"--help"}
	case args[0] == "help":
		return append(slices.Clone(args[1:]), "--help")
	case args[0] == "--version", args[0] == "-v":
		return append([]string{"version"}, args[1:]...)
	}
	return args
}

var negative = regexp.MustCompile(`^-\d`)

// withNegatives rewrites negative numbers so that kong does not take them for flags: as --flag=-5 after a flag that takes a
// value, else at the end after "--".
func withNegatives(args []string, takesValue func(flag string) bool) []string {
	var out, behind []string
	for i, a := range args {
		switch {
		case a == "--":
			return slices.Concat(out, append(args[i:len(args):len(args)], behind...))
		case !negative.MatchString(a):
			out = append(out, a)
		case len(out) > 0 && takesValue(out[len(out)-1]):
			out[len(out)-1] += "=" + a
		default:
			behind = append(behind, a)
		}
	}
	if behind == nil {
		return out
	}
	return slices.Concat(out, []string{"--"}, behind)
}

// takesValue reports whether n or a command below it has the flag, written as --name, and the flag takes a value.
func takesValue(n *kong.Node, flag string) bool {
	name, ok := strings.CutPrefix(flag, "--")
	return ok && (slices.ContainsFunc(n.Flags, func(f *kong.Flag) bool { return f.Name == name && !f.IsBool() }) ||
		slices.ContainsFunc(n.Children, func(c *kong.Node) bool { return takesValue(c, flag) }))
}

// plainTexts replaces kong's technical messages by plain ones.
var plainTexts = []struct {
	pattern *regexp.Regexp
	plain   string
}{
	{regexp.MustCompile(`expected a valid \d+ bit int but got (".*")`), `$1 is not a whole number`},
	{regexp.MustCompile(`expected duration but got (".*"): time: .*`), `$1 is not a duration such as 30s or 5m`},
	{regexp.MustCompile(`expected \w+ value but got "EOL" \(<EOL>\)`), `a value is missing`},
	{regexp.MustCompile(`expected \w+ value but got (".*") \(.* flag\); perhaps try .*`), `a value is missing; $1 is read as a flag`},
	{regexp.MustCompile(`^<(\w+)>: `), `$1: `},
}

func plain(err error) error {
	text := err.Error()
	for _, t := range plainTexts {
		text = t.pattern.ReplaceAllString(text, t.plain)
	}
	return errors.New(text)
}
