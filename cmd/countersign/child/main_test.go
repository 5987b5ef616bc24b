package child_test

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
	"testing"
	"time"

	"github.com/countersign-dev/countersign/cmd/countersign/child"
)

// The test binary is the service too: what it does is in the variable CHILD.
func TestMain(m *testing.M) {
	switch os.Getenv("CHILD") {
	case "":
		os.Exit(m.Run())
	case "serve":
		serve("first")
	case "again": // what a later build of it says
		serve("second")
	case "late":
		fmt.Println("not ready")
		http.HandleFunc("/readyz", func(w http.ResponseWriter, _ *http.Request) {
			if _, err := os.Stat(os.Getenv("READY")); err != nil {
				w.WriteHeader(http.StatusServiceUnavailable)
			}
		})
		serve("late")
	case "deaf":
		signal.Ignore(syscall.SIGTERM)
		serve("deaf")
	case "supervisor":
		supervise()
	case "elsewhere":
		time.Sleep(time.Hour) // it listens nowhere
	case "fail":
		fmt.Fprintln(os.Stderr, "no database")
		os.Exit(3)
	case "parent":
		// A grandchild holds the address, as under a shell or npm.
		grandchild := exec.Command(os.Args[0])
		grandchild.Env = append(os.Environ(), "CHILD=serve")
		grandchild.Stdout, grandchild.Stderr = os.Stdout, os.Stderr
		fmt.Println(grandchild.Run())
	}
}

// supervise is a program that runs a service, whose server is a grandchild, and is killed.
func supervise() {
	addr := os.Getenv("ADDR")
	c, err := child.Start(child.Config{
		Name: "shop", Command: []string{os.Args[0]}, Addr: addr, Env: append(os.Environ(), "CHILD=parent"), Bin: os.TempDir(),
	})
	if err == nil {
		err = c.Await(context.Background())
	}
	fmt.Println("up", err)
	select {}
}

func serve(text string) {
	http.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, text) })
	fmt.Println("listening on", os.Getenv("ADDR"))
	fmt.Println(http.ListenAndServe(os.Getenv("ADDR"), nil))
}
