package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/countersign-dev/countersign/cmd/countersign/callers"
	"github.com/countersign-dev/countersign/cmd/countersign/dev"
	"github.com/countersign-dev/countersign/prove"
)

// credentialOptions are the flags of prove that say where its tokens come from. None of them takes a secret: every user of a
// machine can read a command line.
type credentialOptions struct {
	issuer   string
	clients  []string
	file     string
	expired  string // a file
	noTokens bool

	expiredToken string
}

func (o *credentialOptions) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&o.issuer, "issuer", "", "URL of the issuer that gives the tokens; its token endpoint comes from its discovery document (default: the running dev's)")
	flags.StringArrayVar(&o.clients, "client", nil, "a client, as NAME=PREFIX: the environment has PREFIX_CLIENT_ID, PREFIX_CLIENT_SECRET and, if they are not all, PREFIX_SCOPES; repeatable")
	flags.StringVar(&o.file, "clients", "", "file of clients in YAML or JSON, with mode 0600: issuer, and clients with client_id, client_secret and scopes")
	flags.StringVar(&o.expired, "expired", "", "file with an access token of the issuer that is over for five minutes at least: it must be refused, and only the issuer could make another")
	flags.BoolVar(&o.noTokens, "no-tokens", false, "send only what needs no token")
}

// ownClients says whether the tokens are not the running dev's.
func (o credentialOptions) ownClients() bool {
	return o.issuer != "" || len(o.clients) > 0 || o.file != ""
}

func (o credentialOptions) check() error {
	switch {
	case o.noTokens && o.ownClients():
		return errors.New("--no-tokens goes with neither --issuer, --client nor --clients")
	case o.issuer != "" && len(o.clients) == 0 && o.file == "":
		return errors.New("--issuer needs a client to ask for tokens: --client NAME=PREFIX or --clients FILE")
	}
	return nil
}

// maxTokenFile bounds what is read as a token: far above what any service accepts.
const maxTokenFile = 64 << 10

// readExpired reads the token that is over. It is good for nothing any more; errors do not have it all the same.
func (o credentialOptions) readExpired() (string, error) {
	if o.expired == "" {
		return "", nil
	}
	f, err := os.Open(o.expired)
	if err != nil {
		return "", fmt.Errorf("--expired: %w", err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxTokenFile))
	if err != nil {
		return "", fmt.Errorf("--expired: %w", err)
	}
	token := bareToken(string(data))
	if token == "" {
		return "", fmt.Errorf("--expired: %s is empty; keep a token there, as with: countersign token --client NAME > %s", o.expired, o.expired)
	}
	return token, nil
}

// bareToken is a token as people copy it: with Bearer in front, or without.
func bareToken(text string) string {
	token := strings.TrimSpace(text)
	if scheme, rest, _ := strings.Cut(token, " "); strings.EqualFold(scheme, "Bearer") {
		token = strings.TrimSpace(rest)
	}
	return token
}

// proofTokens are the tokens of a proof, and what is known of their issuer. The zero value has none.
type proofTokens struct {
	tokens prove.Tokens
	keys   *prove.Keys
}

// readCallers reads clients before anything is asked, so that a name misspelt costs no token.
func (o credentialOptions) readCallers() (issuer string, all []callers.Caller, err error) {
	var problems []error
	for _, text := range o.clients {
		caller, err := callers.FromEnv(text)
		if err != nil {
			problems = append(problems, fmt.Errorf("--client: %w", err))
			continue
		}
		all = append(all, caller)
	}
	issuer = o.issuer
	if o.file != "" {
		file, err := callers.ReadFile(o.file)
		if err != nil {
			problems = append(problems, fmt.Errorf("--clients: %w", err))
		}
		issuer = cmp.Or(issuer, file.Issuer)
		all = append(all, file.Callers...)
	}
	names := map[string]bool{}
	for _, caller := range all {
		if names[caller.Name] {
			problems = append(problems, fmt.Errorf("two clients are named %s", caller.Name))
		}
		names[caller.Name] = true
	}
	return issuer, all, errors.Join(problems...)
}

// ownTokens asks an issuer as clients of the user's.
func (o credentialOptions) ownTokens(ctx context.Context, policy proofPolicy, client *http.Client, stderr io.Writer) (proofTokens, error) {
	address, all, err := o.readCallers()
	if err != nil {
		return proofTokens{}, err
	}
	if address = cmp.Or(address, policy.Issuer); address == "" {
		return proofTokens{}, errors.New("the clients have no issuer; write --issuer URL, or issuer in the file of clients")
	}
	issuer, err := callers.NewIssuer(address, client)
	if err != nil {
		return proofTokens{}, fmt.Errorf("--issuer: %w", err)
	}
	minted, err := issuer.Tokens(ctx, all)
	if err != nil {
		return proofTokens{}, err
	}
	return proofTokens{onceEach{Tokens: minted, have: map[string]string{}}, fetchKeys(ctx, address, client, stderr)}, nil
}

// devTokens asks the running dev's issuer as each of its clients.
func devTokens(ctx context.Context, state dev.State, running dev.Running, probe bool, client *http.Client, stderr io.Writer) (proofTokens, error) {
	admin, err := dev.OpenAdmin(state, running)
	if err != nil {
		return proofTokens{}, err
	}
	minted, err := admin.Tokens(ctx, probe)
	if err != nil {
		return proofTokens{}, err
	}
	return proofTokens{onceEach{Tokens: minted, have: map[string]string{}}, fetchKeys(ctx, running.Issuer, client, stderr)}, nil
}

// fetchKeys reads the keys that bad tokens abuse. Without them there are fewer of those, and a proof all the same.
func fetchKeys(ctx context.Context, issuer string, client *http.Client, stderr io.Writer) *prove.Keys {
	keys, err := prove.FetchKeys(ctx, issuer, client)
	if err != nil && ctx.Err() == nil {
		fmt.Fprintf(stderr, "note: %v; the bad tokens that abuse the issuer's public key are not sent\n", err)
	}
	return keys
}
