package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/countersign-dev/countersign/cmd/countersign/aws"
	"github.com/countersign-dev/countersign/cmd/countersign/deploy"
	"github.com/countersign-dev/countersign/cmd/countersign/manifests"
	"github.com/countersign-dev/countersign/cmd/countersign/provision"
)

// insistOnAccount is before everything else: what is looked for in another account is not found, and so taken for gone.
func (d *destroyer) insistOnAccount(ctx context.Context) error {
	if d.cfg.Pool.Account == "" {
		return nil
	}
	loaded, err := aws.Load(ctx, aws.Options{Region: d.cfg.Pool.Region})
	if err != nil {
		return err
	}
	d.account, err = accountOf(ctx, d.cfg, loaded)
	return err
}

func (d *destroyer) findImages(ctx context.Context) {
	repository := d.cfg.Image.Repository
	if repository == "" {
		return
	}
	what := "the image repository " + repository
	if d.keeps("images") {
		d.left = append(d.left, leftover{what, "--keep images", true})
		return
	}
	d.steps.line.say("looking at " + repository + " …")
	registry := imageFlags{endpoint: d.endpoint}.registry()
	found, err := registry.FindRepository(ctx, repository)
	switch {
	case err != nil:
		d.leave(what, err.Error())
	case !found.ECR:
		d.leave(what, "its registry is not Amazon ECR; remove it there")
	case !found.Found:
	case found.Service != d.cfg.Service.Name:
		d.leave(what, fmt.Sprintf("it is not tagged %s=%s: countersign did not make it for this service", aws.ServiceTag, d.cfg.Service.Name))
	case found.Images > 0 && !d.deleteImages:
		d.leave(what, fmt.Sprintf("it has %s; --delete-images removes them with it", count(found.Images, "image")))
	default:
		what += " with " + count(found.Images, "image")
		d.goes("images", what, func(ctx context.Context) (string, error) {
			return what, registry.DeleteRepository(ctx, repository, d.deleteImages)
		})
	}
}

// findAWS finds secrets and pool. Without AWS credentials neither is known, and nothing of them goes.
func (d *destroyer) findAWS(ctx context.Context) {
	if d.keeps("secrets") {
		d.left = append(d.left, leftover{"the clients' credentials", "--keep secrets", true})
	}
	if d.keeps("pool") {
		d.left = append(d.left, leftover{"the user pool " + d.cfg.Pool.Name, "--keep pool", true})
	}
	if d.keeps("secrets") && d.keeps("pool") {
		return
	}
	d.steps.line.say("looking at AWS …")
	loaded, err := aws.Load(ctx, aws.Options{Region: d.cfg.Pool.Region})
	if err != nil {
		d.leave("secrets and user pool", err.Error())
		return
	}
	want, err := provision.NewWant(d.cfg, loaded.Region, false)
	if err != nil {
		d.leave("secrets and user pool", err.Error())
		return
	}
	if d.account == "" {
		d.account, _ = accountOf(ctx, d.cfg, loaded) // insistOnAccount has insisted
	}
	t := provision.NewTarget(loaded, false, 30*time.Second)
	pool, err := deploy.FindPool(ctx, t, want)
	if !d.keeps("secrets") {
		d.findSecrets(ctx, secretsmanager.NewFromConfig(loaded), t, want, pool, d.poolStays(pool, err))
	}
	if !d.keeps("pool") {
		d.findPool(t, want, pool, err)
	}
}

// poolStays says why the secrets of the pool's clients stay: what calls with them goes on as long as the clients are there. It is "" where the
// pool goes, or is gone.
func (d *destroyer) poolStays(pool *deploy.Pool, err error) string {
	switch {
	case err != nil:
		return "whether the user pool of its client goes is not known"
	case pool == nil || pool.Why == "" && !d.keeps("pool") && (d.deletePool || !pool.Protected):
		return ""
	}
	return "the user pool stays, and with it the client whose credentials these are"
}

func (d *destroyer) findSecrets(ctx context.Context, client *secretsmanager.Client, t provision.Target, want provision.Want, pool *deploy.Pool, stays string) {
	for _, c := range want.Clients {
		name := c.Secret.SecretsManager
		if name == "" {
			if c.Secret.Kubernetes == "" { // which goes with the namespace
				place, _ := provision.NewPlaces(d.cfg, false, nil, want.Region).Of(c)
				d.left = append(d.left, leftover{"the credentials of " + c.Name, "they are in " + place.String() + "; they end with the pool", true})
			}
			continue
		}
		secret, err := deploy.FindSecret(ctx, client, t, name, want.Service, pool)
		what := "the secret " + name
		switch {
		case err != nil:
			d.leave(what, err.Error())
		case secret == nil:
		case secret.Why != "":
			d.leave(what, secret.Why)
		case !secret.Until.IsZero():
			d.left = append(d.left, leftover{what, "it goes on " + secret.Until.Format(time.DateOnly) + ", as was settled before", true})
		case stays != "":
			d.left = append(d.left, leftover{what, stays, d.keeps("pool")})
		default:
			d.goes("secret", what, func(ctx context.Context) (string, error) {
				until, err := deploy.DeleteSecret(ctx, client, want.Region, name, d.recoveryDays)
				return what + ", which can be restored until " + until.Format(time.DateOnly), err
			})
		}
	}
}

func (d *destroyer) findPool(t provision.Target, want provision.Want, pool *deploy.Pool, err error) {
	what := "the user pool " + want.Pool.Name
	switch {
	case err != nil:
		d.leave(what, err.Error())
		return
	case pool == nil:
		return
	}
	what += " (" + pool.ID + ")"
	switch {
	case pool.Why != "":
		d.leave(what, pool.Why)
		return
	case pool.Protected && !d.deletePool:
		d.leave(what, "its deletion protection is on; --delete-pool removes it all the same")
		return
	}
	for _, domain := range pool.Domains {
		what := "the domain " + domain + " of the user pool"
		d.goes("domain", what, func(ctx context.Context) (string, error) { return what, pool.DeleteDomain(ctx, t, domain) })
	}
	what += " with its clients and scopes"
	d.goes("pool", what, func(ctx context.Context) (string, error) { return what, pool.Delete(ctx, t) })
}

// removeObjects removes what deploy applies, by its manifest: so no kind is asked for that the cluster does not know. What closes the namespace
// for every pod in it stays where another service relies on it.
func (d *destroyer) removeObjects(ctx context.Context, shared bool) error {
	cfg := *d.cfg
	if cfg.Image.Repository == "" {
		cfg.Image.Repository = "registry.invalid/" + cfg.Service.Name
	}
	options := manifests.Options{}
	if cfg.Pool.ID == "" {
		options.Issuer = "https://issuer.invalid" // the objects are known by their names
	}
	objects, err := options.Render(&cfg, cfg.Image.Repository+"@"+anyDigest)
	if err != nil {
		return errors.Join(errors.New("the objects' names come from the file, which has a mistake"), err)
	}
	var own []manifests.Object
	for _, o := range objects {
		if o.Kind != "Namespace" && !(shared && o.Name == manifests.DefaultDeny) {
			own = append(own, o)
		}
	}
	var text bytes.Buffer
	if err := manifests.Encode(&text, own); err != nil {
		return err
	}
	err = d.kubectl.DeleteObjects(ctx, text.Bytes(), d.timeout)
	if err != nil && strings.Contains(err.Error(), "no matches for kind") {
		return fmt.Errorf("the cluster does not know a kind of the objects; the others are removed: %w", err)
	}
	return err
}
