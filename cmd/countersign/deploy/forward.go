package deploy

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"regexp"
	"sync"
	"time"
)

// forwarding is what kubectl port-forward says once it listens.
var forwarding = regexp.MustCompile(`^Forwarding from (127\.0\.0\.1:\d+) -> \d+`)

// forwardStart bounds how long the tunnel may take to stand.
const forwardStart = 30 * time.Second

// Forward opens a tunnel to one pod of a Service, gives use its address, and closes it. The cluster decides who may.
func (k Kubectl) Forward(ctx context.Context, service string, use func(address string) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	cmd := k.command(ctx, "port-forward", "--address", "127.0.0.1", "service/"+service, ":80")
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	var stderr lockedBuffer
	cmd.Stderr = &stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return k.explain(ctx, err, "")
	}
	slow := time.AfterFunc(forwardStart, cancel)
	address := readAddress(out)
	slow.Stop()
	if address == "" {
		err := cmd.Wait()
		if err == nil || ctx.Err() != nil {
			err = errors.New("port-forward did not begin to listen")
		}
		return k.explain(context.WithoutCancel(ctx), err, stderr.String())
	}
	go io.Copy(io.Discard, out)
	err = use(address)
	cancel()
	cmd.Wait() // it ends with the signal's code
	return err
}

// readAddress reads until kubectl says where it listens; "" if it ends before.
func readAddress(out io.Reader) string {
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if found := forwarding.FindStringSubmatch(lines.Text()); found != nil {
			return found[1]
		}
	}
	return ""
}

// lockedBuffer keeps what a running program writes.
type lockedBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}
