// Command capi serves a company-data API with metered exports, and administers it.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/opencapi/capi/internal/cli"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// The first signal starts an orderly shutdown. Unregistering then lets a second signal kill the process.
	context.AfterFunc(ctx, stop)
	os.Exit(cli.Explain(os.Stderr, cli.Run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)))
}
