package main

import (
	"context"
)

type runCommand struct {
	settings
}

func (c *runCommand) Run(ctx context.Context) error { return ctx.Err() }
