package load

import (
	"context"
	"errors"
	"net/url"
	"os"
	"os/exec"

	"github.com/jackc/pgx/v5"
)

const (
	serverVariable = "CAPI_TEST_POSTGRES_URL"
	databaseName   = "capi_bench_import"
)

// CapiPostgres is the program, with its database on a PostgreSQL server.
func CapiPostgres(program string) Engine {
	server := os.Getenv(serverVariable)
	e := Engine{Name: "CAPI, PostgreSQL"}
	if server == "" {
		e.Missing = "no server: " + serverVariable + " is not set"
		return e
	}
	u, err := url.Parse(server)
	if err != nil {
		e.Missing = err.Error()
		return e
	}
	u.Path = "/" + databaseName
	e.Prepare = func(ctx context.Context, dir string) error {
		if err := clean(ctx, dir); err != nil {
			return err
		}
		db, err := pgx.Connect(ctx, server)
		if err != nil {
			return err
		}
		_, err = db.Exec(ctx, "DROP DATABASE IF EXISTS "+databaseName)
		if err == nil {
			_, err = db.Exec(ctx, "CREATE DATABASE "+databaseName)
		}
		return errors.Join(err, db.Close(ctx))
	}
	e.Command = func(ctx context.Context, dir, file string) *exec.Cmd {
		cmd := exec.CommandContext(ctx, program, "import", "--data", dir, "--rejects", "none", file)
		cmd.Env = append(os.Environ(), "CAPI_DB="+u.String())
		return cmd
	}
	return e
}
