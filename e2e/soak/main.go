// Command soak tests on real processes what the simulation tests on simulated ones. It runs capi serve under the load of many
// clients and kills servers, other commands and the database with kill -9. It runs capi doctor after every kill, and at
// intervals compares the service with all answers that the clients got. It is not part of the program.
//
// With -cluster it runs three nodes with PostgreSQL and an S3 server, which are killed, cut off, slowed and partitioned in turn, and
// prints the longest time without answers for each of these faults.
//
// usage: go run ./e2e/soak [-kills 100] [-database sqlite,postgres] [-clients 8] [-seed N]
//
//	go run ./e2e/soak -cluster [-rounds 1] [-faults REGEXP] [-opensearch] [-clients 8] [-seed N]
package main

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
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

	cluster bool
	rounds  int
	store   string

	opensearch bool
	faults     *regexp.Regexp // the names of faults
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
	cluster := flag.Bool("cluster", false, "run three nodes with PostgreSQL and an S3 server")
	rounds := flag.Int("rounds", 1, "how often every fault happens to the cluster")
	opensearch := flag.Bool("opensearch", false, "the nodes' index is in the OpenSearch of scripts/with-opensearch.sh, whose nodes are killed too")
	var faults regexp.Regexp
	flag.TextVar(&faults, "faults", regexp.MustCompile(""), "a regular `expression` for the names of the faults that happen to the cluster; all without one")
	store := flag.String("store", "bin/versitygw", "the program that is the cluster's S3 server")
	flag.Parse()
	o := options{
		kills: *kills, databases: strings.Split(*databases, ","), clients: *clients, seed: *seed,
		cluster: *cluster, rounds: *rounds, store: *store, opensearch: *opensearch, faults: &faults,
	}
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
	if o.cluster {
		if err := soakCluster(ctx, o, binary, dir); err != nil {
			return err
		}
		return remove(dir)
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
	return remove(dir)
}

// remove removes a directory of servers that were killed: a process of PostgreSQL may write a file in its last moment.
func remove(dir string) (err error) {
	for range 50 {
		if err = os.RemoveAll(dir); err == nil {
			return nil
		}
		time.Sleep(200 * time.Millisecond)
	}
	return err
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

func soakOne(ctx context.Context, o options, database, binary, dir string, kills int) error {
	if err := os.Mkdir(dir, 0o755); err != nil {
		return err
	}
	nodes := 1
	if database == "postgres" {
		nodes = 2
	}
	s := newService(binary, dir, nodes)
	if database == "postgres" {
		p, err := newPostgres(ctx, filepath.Join(dir, "postgres"))
		if err != nil {
			return err
		}
		defer p.kill()
		s.use(p)
	}
	defer s.killAll()
	return newLoad(s, o).run(ctx, kills)
}

// soakCluster runs the cluster, and ends it.
func soakCluster(ctx context.Context, o options, binary, dir string) error {
	began := time.Now()
	c, err := openCluster(ctx, o, binary, dir)
	if err != nil {
		return err
	}
	defer c.close()
	if err := c.run(ctx, o.rounds); err != nil {
		again := fmt.Sprintf("go run ./e2e/soak -cluster -seed %d -rounds %d -clients %d -faults %q", o.seed, o.rounds, o.clients, o.faults)
		if o.opensearch {
			again = "./scripts/with-opensearch.sh -n 3 " + again + " -opensearch"
		}
		return fmt.Errorf("%w\nsee the data and logs in %s; to repeat the same choices:\n    %s", err, dir, again)
	}
	fmt.Printf("nothing was lost, nothing charged twice, and no export has failed, in %s\n", time.Since(began).Round(time.Second))
	return nil
}
