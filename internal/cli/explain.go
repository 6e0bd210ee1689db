package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/opencapi/capi/internal/config"
	"github.com/opencapi/capi/internal/fault"
)

// Exit codes of the program.
const (
	exitOK          = 0
	exitFailure     = 1 // the command did not do its work, or doctor found something
	exitUsage       = 2 // the command line or a setting is wrong
	exitInterrupted = 130
)

// usageError is a command line that cannot be understood.
type usageError struct {
	err  error
	help string // the command whose --help tells more
}

func (e *usageError) Error() string { return e.err.Error() }
func (e *usageError) Unwrap() error { return e.err }

// fileError is a settings file that cannot be read or holds what is no setting.
type fileError struct{ err error }

func (e *fileError) Error() string { return e.err.Error() }
func (e *fileError) Unwrap() error { return e.err }

// errFindings is what a command returns that has printed what is wrong: nothing is left to explain.
var errFindings = errors.New("findings")

// Explain prints err for a person and gives the exit code: 0 for nil, 2 for wrong usage, else 1.
func Explain(w io.Writer, err error) int {
	var usage *usageError
	var setting *config.Error
	var file *fileError
	var known *fault.Error
	switch {
	case err == nil:
		return exitOK
	case errors.Is(err, errFindings):
		return exitFailure
	case errors.Is(err, context.Canceled):
		fmt.Fprintln(w, "capi: interrupted")
		return exitInterrupted
	case errors.As(err, &usage):
		fmt.Fprintf(w, "capi: %v\nRun \"%s --help\" for help.\n", usage.err, usage.help)
		return exitUsage
	case errors.As(err, &setting), errors.As(err, &file):
		printEach(w, err)
		return exitUsage
	case errors.As(err, &known):
		fmt.Fprintf(w, "capi: %s\n", known.Message)
		return exitFailure
	default:
		printEach(w, err)
		return exitFailure
	}
}

func printEach(w io.Writer, err error) {
	for line := range strings.SplitSeq(err.Error(), "\n") {
		fmt.Fprintf(w, "capi: %s\n", line)
	}
}
