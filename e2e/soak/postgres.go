package main

import (
	"context"
	"errors"
	"fmt"
	"net"
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

// postgres is a temporary PostgreSQL server that can be killed.
type postgres struct {
	binaries string
	port     int
	dir      string // of the data
	socket   string // folder of the socket, whose path must be short
	as       *syscall.Credential
	server   *exec.Cmd
	ended    chan struct{} // closed when the server has ended
}

// settings turn off protection against the loss of the machine, which is not tested, and keep protection against the loss of
// a process: a commit is written before it is confirmed.
const settings = `
listen_addresses = '127.0.0.1'
port = %d
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

func newPostgres(ctx context.Context, dir string) (*postgres, error) {
	binaries, err := postgresBinaries()
	if err != nil {
		return nil, err
	}
	p := &postgres{binaries: binaries, dir: dir}
	if p.port, err = freePort(); err != nil {
		return nil, err
	}
	if p.socket, err = os.MkdirTemp("/tmp", "capi-soak-pg-"); err != nil {
		return nil, err
	}
	if err := os.Mkdir(dir, 0o700); err != nil {
		return nil, err
	}
	if err := p.dropRoot(); err != nil {
		return nil, err
	}
	out, err := p.command("initdb", "--pgdata="+dir, "--username=capi", "--auth=trust", "--encoding=UTF8", "--no-locale", "--no-sync").
		CombinedOutput()
	if err != nil {
		return nil, fmt.Errorf("initdb: %w\n%s", err, out)
	}
	if err := os.WriteFile(filepath.Join(dir, "postgresql.auto.conf"), fmt.Appendf(nil, settings, p.port, p.socket), 0o644); err != nil {
		return nil, err
	}
	return p, p.start(ctx)
}

// dropRoot makes PostgreSQL, which refuses to run as root, run as another user.
func (p *postgres) dropRoot() error {
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
	p.as = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)} //nolint:gosec // user ids fit
	for dir := p.dir; strings.HasPrefix(filepath.Base(filepath.Dir(dir)), "capi-soak-"); dir = filepath.Dir(dir) {
		if err := os.Chmod(filepath.Dir(dir), 0o755); err != nil {
			return err
		}
	}
	if err := os.Chmod(filepath.Dir(filepath.Dir(p.dir)), 0o755); err != nil {
		return err
	}
	return errors.Join(os.Chown(p.dir, uid, gid), os.Chown(p.socket, uid, gid))
}

func (p *postgres) command(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(filepath.Join(p.binaries, name), args...)
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: p.as}
	return cmd
}

// url returns the address of the database, by the socket.
func (p *postgres) url() string {
	return fmt.Sprintf("postgres://capi@/postgres?sslmode=disable&host=%s&port=%d", p.socket, p.port)
}

// at returns the address of the database by another way to it.
func (p *postgres) at(address string) string {
	return "postgres://capi@" + address + "/postgres?sslmode=disable"
}

// address returns where the server listens.
func (p *postgres) address() string { return "127.0.0.1:" + strconv.Itoa(p.port) }

// freePort returns a port on which nothing listens.
func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil //nolint:forcetypeassert // it is TCP
}

// start starts the server and waits until it answers. It retries for a minute, because the remains of a killed server can
// prevent a start at first.
func (p *postgres) start(ctx context.Context) error {
	for deadline := time.Now().Add(time.Minute); ; {
		p.server, p.ended = p.command("postgres", "-D", p.dir), make(chan struct{})
		log, err := os.OpenFile(p.dir+".log", os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
		if err != nil {
			return err
		}
		p.server.Stdout, p.server.Stderr = log, log
		err = p.server.Start()
		log.Close()
		if err != nil {
			return err
		}
		go func(server *exec.Cmd, ended chan struct{}) {
			server.Wait() //nolint:errcheck // it is killed
			close(ended)
		}(p.server, p.ended)
		if p.answers(ctx, deadline) {
			return nil
		}
		if ctx.Err() != nil || time.Now().After(deadline) {
			return fmt.Errorf("PostgreSQL does not start; see %s.log", p.dir)
		}
	}
}

func (p *postgres) answers(ctx context.Context, deadline time.Time) bool {
	for ctx.Err() == nil && time.Now().Before(deadline) {
		if p.command("pg_isready", "--quiet", "--host="+p.socket, "--port="+strconv.Itoa(p.port)).Run() == nil {
			return true
		}
		select {
		case <-p.ended:
			return false
		case <-time.After(20 * time.Millisecond):
		}
	}
	return false
}

// kill kills all processes of the server.
func (p *postgres) kill() {
	children := childrenOf(p.server.Process.Pid)
	p.server.Process.Kill() //nolint:errcheck // it may have ended
	for _, pid := range children {
		syscall.Kill(pid, syscall.SIGKILL) //nolint:errcheck // it may have ended
	}
	<-p.ended
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
