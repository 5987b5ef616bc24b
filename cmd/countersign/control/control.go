package control

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"github.com/countersign-dev/countersign/cmd/countersign/chaos"
	"github.com/countersign-dev/countersign/cognito"
)

// Config says what is steered. All of it is required.
type Config struct {
	Chaos  *chaos.Chaos
	Quotas *cognito.Quotas
	Clock  *Clock
}

type handler struct{ config Config }

// maxBody bounds a request. The longest has some 500 bytes.
const maxBody = 16 << 10

// farthest bounds how far the clock is moved: what is signed then is still a date that every verifier can read.
const farthest = 100 * 365 * 24 * time.Hour

// New returns the handler of the control listener.
func New(config Config) (http.Handler, error) {
	if config.Chaos == nil || config.Quotas == nil || config.Clock == nil {
		return nil, errors.New("control: Config has a nil member")
	}
	h := &handler{config}
	mux := http.NewServeMux()
	for _, route := range []struct {
		pattern string
		serve   func(body []byte) (any, error)
	}{
		{"GET /chaos", h.chaos}, {"PUT /chaos", h.setChaos},
		{"GET /quotas", h.quotas}, {"PUT /quotas", h.setQuotas},
		{"GET /clock", h.clock}, {"POST /clock", h.setClock},
	} {
		mux.HandleFunc(route.pattern, func(w http.ResponseWriter, r *http.Request) { answer(w, r, route.serve) })
	}
	return guard(mux), nil
}

// CheckAddress says what is wrong with the address of a control listener.
func CheckAddress(hostport string) error {
	host, _, err := net.SplitHostPort(hostport)
	if err != nil {
		return fmt.Errorf("control: the address %q is not of the form localhost:8082", hostport)
	}
	if !local(host) {
		return fmt.Errorf("control: the address %q is reached from other machines: whoever reaches it decides when tokens end; name localhost", hostport)
	}
	return nil
}

func local(host string) bool {
	addr, err := netip.ParseAddr(host)
	return strings.EqualFold(host, "localhost") || err == nil && addr.IsLoopback()
}

// guard refuses what a web page in this machine's browser could send: a name that an attacker points at this machine shows
// in Host (DNS rebinding), a request of a page shows in Origin and Sec-Fetch-Site.
func guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host := r.Host
		if name, _, err := net.SplitHostPort(host); err == nil {
			host = name
		}
		switch site := r.Header.Get("Sec-Fetch-Site"); {
		case !local(strings.Trim(host, "[]")):
			refuse(w, http.StatusForbidden, "the Host is not a name of this machine")
		case len(r.Header.Values("Origin")) > 0 || site != "" && site != "none":
			refuse(w, http.StatusForbidden, "this is not for web pages")
		default:
			next.ServeHTTP(w, r)
		}
	})
}

func refuse(w http.ResponseWriter, status int, text string) {
	write(w, status, map[string]string{"error": text})
}

func write(w http.ResponseWriter, status int, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		status, body = http.StatusInternalServerError, []byte(`{"error":"the answer cannot be written"}`)
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_, _ = w.Write(append(body, '\n'))
}

func answer(w http.ResponseWriter, r *http.Request, serve func([]byte) (any, error)) {
	var body []byte
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		// A form or plain text is what a page can send to another origin without asking first.
		if media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || media != "application/json" {
			refuse(w, http.StatusUnsupportedMediaType, "the content type must be application/json")
			return
		}
		var err error
		if body, err = io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody)); err != nil {
			refuse(w, http.StatusRequestEntityTooLarge, "the body could not be read, or is larger than 16 KiB")
			return
		}
	}
	out, err := serve(body)
	if err != nil {
		refuse(w, http.StatusBadRequest, strings.ReplaceAll(err.Error(), "\n", "; "))
		return
	}
	write(w, http.StatusOK, out)
}

// decode reads a body strictly: a misspelt member would be a fault that somebody waits for.
func decode(body []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return fmt.Errorf("the body is not of the documented form: %w", err)
	}
	if _, err := d.Token(); err != io.EOF {
		return errors.New("the body has more than one JSON value")
	}
	return nil
}

type chaosState struct {
	Chaos    string `json:"chaos"`
	Seed     uint64 `json:"seed"`
	Requests uint64 `json:"requests"` // that the plan has decided about
}

func (h *handler) chaos([]byte) (any, error) {
	plan, n := h.config.Chaos.Plan()
	return chaosState{plan.String(), plan.Seed(), n}, nil
}

func (h *handler) setChaos(body []byte) (any, error) {
	var in struct {
		Chaos *string `json:"chaos"`
		Seed  uint64  `json:"seed"`
	}
	if err := decode(body, &in); err != nil {
		return nil, err
	}
	if in.Chaos == nil {
		return nil, errors.New(`chaos is missing; "" is the plan without faults`)
	}
	plan, err := chaos.Parse(*in.Chaos, in.Seed)
	if err != nil {
		return nil, err
	}
	h.config.Chaos.SetPlan(plan)
	return h.chaos(nil)
}

func (h *handler) quotas([]byte) (any, error) { return h.config.Quotas.Rates(), nil }

// setQuotas takes "aws", "off" or an object of rates; what the object leaves out has no limit.
func (h *handler) setQuotas(body []byte) (any, error) {
	var name *string
	if json.Unmarshal(body, &name) == nil && name != nil {
		rates, err := ParseQuotas(*name)
		if err != nil {
			return nil, err
		}
		h.config.Quotas.SetRates(rates)
		return rates, nil
	}
	var rates *cognito.Rates
	if err := decode(body, &rates); err != nil {
		return nil, err
	}
	if rates == nil || !rates.Valid() {
		return nil, errors.New("a rate is from 0, for no limit, to 1000000")
	}
	h.config.Quotas.SetRates(*rates)
	return *rates, nil
}

// ParseQuotas reads the name of a set of rates: aws or off.
func ParseQuotas(name string) (cognito.Rates, error) {
	switch name {
	case "aws":
		return cognito.AWSRates(), nil
	case "off", "":
		return cognito.Rates{}, nil
	}
	return cognito.Rates{}, errors.New("quotas are aws or off")
}

type clockState struct {
	Now    time.Time `json:"now"`
	Offset string    `json:"offset"` // how far ahead of this machine's clock
}

func (h *handler) clock([]byte) (any, error) {
	return clockState{h.config.Clock.Now().UTC().Truncate(time.Millisecond), h.config.Clock.Offset().Round(time.Millisecond).String()}, nil
}

func (h *handler) setClock(body []byte) (any, error) {
	var in struct {
		Now    *time.Time `json:"now"`
		Offset *string    `json:"offset"`
	}
	if err := decode(body, &in); err != nil {
		return nil, err
	}
	if (in.Now == nil) == (in.Offset == nil) {
		return nil, errors.New(`want one of now, such as "2026-03-04T12:00:00Z", and offset, such as "-2h"`)
	}
	var ahead time.Duration
	if in.Now != nil {
		ahead = time.Until(*in.Now)
	} else {
		var err error
		if ahead, err = time.ParseDuration(*in.Offset); err != nil {
			return nil, errors.New(`offset is not a duration such as "90m" or "-2h"; "0s" is this machine's time`)
		}
	}
	if ahead < -farthest || ahead > farthest {
		return nil, errors.New("the time is more than a hundred years away")
	}
	h.config.Clock.Move(ahead)
	return h.clock(nil)
}
