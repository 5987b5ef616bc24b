package main

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// connections is how many callers there are, each with a connection that stays open and one request under way.
const connections = 16

// contender is a server, and what was measured of it.
type contender struct {
	name, alg, address, path string
	ours, peer               bool
	command                  *exec.Cmd

	started time.Duration
	idle    int // resident memory before the first request, in KiB

	rates []float64       // tokens a second, in each slice
	took  []time.Duration // of every request
	cpu   []float64       // milliseconds of the server's processor time a token, in each slice
}

func (c *contender) kill() {
	if c.command.Process != nil {
		c.command.Process.Kill()
		c.command.Wait()
	}
}

func (c *contender) request() []byte {
	const form = "grant_type=client_credentials"
	return fmt.Appendf(nil, "POST %s HTTP/1.1\r\nHost: %s\r\nAuthorization: Basic %s\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: %d\r\n\r\n%s",
		c.path, c.address, base64.StdEncoding.EncodeToString([]byte(client+":"+secret)), len(form), form)
}

// measure sends requests for a while. The first tenth is not counted: connections open, and the processor changes its work.
func (c *contender) measure(slice time.Duration) error {
	var all sync.WaitGroup
	var mu sync.Mutex
	var problems error
	begin := time.Now().Add(slice / 10)
	end := begin.Add(slice)
	counted := 0
	var before float64
	cpuDone := make(chan struct{})
	go func() { defer close(cpuDone); time.Sleep(time.Until(begin)); before = c.cpuTime() }()
	for range connections {
		all.Go(func() {
			took, err := c.call(begin, end)
			mu.Lock()
			defer mu.Unlock()
			counted += len(took)
			c.took = append(c.took, took...)
			problems = errors.Join(problems, err)
		})
	}
	all.Wait()
	<-cpuDone
	if counted == 0 {
		return errors.Join(problems, errors.New("no token in the whole slice"))
	}
	c.rates = append(c.rates, float64(counted)/time.Since(begin).Seconds())
	c.cpu = append(c.cpu, (c.cpuTime()-before)*1000/float64(counted))
	return problems
}

// call is one caller.
func (c *contender) call(begin, end time.Time) (took []time.Duration, err error) {
	conn, err := net.Dial("tcp", c.address)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	in, request := bufio.NewReaderSize(conn, 8<<10), c.request()
	for {
		start := time.Now()
		if start.After(end) {
			return took, nil
		}
		if _, err := conn.Write(request); err != nil {
			return took, err
		}
		if err := readAnswer(in); err != nil {
			return took, err
		}
		if start.After(begin) {
			took = append(took, time.Since(start))
		}
	}
}

// readAnswer reads an answer with as little work as it takes: the load shares the processors with what it measures.
func readAnswer(in *bufio.Reader) error {
	status, err := in.ReadSlice('\n')
	if err != nil {
		return err
	}
	if !bytes.HasPrefix(status, []byte("HTTP/1.1 200 ")) {
		return fmt.Errorf("the answer is %q", status)
	}
	length := -1
	for {
		line, err := in.ReadSlice('\n')
		if err != nil {
			return err
		}
		if len(line) <= 2 {
			break
		}
		if value, ok := bytes.CutPrefix(bytes.ToLower(line), []byte("content-length: ")); ok {
			if length, err = strconv.Atoi(string(bytes.TrimSpace(value))); err != nil {
				return err
			}
		}
	}
	if length <= 0 {
		return errors.New("the answer has no length")
	}
	_, err = io.CopyN(io.Discard, in, int64(length))
	return err
}

// cpuTime is what the server has used of the processors, in seconds; proc(5), fields 14 and 15 of stat.
func (c *contender) cpuTime() float64 {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", c.command.Process.Pid))
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(text), ") ")
	fields := strings.Fields(rest)
	user, _ := strconv.ParseFloat(fields[11], 64)
	system, _ := strconv.ParseFloat(fields[12], 64)
	return (user + system) / 100
}

// memory is the server's resident memory, in KiB.
func (c *contender) memory() int {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", c.command.Process.Pid))
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(text), "VmRSS:")
	kib, _, _ := strings.Cut(strings.TrimSpace(rest), " ")
	n, _ := strconv.Atoi(kib)
	return n
}

func (c *contender) percentile(p float64) time.Duration {
	slices.Sort(c.took)
	return c.took[min(len(c.took)-1, int(p*float64(len(c.took))))]
}
