package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// engine is the OpenSearch cluster of scripts/with-opensearch.sh, which runs this program.
type engine struct {
	home      string // has a folder for each node
	addresses []string
}

// engineNamed returns the engine of the environment.
func engineNamed() (*engine, error) {
	e := &engine{home: os.Getenv("CAPI_TEST_OPENSEARCH_HOME")}
	for address := range strings.SplitSeq(os.Getenv("CAPI_TEST_OPENSEARCH"), ",") {
		if address = strings.TrimPrefix(address, "http://"); address != "" {
			e.addresses = append(e.addresses, address)
		}
	}
	if e.home == "" || len(e.addresses) < 2 {
		return nil, errors.New("there is no OpenSearch: use scripts/with-opensearch.sh -n 3")
	}
	return e, nil
}

// url returns what capi serve takes as --index for nodes at these addresses.
func (e *engine) url(addresses []string) string {
	return "opensearch://" + strings.Join(addresses, ",") + "/soak?replicas=1"
}

// connect gives the node ways of its own to every node of the engine, and returns the setting of its server.
func (e *engine) connect(w *wires, n *node) (setting string, err error) {
	var addresses []string
	for i, address := range e.addresses {
		way, err := w.to(fmt.Sprintf("%s to engine %d", n.name, i), address)
		if err != nil {
			return "", err
		}
		n.engine, addresses = append(n.engine, way), append(addresses, way.address)
	}
	return "CAPI_INDEX=" + e.url(addresses), nil
}

func (e *engine) folder(i int) string { return filepath.Join(e.home, fmt.Sprint("node", i)) }

// signal sends a signal to a node of the engine.
func (e *engine) signal(i int, s syscall.Signal) error {
	content, err := os.ReadFile(filepath.Join(e.folder(i), "pid"))
	if err != nil {
		return err
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(content)))
	if err != nil {
		return err
	}
	if err := syscall.Kill(pid, s); err != nil {
		return fmt.Errorf("send %v to node %d of OpenSearch: %w", s, i, err)
	}
	return nil
}

// kill kills a node of the engine, and returns when it has ended.
func (e *engine) kill(ctx context.Context, i int) error {
	if err := e.signal(i, syscall.SIGKILL); err != nil {
		return err
	}
	for {
		if _, err := e.ask(ctx, i, "/"); err != nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// start starts a node of the engine again, and waits until all nodes have each other and every copy of the index.
func (e *engine) start(ctx context.Context, i int) error {
	return errors.Join(e.launch(i), e.whole(ctx, i))
}

// startAll is start for all nodes.
func (e *engine) startAll(ctx context.Context) error {
	for i := range e.addresses {
		if err := e.launch(i); err != nil {
			return err
		}
	}
	return e.whole(ctx, 0)
}

func (e *engine) launch(i int) error {
	cmd := exec.Command(filepath.Join(e.folder(i), "run"))
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return err
	}
	go cmd.Wait() //nolint:errcheck // it is killed
	return nil
}

// enginePause is the time between two imports. Each changes all companies: without a break, what a node that was away has to write again
// would take longer than all else.
const enginePause = 3 * time.Second

// engineWait is how long Java and the recovery of an index may take on a busy machine.
const engineWait = 5 * time.Minute

// whole waits until the engine has all its nodes and every copy of the index, as a node of it sees it.
func (e *engine) whole(ctx context.Context, i int) error {
	for deadline := time.Now().Add(engineWait); ; {
		status, err := e.ask(ctx, i, fmt.Sprintf("/_cluster/health?wait_for_status=green&wait_for_nodes=%d&timeout=5s", len(e.addresses)))
		if err == nil && status == http.StatusOK {
			return nil
		}
		if err == nil {
			err = fmt.Errorf("it answered with the status %d", status)
		}
		if ctx.Err() != nil || time.Now().After(deadline) {
			return fmt.Errorf("OpenSearch is not whole again: %w", errors.Join(err, ctx.Err()))
		}
		time.Sleep(100 * time.Millisecond)
	}
}

func (e *engine) ask(ctx context.Context, i int, path string) (status int, err error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+e.addresses[i]+path, nil)
	if err != nil {
		return 0, err
	}
	a, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0, err
	}
	return a.StatusCode, a.Body.Close()
}
