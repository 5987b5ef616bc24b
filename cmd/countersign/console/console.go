package console

import (
	"bytes"
	"context"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"errors"
	"fmt"
	"html/template"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
)

// Config says what the page shows and to whom.
type Config struct {
	// View makes what one request shows. Required.
	View func(ctx context.Context) (View, error)

	// Hosts are further names, without a port, under which the page may be asked for. localhost, 127.0.0.1 and ::1 always may.
	Hosts []string

	// Logger receives the reason when the page cannot be shown. Nil means [slog.Default].
	Logger *slog.Logger
}

type console struct {
	view   func(context.Context) (View, error)
	hosts  map[string]bool
	logger *slog.Logger
}

// New returns the handler of the page. It answers GET and HEAD of "/" and nothing else.
func New(cfg Config) (http.Handler, error) {
	c := &console{view: cfg.View, hosts: map[string]bool{"localhost": true, "127.0.0.1": true, "::1": true}, logger: cfg.Logger}
	var errs []error
	if cfg.View == nil {
		errs = append(errs, errors.New("console: Config.View is required"))
	}
	for _, h := range cfg.Hosts {
		if _, err := netip.ParseAddr(h); err != nil && (h == "" || strings.ContainsAny(h, ":/@* ")) {
			errs = append(errs, fmt.Errorf("console: host %q: want a name or an address without a port", h))
		}
		c.hosts[strings.ToLower(h)] = true
	}
	if c.logger == nil {
		c.logger = slog.Default()
	}
	return c, errors.Join(errs...)
}

//go:embed page.html
var pageHTML string

//go:embed style.css
var styleCSS string

// The icon is in the page, because a browser would ask for /favicon.ico otherwise.
const icon = "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E%3Crect width='16' height='16' rx='4' fill='%230f766e'/%3E%3Cpath d='m4 8.4 2.7 2.6L12 5.4' fill='none' stroke='%23fff' stroke-width='2'/%3E%3C/svg%3E"

var page = template.Must(template.New("page").Funcs(template.FuncMap{
	"shown":        shown,
	"short":        short,
	"life":         life,
	"mark":         mark,
	"plural":       plural,
	"class":        class,
	"verdicts":     func() []Verdict { return []Verdict{Allowed, Refused, Public, Open, NoToken} },
	"outcomemark":  outcomeMark,
	"outcomeclass": func(o Outcome) string { return strings.ReplaceAll(string(o), " ", "-") },
	"command":      tokenCommand,
	"program":      programCommand,
	"css":          func() template.CSS { return template.CSS(styleCSS) },
	"icon":         func() template.URL { return icon },
}).Parse(pageHTML))

// policy allows this page its own style sheet and its icon, by hash and by scheme, and nothing else: a name that slipped
// through the template as markup would find no script, no form, no frame and no place to send anything to.
var policy = func() string {
	hash := sha256.Sum256([]byte(styleCSS))
	return "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(hash[:]) +
		"'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
}()

// ServeHTTP answers one request.
func (c *console) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY") // For readers that do not know frame-ancestors.
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Cache-Control", "no-store")

	// DNS rebinding: a page of evil.example whose name now resolves to 127.0.0.1 would be of the same origin as this one and
	// could read it. Its requests still carry its own name.
	if !c.hosts[strings.ToLower((&url.URL{Host: r.Host}).Hostname())] {
		refuse(w, http.StatusMisdirectedRequest, "this page is served under the name of this machine only, as in http://localhost")
		return
	}
	if r.URL.Path != "/" {
		refuse(w, http.StatusNotFound, "no page here")
		return
	}
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		h.Set("Allow", "GET, HEAD")
		refuse(w, http.StatusMethodNotAllowed, "this page can only be read")
		return
	}
	body, err := c.render(r.Context())
	if err != nil {
		c.logger.Error("console", "err", err)
		refuse(w, http.StatusInternalServerError, "the page cannot be shown; the program's log says why")
		return
	}
	h.Set("Content-Type", "text/html; charset=utf-8")
	_, _ = w.Write(body)
}

func refuse(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(text + "\n"))
}

// render makes the whole page before a byte of it is sent, so that an error is not half a page.
func (c *console) render(ctx context.Context) ([]byte, error) {
	v, err := c.view(ctx)
	if err != nil {
		return nil, fmt.Errorf("console: view: %w", err)
	}
	var b bytes.Buffer
	if err := page.Execute(&b, v); err != nil {
		return nil, fmt.Errorf("console: page: %w", err)
	}
	return b.Bytes(), nil
}
