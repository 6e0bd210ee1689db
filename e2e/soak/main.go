// Command soak proves on real processes what the simulation proves on simulated ones: it runs capi serve under the load
// of many clients, ends servers, other commands and the database with kill -9, again and again, and audits with
// capi doctor after every kill and with everything that the clients were told in the end. It is no part of the program.
//
// usage: go run ./e2e/soak [-kills 100] [-database sqlite,postgres] [-clients 8] [-seed N]
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// options are the flags.
type options struct {
	kills     int
	databases []string
	clients   int
	seed      uint64
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	if err := soak(ctx, parse()); err != nil {
		fmt.Fprintln(os.Stderr, "soak:", err)
		os.Exit(1) //nolint:gocritic // nothing is left to be stopped
	}
}

func parse() options {
	kills := flag.Int("kills", 100, "how many processes to kill, in all")
	databases := flag.String("database", "sqlite,postgres", "which databases to soak, one after the other")
	clients := flag.Int("clients", 8, "how many clients act at the same time")
	seed := flag.Uint64("seed", 0, "makes the same choices again; when they meet which moment is not in its power")
	flag.Parse()
	o := options{kills: *kills, databases: strings.Split(*databases, ","), clients: *clients, seed: *seed}
	if o.seed == 0 {
		o.seed = rand.Uint64N(1_000_000_000) + 1
	}
	return o
}

// soak divides the kills among the databases.
func soak(ctx context.Context, o options) error {
	dir, err := os.MkdirTemp("", "capi-soak-")
	if err != nil {
		return err
	}
	fmt.Printf("seed %d, in %s\n", o.seed, dir)
	binary := filepath.Join(dir, "capi")
	build := exec.CommandContext(ctx, "go", "build", "-o", binary, "github.com/opencapi/capi/cmd/capi")
	build.Stderr = os.Stderr
	if err := build.Run(); err != nil {
		return fmt.Errorf("build capi: %w", err)
	}
	databases := usable(o.databases)
	for i, name := range databases {
		kills := o.kills / len(databases)
		if i == 0 {
			kills += o.kills % len(databases)
		}
		began := time.Now()
		if err := soakOne(ctx, o, name, binary, filepath.Join(dir, name), kills); err != nil {
			again := fmt.Sprintf("go run ./e2e/soak -seed %d -kills %d -clients %d -database %s", o.seed, kills, o.clients, name)
			return fmt.Errorf("%s: %w\nwhat is left lies in %s; the same choices again:\n    %s", name, err, dir, again)
		}
		fmt.Printf("%s: nothing was lost, and nothing charged twice, in %s\n", name, time.Since(began).Round(time.Second))
	}
	return os.RemoveAll(dir)
}

// usable leaves PostgreSQL out where it is not installed, and says so.
func usable(databases []string) (all []string) {
	for _, name := range databases {
		if _, err := postgresBinaries(); name == "postgres" && err != nil {
			fmt.Println("SKIPPED: nothing is soaked on PostgreSQL, because it is not installed here")
			continue
		}
		all = append(all, name)
	}
	return all
}

func soakOne(ctx context.Context, o options, database, binary, dir string, kills int) (err error) {
	if err := os.Mkdir(dir, 0o755); err != nil {
		return err
	}
	s := newService(binary, filepath.Join(dir, "data"))
	nodes := 1
	if database == "postgres" {
		c, err := newCluster(ctx, filepath.Join(dir, "postgres"))
		if err != nil {
			return err
		}
		defer c.kill()
		s.use(c)
		nodes = 2
	}
	defer s.killAll()
	return errors.Join(newLoad(s, o, nodes).run(ctx, kills))
}
