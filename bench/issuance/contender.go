package main

import (
	"encoding/base64"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"time"
)

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
	g, err := newGenerator(c.address, c.request())
	if err != nil {
		return err
	}
	defer g.close()
	if _, err := g.run(slice / 10); err != nil {
		return err
	}
	before, begin := c.cpuTime(), time.Now()
	took, err := g.run(slice)
	if err != nil {
		return err
	}
	tokens, elapsed := float64(len(took)), time.Since(begin).Seconds()
	c.rates = append(c.rates, tokens/elapsed)
	c.cpu = append(c.cpu, (c.cpuTime()-before)*1000/tokens)
	c.took = append(c.took, took...)
	return nil
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
