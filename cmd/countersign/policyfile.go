package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/countersign-dev/countersign"
	"github.com/countersign-dev/countersign/cmd/countersign/callers"
	"github.com/countersign-dev/countersign/cmd/countersign/dev"
	"github.com/countersign-dev/countersign/cmd/countersign/document"
	"github.com/countersign-dev/countersign/cmd/countersign/escape"
	"github.com/countersign-dev/countersign/cmd/countersign/openapi"
	"github.com/countersign-dev/countersign/cmd/countersign/seen"
	"github.com/countersign-dev/countersign/prove"
)

// proofPolicy is what a proof begins with.
type proofPolicy struct {
	countersign.Policy
	examples map[string]prove.Example
	document *openapi.Document // any team's document; nil for a policy of Countersign's own
}

// policyTimeout bounds the download of a policy.
const policyTimeout = 30 * time.Second

// readPolicy reads the file or URL of --policy: a policy that Countersign wrote, or any team's OpenAPI document. Without one it is the
// running dev's.
func (o proveOptions) readPolicy(ctx context.Context, running *dev.Running, client *http.Client, targets []string) (proofPolicy, error) {
	var p proofPolicy
	var err error
	switch {
	case o.policy == "" && !knowsPolicy(running):
		err = errors.New("the running dev knows no policy: its service has not come up, or has none; its output says which. Try again in a moment, or write --policy FILE")
	case o.policy == "":
		p.Policy, err = countersign.ParsePolicy(running.Policy)
	case isURL(o.policy):
		p, err = o.downloadPolicy(ctx, client, targets)
	default:
		p, err = o.openPolicy(targets)
	}
	prefixes := o.edge
	if o.beneath != "" {
		prefixes = []string{o.beneath}
	}
	if err != nil || len(prefixes) == 0 {
		return p, err
	}
	if p.Policy = dev.Beneath(p.Policy, prefixes...); len(p.Routes) == 0 {
		return p, fmt.Errorf("--beneath %s: the policy has no route there", strings.Join(prefixes, ", "))
	}
	return p, nil
}

// knowsPolicy says whether the running dev has the policy of its service: while that is being built, it has none.
func knowsPolicy(running *dev.Running) bool {
	return len(running.Policy) > 0 && string(running.Policy) != "null"
}

func isURL(text string) bool { return strings.Contains(text, "://") }

// openPolicy reads a file once: it may be a pipe of the shell's.
func (o proveOptions) openPolicy(targets []string) (proofPolicy, error) {
	f, err := os.Open(o.policy)
	if err != nil {
		return proofPolicy{}, fmt.Errorf("--policy: %w", err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, document.MaxSize+1))
	if err != nil {
		return proofPolicy{}, fmt.Errorf("--policy: %w", err)
	}
	beside, err := os.OpenRoot(filepath.Dir(o.policy))
	if err != nil {
		return proofPolicy{}, fmt.Errorf("--policy: %w", err)
	}
	defer beside.Close()
	return o.parsePolicy(o.policy, data, beside.FS(), targets)
}

// downloadPolicy reads a policy from https, or from this machine. Whoever could change it on the way would decide what is proved.
func (o proveOptions) downloadPolicy(ctx context.Context, client *http.Client, targets []string) (proofPolicy, error) {
	fail := func(err error) (proofPolicy, error) { return proofPolicy{}, fmt.Errorf("--policy: %w", err) }
	u, err := callers.SecureURL(o.policy)
	if err != nil {
		return fail(fmt.Errorf("the URL %w", err))
	}
	ctx, cancel := context.WithTimeout(ctx, policyTimeout)
	defer cancel()
	if slices.ContainsFunc(targets, func(target string) bool { return sameOrigin(u, target) }) {
		client = o.passOptions.client(client)
	}
	data, status, err := fetchPolicy(ctx, client, o.policy, "")
	if status == http.StatusUnauthorized || status == http.StatusForbidden {
		data, status, err = o.askAsClient(ctx, client, u, status, targets)
	}
	switch {
	case err != nil:
		return fail(err)
	case status != http.StatusOK:
		return fail(fmt.Errorf("%s answers %d; save the document and name the file", u.Redacted(), status))
	}
	return o.parsePolicy(u.Host+u.Path, data, nil, targets)
}

// The members by which a policy of Countersign's own is known.
var ownMembers = []string{"x-countersign-resource", "x-countersign-profile"}

func (o proveOptions) parsePolicy(name string, data []byte, beside fs.FS, targets []string) (proofPolicy, error) {
	// What is not even a document is said by the reader below.
	if root, err := document.Parse(name, data); err == nil {
		for _, mark := range ownMembers {
			if root.Get(mark) != nil {
				return o.parseOwn(data, mark, root)
			}
		}
	}
	target, err := url.Parse(targets[0])
	if err != nil {
		return proofPolicy{}, err
	}
	doc, err := openapi.Read(name, data, beside, openapi.Config{Target: target, Server: o.server})
	if err != nil {
		return proofPolicy{}, err
	}
	return proofPolicy{Policy: doc.Policy(), examples: doc.Examples(), document: doc}, nil
}

func (o proveOptions) parseOwn(data []byte, mark string, root *document.Node) (proofPolicy, error) {
	if !strings.HasPrefix(strings.TrimSpace(string(data)), "{") {
		return proofPolicy{}, root.Place.Errorf("%s marks a policy that Countersign wrote, which is JSON; remove it from a document of your own", mark)
	}
	if o.server != "" {
		return proofPolicy{}, errors.New("--server chooses among the servers of an OpenAPI document; a policy that Countersign wrote has none")
	}
	policy, err := countersign.ParsePolicy(data)
	if err != nil {
		return proofPolicy{}, fmt.Errorf("policy %s: %w", o.policy, err)
	}
	return proofPolicy{Policy: policy}, nil
}

// notes are what the reader of a document had to say beside errors.
func (p proofPolicy) notes(w io.Writer) {
	if p.document == nil {
		return
	}
	for _, note := range p.document.Notes {
		fmt.Fprintf(w, "note: %s\n", escape.Visible(note.String()))
	}
}

// notJudged are the rows of the operations about which nothing can be said: they are part of the result, and no reason to fail.
func (p proofPolicy) notJudged(beneath string) []prove.Row {
	if p.document == nil {
		return nil
	}
	var rows []prove.Row
	for _, op := range p.document.Operations {
		if op.NotJudged == "" || beneath != "" && len(dev.Beneath(countersign.Policy{Routes: []countersign.Route{op.Route}}, beneath).Routes) == 0 {
			continue
		}
		rows = append(rows, prove.Row{
			Route: op.Name(), Rule: "not judged", Source: op.Route.Source, Case: "rule", Kind: prove.KindAllowed,
			Clause: "the document", State: prove.Unprovable, Want: "not judged", Note: op.NotJudged,
		})
	}
	return rows
}

// targetOf is the address to which the routes' paths are added. Who writes the whole address of the API, the path of its server
// included, does not mean that path twice.
func (p proofPolicy) targetOf(address string) string {
	if p.document == nil || p.document.Base == "" {
		return address
	}
	return strings.TrimSuffix(strings.TrimSuffix(address, "/"), p.document.Base)
}

// changes says whether a request that must be admitted would change things.
func (p proofPolicy) changes() bool {
	for _, route := range p.Routes {
		switch route.Method {
		case http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodTrace:
		default:
			return true
		}
	}
	return false
}

// seenRoutes are the routes that a log is compared with: those that cannot be judged are documented too.
func (p proofPolicy) seenRoutes() []seen.Route {
	var routes []seen.Route
	if p.document != nil {
		for _, op := range p.document.Operations {
			if op.Route.Pattern != "" {
				routes = append(routes, seen.Route{Pattern: op.Route.Pattern, Name: op.Name()})
			}
		}
		return routes
	}
	for _, route := range p.Routes {
		if route.Pattern != "" {
			routes = append(routes, seen.Route{Pattern: route.Pattern, Name: route.Pattern})
		}
	}
	return routes
}

// hosts are those of the service in a HAR: where it is proved, and where the document says that it is.
func (p proofPolicy) hosts(targets []string) func(host string) bool {
	known := map[string]bool{}
	for _, target := range targets {
		if u, err := url.Parse(target); err == nil {
			known[strings.ToLower(u.Host)] = true
		}
	}
	if p.document != nil {
		for _, host := range p.document.Hosts {
			known[strings.ToLower(host)] = true
		}
	}
	return func(host string) bool { return known[strings.ToLower(host)] }
}
