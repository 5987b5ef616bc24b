package main

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/pflag"

	"github.com/countersign-dev/countersign/cmd/countersign/chaos"
	"github.com/countersign-dev/countersign/cmd/countersign/control"
	"github.com/countersign-dev/countersign/cmd/countersign/dev"
	"github.com/countersign-dev/countersign/cognito"
)

// steeringFlags are the flags of dev that make its issuer a harder one.
type steeringFlags struct {
	chaos, quotas, control string
	seed                   uint64
	hooks                  []string
	aws, lenient           bool
}

func (f *steeringFlags) add(flags *pflag.FlagSet) {
	flags.StringVar(&f.chaos, "chaos", "", `percentages of token, key set and discovery requests that fail, such as "slow=10,500=2,429=2,unknown-kid=1,truncated=1"`)
	flags.Uint64Var(&f.seed, "chaos-seed", 1, "seed of --chaos: the n-th request has the same fate each time")
	flags.StringVar(&f.quotas, "quotas", "off", "aws: answer 429 and TooManyRequestsException above AWS's rates")
	flags.StringVar(&f.control, "control-addr", "", "loopback address of a listener that sets faults, quotas and the issuer's clock, such as localhost:8082 (default: none)")
	flags.StringArrayVar(&f.hooks, "hook", nil, "URL of the pre token generation trigger that a pool's LambdaConfig names, as ARN=URL")
	flags.BoolVar(&f.lenient, "ignore-disallowed-scopes", false, "leave scopes that a client does not have out of its token, where otherwise it gets invalid_scope")
	flags.BoolVar(&f.aws, "aws-issuer", false, "issuer URLs are AWS's own; the issuer's address is the HTTPS proxy for them")
}

// into checks the flags and puts them into the configuration; it says every problem at once.
func (f *steeringFlags) into(cfg *dev.Config, once bool) error {
	plan, err := chaos.Parse(f.chaos, f.seed)
	problems := []error{flagError("--chaos", err)}
	rates, err := control.ParseQuotas(f.quotas)
	problems = append(problems, flagError("--quotas "+f.quotas, err))
	if once && (plan.String() != "" || rates != cognito.Rates{}) {
		problems = append(problems, errors.New("--chaos and --quotas begin after the proof, and --once ends there; leave one of them out"))
	}
	if f.control != "" {
		problems = append(problems, flagError("--control-addr", control.CheckAddress(f.control)))
	}
	hooks := make(map[string]cognito.PreTokenHook)
	for _, text := range f.hooks {
		arn, url, found := strings.Cut(text, "=")
		hook, err := cognito.NewWebhook(cognito.WebhookConfig{URL: url})
		switch {
		case !found || !strings.HasPrefix(arn, "arn:"):
			err = errors.New("not of the form ARN=URL, such as arn:aws:lambda:ap-southeast-1:000000000000:function:claims=http://localhost:9000/claims")
		case hooks[arn] != nil:
			err = fmt.Errorf("%s is there twice", arn)
		}
		problems = append(problems, flagError("--hook", err))
		hooks[arn] = hook
	}
	cfg.Steering = dev.Steering{Chaos: plan, Quotas: rates, ControlAddr: f.control, Hooks: hooks, AWSIssuer: f.aws, Lenient: f.lenient}
	return errors.Join(problems...)
}

func flagError(flag string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", flag, err)
}

// warn says beforehand why no token will come, if that is so: the state may have a pool of an earlier start with --hook.
func (f *steeringFlags) warn(w io.Writer, s *dev.System) {
	if arn := s.UncalledTrigger(); arn != "" {
		fmt.Fprintf(w, "countersign: the user pool's LambdaConfig names %s, and nothing answers for it, so that no token is issued: start with --hook %s=URL, or take it out with aws cognito-idp update-user-pool\n", arn, arn)
	}
}

// print says what is not as usual, once it has begun.
func (f *steeringFlags) print(w io.Writer, r dev.Running) {
	if r.ProxyURL != "" {
		fmt.Fprintf(w, "AWS's hosts are answered for by the proxy %s; the variables of env use it.\n", r.ProxyURL)
	}
	if f.chaos != "" {
		fmt.Fprintf(w, "Faults have begun: %s, seed %d.\n", f.chaos, f.seed)
	}
	if f.quotas == "aws" {
		fmt.Fprintln(w, "AWS's quotas hold.")
	}
	if r.ControlURL != "" {
		fmt.Fprintf(w, "Control: %s\n", r.ControlURL)
	}
}
