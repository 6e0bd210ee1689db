// Command soak tests on real processes what the simulation tests on simulated ones. It runs capi serve under the load of many
// clients and kills servers, other commands and the database with kill -9. It runs capi doctor after every kill, and at
// intervals compares the service with all answers that the clients got. It is not part of the program.
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
		os.Exit(1) //nolint:gocritic // stop need not run
	}
}

func parse() options {
	kills := flag.Int("kills", 100, "how many processes to kill in total")
	databases := flag.String("database", "sqlite,postgres", "which databases to test, one after the other")
	clients := flag.Int("clients", 8, "how many clients act at the same time")
	seed := flag.Uint64("seed", 0, "repeats the random choices of an earlier run, but not their timing")
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
			return fmt.Errorf("%s: %w\nsee the data and logs in %s; to repeat the same choices:\n    %s", name, err, dir, again)
		}
		fmt.Printf("%s: nothing was lost, and nothing charged twice, in %s\n", name, time.Since(began).Round(time.Second))
	}
	return os.RemoveAll(dir)
}

// usable returns the databases without PostgreSQL if that is not installed, and prints that it was skipped.
func usable(databases []string) (all []string) {
	for _, name := range databases {
		if _, err := postgresBinaries(); name == "postgres" && err != nil {
			fmt.Println("SKIPPED: no soak on PostgreSQL, because it is not installed")
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
