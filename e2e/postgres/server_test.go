package postgres

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// password is the database user's; no error and no log may ever have it.
const password = "pw-that-nobody-may-see"

// A server is a PostgreSQL of the test's own: a data directory, a free port of the loopback interface, settings as
// Debian ships them. It runs as an unprivileged user, since it refuses to run as root.
type server struct {
	dir  string
	port int

	mu      sync.Mutex
	process *exec.Cmd
	done    chan struct{}
	schemas atomic.Int32
}

// shared is the server of all tests that do not kill theirs.
var shared = sync.OnceValues(func() (*server, error) {
	s, err := newServer(os.TempDir())
	used = s
	return s, err
})

// What TestMain removes: the shared server, if a test has used it, and the program, if one was built.
var (
	used  *server
	built string
)

func TestMain(m *testing.M) {
	code := m.Run()
	if s := used; s != nil {
		s.kill()
		os.RemoveAll(filepath.Dir(s.dir))
	}
	if built != "" {
		os.RemoveAll(filepath.Dir(built))
	}
	os.Exit(code)
}

func sharedServer(t testing.TB) *server {
	t.Helper()
	s, err := shared()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// ownServer is one that the test may kill.
func ownServer(t testing.TB) *server {
	t.Helper()
	s, err := newServer(os.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		s.kill()
		if t.Failed() {
			log, _ := os.ReadFile(filepath.Join(filepath.Dir(s.dir), "log"))
			t.Logf("the end of the server's log:\n%s", log[max(0, len(log)-1000):])
		}
		os.RemoveAll(filepath.Dir(s.dir))
	})
	return s
}

func newServer(under string) (*server, error) {
	root, err := os.MkdirTemp(under, "countersign-postgres-")
	if err != nil {
		return nil, err
	}
	s := &server{dir: filepath.Join(root, "data")}
	secret := filepath.Join(root, "password")
	if err := os.WriteFile(secret, []byte(password), 0o644); err != nil {
		return nil, err
	}
	owner, err := unprivileged()
	if err != nil {
		return nil, err
	}
	if owner != nil {
		if err := os.Chown(root, int(owner.Uid), int(owner.Gid)); err != nil {
			return nil, err
		}
	}
	initdb, err := s.command("initdb", "-D", s.dir, "-U", "issuer", "--auth=scram-sha-256", "--pwfile="+secret, "-E", "UTF8", "--locale=C.UTF-8")
	if err != nil {
		return nil, err
	}
	if out, err := initdb.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("initdb: %w\n%s", err, out)
	}
	if s.port, err = freePort(); err != nil {
		return nil, err
	}
	return s, s.start()
}

// command is one of PostgreSQL's programs, as the unprivileged user.
func (s *server) command(name string, args ...string) (*exec.Cmd, error) {
	path, err := installed(name)
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(path, args...)
	cmd.Dir = filepath.Dir(s.dir)
	cmd.Env = append(os.Environ(), "PGPASSWORD="+password, "LC_ALL=C.UTF-8")
	owner, err := unprivileged()
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: owner}
	return cmd, err
}

// start returns when the server answers. It refuses to start while a process of its last life still has the shared memory,
// which after a kill takes a moment.
func (s *server) start(settings ...string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	deadline := time.Now().Add(time.Minute)
	for {
		err := s.startOnce(settings)
		if !errors.Is(err, errEnded) || time.Now().After(deadline) {
			return err
		}
		<-time.After(50 * time.Millisecond)
	}
}

var errEnded = errors.New("the server ended; see its log")

func (s *server) startOnce(settings []string) error {
	args := []string{"-D", s.dir, "-p", strconv.Itoa(s.port), "-k", filepath.Dir(s.dir), "-c", "listen_addresses=127.0.0.1"}
	for _, setting := range settings {
		args = append(args, "-c", setting)
	}
	cmd, err := s.command("postgres", args...)
	if err != nil {
		return err
	}
	log, err := os.OpenFile(filepath.Join(filepath.Dir(s.dir), "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		return err
	}
	s.process, s.done = cmd, make(chan struct{})
	go func(done chan struct{}) {
		_ = cmd.Wait()
		close(done)
	}(s.done)
	return s.awaitAnswer()
}

func (s *server) awaitAnswer() error {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	for {
		conn, err := pgx.Connect(ctx, s.dsn(""))
		if err == nil {
			return conn.Close(ctx)
		}
		select {
		case <-s.done:
			return errEnded
		case <-ctx.Done():
			return fmt.Errorf("the server does not answer: %w", err)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// kill ends the postmaster and every process of it at once with SIGKILL, as a power loss ends them.
func (s *server) kill() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.process == nil {
		return
	}
	pid := s.process.Process.Pid
	_ = s.process.Process.Signal(syscall.SIGSTOP) // so that no child is born after they were counted
	for _, child := range childrenOf(pid) {
		_ = syscall.Kill(child, syscall.SIGKILL)
	}
	_ = s.process.Process.Kill()
	<-s.done
	s.process = nil
}

// childrenOf lists the processes whose parent is pid.
func childrenOf(pid int) (children []int) {
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, path := range stats {
		stat, err := os.ReadFile(path)
		if err != nil {
			continue // it has ended
		}
		// proc(5): pid (comm) state ppid …; comm may hold spaces and parentheses.
		fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
		if child, err := strconv.Atoi(filepath.Base(filepath.Dir(path))); err == nil && len(fields) > 1 && fields[1] == strconv.Itoa(pid) {
			children = append(children, child)
		}
	}
	return children
}

// dsn names a schema of the database, or none.
func (s *server) dsn(schema string) string {
	dsn := fmt.Sprintf("postgres://issuer:%s@127.0.0.1:%d/postgres?sslmode=disable", password, s.port)
	if schema != "" {
		dsn += "&options=-csearch_path%3D" + schema
	}
	return dsn
}

// newSchema makes a schema for one store and returns the DSN of it.
func (s *server) newSchema(t testing.TB) string { return s.dsn(s.newSchemaName(t)) }

func (s *server) newSchemaName(t testing.TB) string {
	t.Helper()
	name := fmt.Sprintf("s%d", s.schemas.Add(1))
	exec1(t, s.dsn(""), "CREATE SCHEMA "+name)
	return name
}

// run runs one of PostgreSQL's programs and returns what it prints.
func (s *server) run(t testing.TB, stdin []byte, name string, args ...string) []byte {
	t.Helper()
	cmd, err := s.command(name, args...)
	if err != nil {
		t.Fatal(err)
	}
	var stderr bytes.Buffer
	cmd.Stdin, cmd.Stderr = bytes.NewReader(stdin), &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s", name, err, stderr.String())
	}
	return out
}

// exec1 runs one statement, or several without arguments, on a connection of its own.
func exec1(t testing.TB, dsn, statement string, args ...any) {
	t.Helper()
	conn, err := pgx.Connect(context.Background(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	if _, err := conn.Exec(context.Background(), statement, args...); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}

// installed finds one of PostgreSQL's programs, of the newest version that Debian's packages have put there.
func installed(name string) (string, error) {
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/" + name)
	if len(found) > 0 {
		return slices.MaxFunc(found, func(a, b string) int { return majorOf(a) - majorOf(b) }), nil
	}
	path, err := exec.LookPath(name)
	if err != nil {
		return "", fmt.Errorf("PostgreSQL is not installed: %w; on Debian: apt-get install postgresql", err)
	}
	return path, nil
}

func majorOf(path string) int {
	major, _ := strconv.Atoi(filepath.Base(filepath.Dir(filepath.Dir(path))))
	return major
}

// unprivileged is the user that a server runs as when the test is root; nil means the test's own.
func unprivileged() (*syscall.Credential, error) {
	if os.Getuid() != 0 {
		return nil, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, _ := strconv.ParseUint(u.Uid, 10, 32)
		gid, _ := strconv.ParseUint(u.Gid, 10, 32)
		return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
	}
	return nil, errors.New("there is no user postgres or nobody to run the server as")
}

// freePort is a port at which nobody listens. It is none of those that Linux gives to connections (net.ipv4.ip_local_port_range), one
// of which could have it while the server is down.
func freePort() (int, error) {
	for range 100 {
		port := 15000 + rand.N(15000)
		if l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port)); err == nil {
			return port, l.Close()
		}
	}
	return 0, errors.New("there is no free port")
}
