package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// node is a place for a server.
type node struct {
	service  *service
	name     string
	settings []string // of its server, beside those of every process
	direct   []string // of commands that are run next to it

	database, store *wire   // the ways to them; nil if they are direct
	engine          []*wire // to each node of OpenSearch

	mu     sync.Mutex
	server *server // nil if none runs
	ready  atomic.Bool
}

// server is a running capi serve.
type server struct {
	cmd   *exec.Cmd
	url   string
	log   string
	ended chan struct{} // closed when it has ended
}

func (n *node) running() *server {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.server
}

var servingLine = regexp.MustCompile(`msg="?serving"?.* url=(\S+)`)

// startWait is how long a server may take until it answers, on a busy machine.
const startWait = 2 * time.Minute

// start starts a server and waits until it answers.
func (n *node) start(ctx context.Context) error {
	v := &server{cmd: n.service.command(n.settings, "serve", "--addr", "127.0.0.1:0"), ended: make(chan struct{})}
	v.log = filepath.Join(n.service.dir, fmt.Sprintf("%s-%d.log", n.name, time.Now().UnixMicro()))
	pipe, err := v.cmd.StderrPipe()
	if err != nil {
		return err
	}
	log, err := os.Create(v.log)
	if err != nil {
		return err
	}
	if err := v.cmd.Start(); err != nil {
		return err
	}
	found := make(chan string, 1)
	go func() {
		defer log.Close()
		for r := bufio.NewReader(pipe); ; {
			line, err := r.ReadString('\n')
			fmt.Fprint(log, line)
			if m := servingLine.FindStringSubmatch(line); m != nil {
				found <- m[1]
			}
			if err != nil {
				break
			}
		}
		v.cmd.Wait() //nolint:errcheck // it is killed
		close(v.ended)
	}()
	select {
	case v.url = <-found:
		n.mu.Lock()
		defer n.mu.Unlock()
		n.server = v
		n.ready.Store(true)
		return nil
	case <-v.ended:
		return fmt.Errorf("a server ended at its start; see %s", v.log)
	case <-time.After(startWait):
	case <-ctx.Done():
	}
	v.kill()
	return errors.Join(ctx.Err(), fmt.Errorf("a server is not ready after %s; see %s", startWait, v.log))
}

// kill kills the server and waits until it has ended.
func (v *server) kill() {
	v.cmd.Process.Kill() //nolint:errcheck // it may have ended
	<-v.ended
}

// leave takes the server from the node, so that no more requests are sent to it. It returns nil if there is none.
func (n *node) leave() *server {
	n.mu.Lock()
	defer n.mu.Unlock()
	v := n.server
	n.server = nil
	return v
}

// kill kills the node's server.
func (n *node) kill() {
	if v := n.leave(); v != nil {
		v.kill()
	}
}

// stop stops the node's server with SIGTERM.
func (n *node) stop() error {
	v := n.leave()
	if v == nil {
		return nil
	}
	if err := v.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	select {
	case <-v.ended:
	case <-time.After(time.Minute):
		return fmt.Errorf("a server does not stop; see %s", v.log)
	}
	if v.cmd.ProcessState.ExitCode() != 0 {
		return fmt.Errorf("a server ended with %s; see %s", v.cmd.ProcessState, v.log)
	}
	return nil
}

const (
	readyPoll = 250 * time.Millisecond
	readyWait = time.Second // the longest that a proxy waits for the answer
)

// watch asks the node whether it is ready, as a proxy does, until ctx ends.
func (n *node) watch(ctx context.Context) {
	c := &http.Client{Timeout: readyWait, Transport: &http.Transport{DisableKeepAlives: true}}
	for ctx.Err() == nil {
		if v := n.running(); v != nil {
			ready := v.isReady(ctx, c)
			n.mu.Lock()
			if n.server == v {
				n.ready.Store(ready)
			}
			n.mu.Unlock()
		}
		select {
		case <-time.After(readyPoll):
		case <-ctx.Done():
		}
	}
}

func (v *server) isReady(ctx context.Context, c *http.Client) bool {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, v.url+"/readyz", nil)
	if err != nil {
		return false
	}
	a, err := c.Do(r)
	return err == nil && a.Body.Close() == nil && a.StatusCode == http.StatusOK
}

// doctor runs capi doctor with the node's data directory, so that it also examines the index of the node's server.
func (n *node) doctor() error {
	if err := n.service.doctor(n.direct...); err != nil {
		return fmt.Errorf("%s: %w", n.name, err)
	}
	return nil
}
