package main

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// standIn is a program of the user's that a story plays: it answers from files, and writes down what it was asked.
//
// The directory KUBE has an answer for each question, named by its first words, as get-pods; with several, as get-pods.1 and get-pods.2, the
// last one stays. An answer that begins with ERROR is an error's text. The shapes are those of Kubernetes' API.
type standIn struct {
	name, dir string
}

func kubectlMain() { standIn{"kubectl", os.Getenv("KUBE")}.main(os.Args[1:]) }

func eksctlMain() { standIn{"eksctl", os.Getenv("KUBE")}.main(os.Args[1:]) }

// boring are flags that every question has.
var boring = []string{"--context", "--namespace"}

func (s standIn) main(args []string) {
	s.log(args)
	for i := 0; i+1 < len(args); {
		if slices.Contains(boring, args[i]) {
			args = slices.Delete(args, i, i+2)
		} else {
			i++
		}
	}
	text, found := s.answer(s.key(args, 3))
	if !found {
		text, found = s.answer(s.key(args, 2))
	}
	if said, failed := strings.CutPrefix(text, "ERROR "); failed {
		fmt.Fprint(os.Stderr, said)
		os.Exit(1)
	}
	switch {
	case args[0] == "apply":
		s.apply(text)
	case s.name == "kubectl" && args[0] == "delete":
		s.delete(args)
	case args[0] == "port-forward":
		s.forward()
	case args[0] == "diff" && found: // its exit code says that something differs
		fmt.Print(text)
		os.Exit(1)
	case !found && args[0] == "get" && !slices.Contains(args, "--ignore-not-found"):
		fmt.Fprintf(os.Stderr, "Error from server (NotFound): %s not found\n", strings.Join(args[1:min(3, len(args))], " "))
		os.Exit(1)
	default:
		fmt.Print(text)
	}
}

// key names the question: verb and kind, and of three words the name too.
func (s standIn) key(args []string, most int) string {
	var words []string
	for i, word := range args {
		if !strings.HasPrefix(word, "-") && (i == 0 || args[i-1] != "--output") {
			word, _, _ = strings.Cut(word, ",")
			words = append(words, word)
		}
	}
	switch words[0] {
	case "logs", "apply", "diff", "port-forward":
		most = 1
	}
	if s.name != "kubectl" {
		words = append([]string{s.name}, words...)
	}
	return strings.ReplaceAll(strings.Join(words[:min(most, len(words))], "-"), "/", "_")
}

func (s standIn) log(args []string) {
	f, err := os.OpenFile(filepath.Join(s.dir, "calls"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(3)
	}
	defer f.Close()
	fmt.Fprintln(f, s.name, strings.Join(args, " "))
}

// answer is the next one to a question.
func (s standIn) answer(key string) (string, bool) {
	if text, err := os.ReadFile(filepath.Join(s.dir, key)); err == nil {
		return string(text), true
	}
	counter := filepath.Join(s.dir, "."+key)
	seen, _ := os.ReadFile(counter)
	n, _ := strconv.Atoi(string(seen))
	text, err := os.ReadFile(filepath.Join(s.dir, key+"."+strconv.Itoa(n+1)))
	if err != nil {
		text, err = os.ReadFile(filepath.Join(s.dir, key+"."+strconv.Itoa(n)))
		return string(text), err == nil
	}
	os.WriteFile(counter, []byte(strconv.Itoa(n+1)), 0o644)
	return string(text), true
}

var kinds = regexp.MustCompile(`(?m)^kind: (\w+)$`)

// apply keeps what it was given, and answers as kubectl apply --server-side does.
func (s standIn) apply(warning string) {
	text, err := io.ReadAll(os.Stdin)
	if err != nil {
		os.Exit(3)
	}
	os.WriteFile(filepath.Join(s.dir, "applied.yaml"), text, 0o644)
	fmt.Fprint(os.Stderr, warning)
	for _, kind := range kinds.FindAllSubmatch(text, -1) {
		fmt.Printf("%s/orders serverside-applied\n", strings.ToLower(string(kind[1])))
	}
}

// delete forgets what is removed: from then on there is none.
func (s standIn) delete(args []string) {
	if len(args) > 1 && (args[1] == "ingress" || args[1] == "namespace") {
		none := map[string]string{"ingress": `{"items":[]}`, "namespace": ""}[args[1]]
		os.WriteFile(filepath.Join(s.dir, "get-"+args[1]), []byte(none), 0o644)
		return
	}
	text, err := io.ReadAll(os.Stdin)
	if err != nil {
		os.Exit(3)
	}
	os.WriteFile(filepath.Join(s.dir, "deleted.yaml"), text, 0o644)
	os.WriteFile(filepath.Join(s.dir, "get-deployments"), []byte(`{"items":[]}`), 0o644)
}

// forward forwards to the process at BACKEND until it is interrupted.
func (s standIn) forward() {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		os.Exit(3)
	}
	interrupted := make(chan os.Signal, 1)
	signal.Notify(interrupted, os.Interrupt)
	go func() { <-interrupted; l.Close() }()
	fmt.Printf("Forwarding from %s -> 8080\n", l.Addr())
	for {
		in, err := l.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		} else if err != nil {
			os.Exit(3)
		}
		go func() {
			defer in.Close()
			out, err := net.Dial("tcp", os.Getenv("BACKEND"))
			if err != nil {
				return
			}
			defer out.Close()
			go io.Copy(out, in)
			io.Copy(in, out)
		}()
	}
}
