package agent

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/countersign-dev/countersign/clientcredentials"
	"github.com/countersign-dev/countersign/cmd/countersign/document"
)

// Config is what an agent holds tokens for.
type Config struct {
	Socket  string      // absolute path
	Mode    fs.FileMode // of the socket; who cannot write to it cannot connect
	Clients []Client
}

// Client is a client of an issuer, and who may have its tokens.
type Client struct {
	Name   string                   // what programs ask for
	Source clientcredentials.Config // without Scopes
	Scopes []string                 // all that may be asked for, and what who asks for none gets
	UIDs   []int                    // users who may ask
}

// defaultMode lets the agent's own user and group connect.
const defaultMode fs.FileMode = 0o660

const (
	maxFile   = 1 << 20 // bytes of the configuration file
	maxSocket = 103     // bytes of a socket's path: 107 on Linux, 103 on macOS

	// maxSpread is half of askTimeout: the first program waits for the spread, and then for the issuer.
	maxSpread = 10 * time.Second
)

// ReadFile reads a configuration from YAML or JSON:
//
//	socket: /run/countersign/agent.sock
//	mode: "0666"
//	clients:
//	  reader:
//	    issuer: https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_AbCdEf123
//	    credentials: /var/run/secrets/reader
//	    scopes: [https://api.example.com/demo.read]
//	    uids: [1000, 1001]
//
// Credentials name a file or directory as [clientcredentials.File] reads it; in their place, an assertion_file and its client_id
// may stand, as [clientcredentials.AssertionFile] takes them. Every problem is said at once, with its place.
func ReadFile(name string) (Config, error) {
	f, err := os.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return Config{}, fmt.Errorf("configuration: %w; name the file with --config; docs/agent.md has a complete one", err)
	}
	if err != nil {
		return Config{}, fmt.Errorf("configuration: %w", err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return Config{}, fmt.Errorf("configuration: %w", err)
	}
	if len(data) > maxFile {
		return Config{}, fmt.Errorf("configuration: %s is larger than %d MiB", name, maxFile>>20)
	}
	root, err := document.Parse(name, data)
	if err != nil {
		return Config{}, err
	}
	r := reader{dir: filepath.Dir(name), out: Config{Mode: defaultMode}}
	r.root(root)
	return r.out, errors.Join(r.Problems...)
}

// reader makes a Config of a file.
type reader struct {
	document.Reader
	dir string
	out Config
}

func (r *reader) root(n *document.Node) {
	if !r.Object(n, "an agent's configuration", "socket", "mode", "clients") {
		return
	}
	r.out.Socket = r.Word(n, "socket")
	if !filepath.IsAbs(r.out.Socket) {
		r.Failf(n.Place, "socket is not an absolute path, such as /run/countersign/agent.sock")
	}
	if len(r.out.Socket) > maxSocket {
		r.Failf(n.Get("socket").Place, "socket is %d bytes long; a kernel takes %d at most", len(r.out.Socket), maxSocket)
	}
	r.mode(n)
	clients := n.Get("clients")
	if clients == nil {
		r.Failf(n.Place, "clients is missing; list them as name: {issuer: …, credentials: …, scopes: […], uids: […]}")
		return
	}
	if r.Object(clients, "clients") && len(clients.Members) == 0 {
		r.Failf(clients.Place, "there is no client")
	}
	for _, m := range clients.Members {
		r.client(m)
	}
}

// mode reads that of the socket. YAML reads 0660 as 432, of which a shell would make another mode.
func (r *reader) mode(n *document.Node) {
	mode := r.Word(n, "mode")
	if mode == "" {
		return
	}
	place := n.Get("mode").Place
	if n.Get("mode").Kind == document.Number {
		r.Failf(place, "mode is a number, and YAML's are others than a shell's; write it in quotes, such as \"0660\"")
		return
	}
	bits, err := strconv.ParseUint(mode, 8, 9)
	if err != nil {
		r.Failf(place, "mode is not one of a socket; write it in quotes, such as \"0660\"")
	}
	r.out.Mode = fs.FileMode(bits)
}

func (r *reader) client(m document.Member) {
	n := m.Value
	if !r.Object(n, "a client", "issuer", "token_endpoint", "door", "credentials", "assertion_file", "client_id", "scopes", "parameters", "uids", "start_spread", "budget") {
		return
	}
	c := Client{Name: m.Name}
	credentials := r.credentials(n)
	if credentials == nil {
		r.Failf(m.Place, "the client has no credentials; name credentials, a file or directory with client_id and client_secret, or an assertion_file and its client_id")
		return
	}
	c.Source = clientcredentials.Config{
		Issuer: r.Word(n, "issuer"), TokenEndpoint: r.Word(n, "token_endpoint"), Door: clientcredentials.Door(r.Word(n, "door")),
		Credentials: credentials, Parameters: r.parameters(n), StartSpread: r.duration(n, "start_spread"),
		Budget: clientcredentials.Budget{Requests: int64(r.number(n, "budget")), Price: clientcredentials.CognitoPrice()},
	}
	for _, item := range r.List(n, "scopes") {
		c.Scopes = append(c.Scopes, item.Text)
	}
	for _, item := range r.List(n, "uids") {
		if uid, err := strconv.ParseUint(item.Text, 10, 32); err != nil {
			r.Failf(item.Place, "a uid is not a number")
		} else {
			c.UIDs = append(c.UIDs, int(uid))
		}
	}
	if len(c.UIDs) == 0 {
		r.Failf(m.Place, "the client has no uids, so that nobody may have its tokens")
	}
	if err := check(c); err != nil {
		r.Failf(m.Place, "%v", err)
	}
	r.out.Clients = append(r.out.Clients, c)
}

// credentials reads what proves the client, a secret or an assertion; nil for neither and for both.
func (r *reader) credentials(n *document.Node) clientcredentials.Credentials {
	secret, assertion, id := r.Word(n, "credentials"), r.Word(n, "assertion_file"), r.Word(n, "client_id")
	switch {
	case secret != "" && assertion == "" && id == "":
		return clientcredentials.File(r.path(secret))
	case secret == "" && assertion != "":
		return clientcredentials.AssertionFile(id, r.path(assertion))
	}
	return nil
}

// path is relative to the configuration file.
func (r *reader) path(name string) string {
	if filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(r.dir, name)
}

// parameters reads further parameters of the token request, each a word.
func (r *reader) parameters(n *document.Node) url.Values {
	list := n.Get("parameters")
	if list == nil || !r.Object(list, "parameters") {
		return nil
	}
	values := url.Values{}
	for _, m := range list.Members {
		values.Set(m.Name, r.Word(list, m.Name))
	}
	return values
}

func (r *reader) duration(n *document.Node, name string) time.Duration {
	text := r.Word(n, name)
	if text == "" {
		return 0
	}
	d, err := time.ParseDuration(text)
	if err != nil || d < 0 {
		r.Failf(n.Get(name).Place, "%s is no duration; write it as 10s", name)
	}
	if d > maxSpread {
		r.Failf(n.Get(name).Place, "%s is over %v: a program waits for its first token that long, and not much longer", name, maxSpread)
	}
	return d
}

func (r *reader) number(n *document.Node, name string) int {
	text := r.Word(n, name)
	if text == "" {
		return 0
	}
	i, err := strconv.Atoi(text)
	if err != nil || i < 0 {
		r.Failf(n.Get(name).Place, "%s is no number", name)
	}
	return i
}

// check makes a Source, which checks the rest.
func check(c Client) error {
	c.Source.Scopes = c.Scopes
	source, err := clientcredentials.New(c.Source)
	if err != nil {
		return err
	}
	return source.Close()
}
