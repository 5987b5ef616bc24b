package issuer

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

const gigabyte = 1 << 30

// TestAGigabyteToEveryEndpoint: with its length said and in chunks, the server reads no more of it than it has to, keeps none of it,
// and is done with the connection.
func TestAGigabyteToEveryEndpoint(t *testing.T) {
	p := start(t, configure(t, "http://issuer.example.com"), "flooded")
	before := p.state()
	type door struct{ address, line string }
	public, admin := p.URL[len("http://"):], p.Admin
	doors := []door{
		{public, "POST /"}, {public, "POST /" + pool + "/oauth2/token"}, {public, "POST /" + pool + "/oauth2/revoke"},
		{public, "GET /" + pool + "/.well-known/jwks.json"}, {public, "GET /" + pool + "/.well-known/openid-configuration"},
		{public, "GET /healthz"}, {public, "GET /readyz"}, {public, "PUT /nothing"}, {public, "POST /us-east-1_nobody/oauth2/token"},
		{admin, "GET /metrics"}, {admin, "GET /healthz"}, {admin, "POST /nothing"},
	}
	var senders sync.WaitGroup
	for _, d := range doors {
		for _, framing := range []string{fmt.Sprintf("Content-Length: %d", gigabyte), "Transfer-Encoding: chunked"} {
			senders.Go(func() {
				sent, status := flood(t, d.address, d.line, framing)
				t.Logf("%-52s %-27s %-4s after %5d KiB", d.line, framing, status, sent>>10)
				// Twice what the largest door reads, and what the system keeps between two sockets.
				if sent > 16<<20 {
					t.Errorf("%s, %s: %d MiB were taken", d.line, framing, sent>>20)
				}
			})
		}
	}
	senders.Wait()
	after := p.state()
	t.Logf("memory: %d MiB before, %d MiB at the most", before.memory>>20, after.most>>20)
	if after.most > before.most+100<<20 {
		t.Errorf("the process took %d MiB more", (after.most-before.most)>>20)
	}
	if _, err := ask(p.URL); err != nil {
		t.Error(err)
	}
	p.stop()
}

// flood sends a gigabyte, unless the server has had enough before, and returns how much it got rid of and the status of the answer.
func flood(t *testing.T, address, line, framing string) (sent int64, status string) {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Error(err)
		return 0, ""
	}
	defer conn.Close()
	answered := make(chan string, 1)
	go func() {
		answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			answered <- "none"
			return
		}
		answered <- fmt.Sprint(answer.StatusCode)
	}()
	fmt.Fprintf(conn, "%s HTTP/1.1\r\nHost: issuer.example.com\r\nContent-Type: application/x-www-form-urlencoded\r\n%s\r\n\r\n", line, framing)
	piece := bytes.Repeat([]byte{'a'}, 1<<16)
	if strings.Contains(framing, "chunked") {
		piece = append(append(fmt.Appendf(nil, "%x\r\n", len(piece)), piece...), "\r\n"...)
	}
	_ = conn.SetWriteDeadline(time.Now().Add(40 * time.Second))
	for sent < gigabyte {
		n, err := conn.Write(piece)
		sent += int64(n)
		if err != nil {
			break
		}
	}
	return sent, <-answered
}

// TestStrangersMakeNothingGrow: a hundred thousand requests for pools, and as many of app clients, that do not exist.
func TestStrangersMakeNothingGrow(t *testing.T) {
	p := start(t, configure(t, "http://issuer.example.com"), "strange")
	if _, err := ask(p.URL); err != nil {
		t.Fatal(err)
	}
	strangers := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 2000}, Timeout: 30 * time.Second}
	// The first thousand bring what any load brings.
	invent(t, strangers, p.URL, 1000)
	before := p.state()
	began := time.Now()
	const each = 100_000
	invent(t, strangers, p.URL, each)
	after := p.state()
	t.Logf("%d requests of strangers in %v; memory: %d MiB before, %d MiB after, %d MiB at the most; series of metrics: %d before, %d after",
		2*each, time.Since(began).Round(100*time.Millisecond), before.memory>>20, after.memory>>20, after.most>>20, before.series, after.series)
	if after.series > before.series+2 {
		t.Errorf("%d series of metrics more", after.series-before.series)
	}
	if after.memory > before.memory+64<<20 {
		t.Errorf("the process has grown by %d MiB", (after.memory-before.memory)>>20)
	}
	if got := after.metrics[`countersign_issuer_tokens_total{client="unknown",outcome="invalid_client"}`]; got < each {
		t.Errorf("%.0f requests of unknown app clients were counted, want %d", got, each)
	}
	p.stop()
}

// invent sends n requests for pools that do not exist, and n of app clients that do not; answers to the latter are held back, so
// that many are under way at once.
func invent(t *testing.T, client *http.Client, url string, n int64) {
	t.Helper()
	var next atomic.Int64
	var callers sync.WaitGroup
	for range 1500 {
		callers.Go(func() {
			for {
				i := next.Add(1)
				if i > 2*n {
					return
				}
				path := fmt.Sprintf("/us-east-1_%09d/oauth2/token", i)
				if i%2 == 0 {
					path = "/" + pool + "/oauth2/token"
				}
				if err := stranger(client, url+path, i); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	callers.Wait()
}

func stranger(client *http.Client, url string, i int64) error {
	r, err := http.NewRequest(http.MethodPost, url, strings.NewReader("grant_type=client_credentials"))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.SetBasicAuth(fmt.Sprintf("stranger%018d", i), secret)
	answer, err := client.Do(r)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	_, _ = io.Copy(io.Discard, answer.Body)
	if answer.StatusCode != http.StatusNotFound && answer.StatusCode != http.StatusBadRequest {
		return fmt.Errorf("a stranger got %s", answer.Status)
	}
	return nil
}
