package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/countersign-dev/countersign/cmd/countersign/serve"
	"github.com/countersign-dev/countersign/cognito"
)

func newIssuerKeys() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "keys",
		Short: "List and rotate the signing keys of user pools",
		Long: `Lists and rotates the signing keys of user pools, in the store that the configuration file names. An issuer that runs on
the store follows within a second, as do its replicas.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newIssuerKeysList(), newIssuerKeysRotate())
	return cmd
}

func newIssuerKeysList() *cobra.Command {
	var config issuerConfig
	var pool, output string
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the signing keys of user pools",
		Long: `Lists the keys in the key set of each user pool: the one that signs, the one that will sign next, and those whose last
token still lives. A running issuer need not be there.

Exit codes: 0 listed, 2 the store could not be read.`,
		Example: `  countersign issuer keys list
  countersign issuer keys list --pool ap-southeast-1_AbCdEf123 --output json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := checkOutput(output, textOrJSON...); err != nil {
				return err
			}
			keys, err := listKeys(cmd, config, pool)
			if err != nil {
				return err
			}
			return printKeys(cmd.OutOrStdout(), output, keys)
		},
	}
	config.add(cmd)
	cmd.Flags().StringVar(&pool, "pool", "", "id of one user pool (default: all)")
	addOutput(cmd, &output, textOrJSON...)
	return cmd
}

func listKeys(cmd *cobra.Command, config issuerConfig, pool string) ([]cognito.Key, error) {
	c, err := config.load()
	if err != nil {
		return nil, err
	}
	service, closer, err := serve.OpenService(cmd.Context(), c)
	if err != nil {
		return nil, err
	}
	defer closer.Close()
	return keysOf(service, pool)
}

// keysOf returns the keys of one pool or of all.
func keysOf(service *cognito.Service, pool string) ([]cognito.Key, error) {
	all := []cognito.Key{}
	for _, id := range poolsOf(service, pool) {
		keys, err := service.Keys(id)
		if err != nil {
			return nil, plain(err)
		}
		all = append(all, keys...)
	}
	return all, nil
}

// poolsOf is one user pool, or all.
func poolsOf(service *cognito.Service, pool string) []string {
	if pool != "" {
		return []string{pool}
	}
	return service.PoolIDs()
}

// plain is an operation's error in the words that it has for a person.
func plain(err error) error {
	var e *cognito.APIError
	if errors.As(err, &e) && e.Err == nil {
		return errors.New(e.Message)
	}
	return err
}

func newIssuerKeysRotate() *cobra.Command {
	var config issuerConfig
	var in cognito.RotateKeyInput
	var output string
	cmd := &cobra.Command{
		Use:   "rotate",
		Short: "Give user pools a new signing key",
		Long: `Publishes a new key of each user pool, or of one. It signs two hours and five minutes later, when every cache of the key set
has it; the old one stays in the key set for 26 hours after that, until the last of its tokens has ended. Nothing fails meanwhile.
A pool whose next key is published already gets no other one.

With --now the new key signs at once. A verifier that keeps the key set, and does not ask again for a key id that it does
not know, refuses tokens until it does: Amazon API Gateway for up to two hours.

With --now --remove-others the old keys leave the key set too, as after a theft: every token that they signed stops being valid.

Exit codes: 0 done, 2 it could not be done.`,
		Example: `  countersign issuer keys rotate
  countersign issuer keys rotate --pool ap-southeast-1_AbCdEf123
  countersign issuer keys rotate --pool ap-southeast-1_AbCdEf123 --now --remove-others   # the key was stolen`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if in.RemoveOthers && (!in.Now || in.UserPoolID == "") {
				return errors.New("--remove-others goes with --now and --pool: it ends every token of that pool")
			}
			if err := checkOutput(output, textOrJSON...); err != nil {
				return err
			}
			keys, err := rotateKeys(cmd, config, in)
			if err != nil {
				return err
			}
			return printKeys(cmd.OutOrStdout(), output, keys)
		},
	}
	config.add(cmd)
	flags := cmd.Flags()
	flags.StringVar(&in.UserPoolID, "pool", "", "id of one user pool (default: all)")
	flags.BoolVar(&in.Now, "now", false, "let the new key sign at once; some verifiers refuse its tokens for a while")
	flags.BoolVar(&in.RemoveOthers, "remove-others", false, "take the old keys out of the key set, and so end all tokens that live")
	addOutput(cmd, &output, textOrJSON...)
	return cmd
}

func rotateKeys(cmd *cobra.Command, config issuerConfig, in cognito.RotateKeyInput) ([]cognito.Key, error) {
	c, err := config.load()
	if err != nil {
		return nil, err
	}
	service, closer, err := serve.OpenService(cmd.Context(), c)
	if err != nil {
		return nil, err
	}
	defer closer.Close()
	keys := []cognito.Key{}
	for _, in.UserPoolID = range poolsOf(service, in.UserPoolID) {
		key, err := service.RotateKey(asCommand(cmd.Context()), in)
		if err != nil {
			return nil, fmt.Errorf("user pool %s: %w", in.UserPoolID, plain(err))
		}
		keys = append(keys, key)
	}
	return keys, nil
}

// asCommand makes the changes of a command show as such in the audit trail.
func asCommand(ctx context.Context) context.Context {
	return cognito.WithActor(ctx, "", cognito.Actor{User: "command line"})
}

// keyLine is a key in JSON, as docs/issuer.md has it.
type keyLine struct {
	Pool      string     `json:"pool"`
	ID        string     `json:"kid"`
	Algorithm string     `json:"alg"`
	State     string     `json:"state"`
	Created   time.Time  `json:"created"`
	Signs     *time.Time `json:"signs"`
	Retires   *time.Time `json:"retires"`
}

func printKeys(w io.Writer, output string, keys []cognito.Key) error {
	lines := make([]keyLine, len(keys))
	for i, k := range keys {
		lines[i] = keyLine{k.PoolID, k.ID, k.Algorithm, string(k.State), k.Created.UTC(), optional(k.Signs), optional(k.Retires)}
	}
	if output == "json" {
		return encodeIndented(w, map[string]any{"keys": lines})
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "POOL\tKEY\tALG\tSTATE\tSIGNS FROM\tRETIRES")
	for _, l := range lines {
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\n", l.Pool, l.ID, l.Algorithm, l.State, shown(l.Signs), shown(l.Retires))
	}
	return table.Flush()
}

func optional(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}

func shown(t *time.Time) string {
	if t == nil {
		return "-"
	}
	return t.Format(time.RFC3339)
}
