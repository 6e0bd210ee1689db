package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// cluster is a temporary PostgreSQL server that can be killed.
type cluster struct {
	binaries string
	dir      string // of the data
	socket   string // folder of the socket, whose path must be short
	as       *syscall.Credential
	server   *exec.Cmd
	ended    chan struct{} // closed when the server has ended
}

// settings turn off protection against the loss of the machine, which is not tested, and keep protection against the loss of
// a process: a commit is written before it is confirmed.
const settings = `
listen_addresses = ''
unix_socket_directories = '%s'
fsync = off
full_page_writes = off
synchronous_commit = on
max_connections = 100
log_min_messages = fatal
`

// postgresBinaries returns the folder of initdb and postgres: that of pg_ctl in PATH, or else the newest installed one.
func postgresBinaries() (string, error) {
	folders, err := filepath.Glob("/usr/lib/postgresql/*/bin")
	if err != nil {
		return "", err
	}
	slices.Sort(folders)
	slices.Reverse(folders)
	if path, err := exec.LookPath("pg_ctl"); err == nil {
		if path, err = filepath.EvalSymlinks(path); err == nil {
			folders = append([]string{filepath.Dir(path)}, folders...)
		}
	}
	for _, folder := range folders {
		if _, err := os.Stat(filepath.Join(folder, "initdb")); err == nil {
			return folder, nil
		}
	}
	return "", errors.New("initdb and pg_ctl are not installed")
}

func newCluster(ctx context.Context, dir string) (*cluster, error) {
	binaries, err := postgresBinaries()
	if err != nil {
		return nil, err
	}
	c := &cluster{binaries: binaries, dir: dir}
	if c.socket, err = os.MkdirTemp("/tmp", "capi-soak-pg-"); err != nil {
		return nil, err
	}
	if err := os.Mkdir(dir, 0o700); err != nil {
		return nil, err
	}
	if err := c.dropRoot(); err != nil {
		return nil, err
	}
	out, err := c.command("initdb", "--pgdata="+dir, "--username=capi", "--auth=trust", "--encoding=UTF8", "--no-locale", "--no-sync").
		CombinedOutput()
	if err != nil {
		return nil, fmt.Errorf("initdb: %w\n%s", err, out)
	}
	if err := os.WriteFile(filepath.Join(dir, "postgresql.auto.conf"), fmt.Appendf(nil, settings, c.socket), 0o644); err != nil {
		return nil, err
	}
	return c, c.start(ctx)
}

// dropRoot makes PostgreSQL, which refuses to run as root, run as another user.
func (c *cluster) dropRoot() error {
	if os.Getuid() != 0 {
		return nil
	}
	u, err := user.Lookup("postgres")
	if err != nil {
		if u, err = user.Lookup("nobody"); err != nil {
			return err
		}
	}
	uid, _ := strconv.Atoi(u.Uid)
	gid, _ := strconv.Atoi(u.Gid)
	c.as = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)} //nolint:gosec // user ids fit
	for dir := c.dir; strings.HasPrefix(filepath.Base(filepath.Dir(dir)), "capi-soak-"); dir = filepath.Dir(dir) {
		if err := os.Chmod(filepath.Dir(dir), 0o755); err != nil {
			return err
		}
	}
	if err := os.Chmod(filepath.Dir(filepath.Dir(c.dir)), 0o755); err != nil {
		return err
	}
	return errors.Join(os.Chown(c.dir, uid, gid), os.Chown(c.socket, uid, gid))
}

func (c *cluster) command(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(filepath.Join(c.binaries, name), args...)
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: c.as}
	return cmd
}

func (c *cluster) url() string { return "postgres://capi@/postgres?sslmode=disable&host=" + c.socket }

// start starts the server and waits until it answers. It retries for a minute, because the remains of a killed server can
// prevent a start at first.
func (c *cluster) start(ctx context.Context) error {
	for deadline := time.Now().Add(time.Minute); ; {
		c.server, c.ended = c.command("postgres", "-D", c.dir), make(chan struct{})
		log, err := os.OpenFile(c.dir+".log", os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
		if err != nil {
			return err
		}
		c.server.Stdout, c.server.Stderr = log, log
		err = c.server.Start()
		log.Close()
		if err != nil {
			return err
		}
		go func(server *exec.Cmd, ended chan struct{}) {
			server.Wait() //nolint:errcheck // it is killed
			close(ended)
		}(c.server, c.ended)
		if c.answers(ctx, deadline) {
			return nil
		}
		if ctx.Err() != nil || time.Now().After(deadline) {
			return fmt.Errorf("PostgreSQL does not start; see %s.log", c.dir)
		}
	}
}

func (c *cluster) answers(ctx context.Context, deadline time.Time) bool {
	for ctx.Err() == nil && time.Now().Before(deadline) {
		if c.command("pg_isready", "--quiet", "--host="+c.socket).Run() == nil {
			return true
		}
		select {
		case <-c.ended:
			return false
		case <-time.After(20 * time.Millisecond):
		}
	}
	return false
}

// kill kills all processes of the server.
func (c *cluster) kill() {
	children := childrenOf(c.server.Process.Pid)
	c.server.Process.Kill() //nolint:errcheck // it may have ended
	for _, pid := range children {
		syscall.Kill(pid, syscall.SIGKILL) //nolint:errcheck // it may have ended
	}
	<-c.ended
}

// childrenOf returns the child processes. Each has its own session, so no signal reaches all of them.
func childrenOf(parent int) (pids []int) {
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return nil
	}
	for _, path := range stats {
		content, err := os.ReadFile(path)
		if err != nil {
			continue // it has ended
		}
		// pid (name) state ppid …
		text := string(content)
		fields := strings.Fields(text[strings.LastIndexByte(text, ')')+1:])
		if len(fields) > 1 && fields[1] == strconv.Itoa(parent) {
			if pid, err := strconv.Atoi(filepath.Base(filepath.Dir(path))); err == nil {
				pids = append(pids, pid)
			}
		}
	}
	return pids
}
