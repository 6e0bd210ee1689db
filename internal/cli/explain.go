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
	exitFailure     = 1 // the command failed, or a check found a problem
	exitUsage       = 2 // the command line or a setting is wrong
	exitInterrupted = 130
)

// usageError is an error in the command line.
type usageError struct {
	err  error
	help string // the command whose --help explains it
}

func (e *usageError) Error() string { return e.err.Error() }
func (e *usageError) Unwrap() error { return e.err }

// fileError is an error in the settings file.
type fileError struct{ err error }

func (e *fileError) Error() string { return e.err.Error() }
func (e *fileError) Unwrap() error { return e.err }

// errFindings is returned by a command that has already printed what is wrong.
var errFindings = errors.New("findings")

// Explain prints err for people and returns the exit code: 0 for nil, 2 for wrong usage, 130 for an interrupt, else 1.
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
