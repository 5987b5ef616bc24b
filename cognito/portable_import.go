package cognito

import (
	"cmp"
	"context"
	"maps"
	"slices"
)

// ImportOptions say how [Service.ImportPool] treats what is there.
type ImportOptions struct {
	// Replace takes the place of a pool of the same id, with all that belongs to it but its signing keys, which stay unless the
	// document has some.
	Replace bool
}

// ImportResult says what came of an import.
type ImportResult struct {
	PoolID string
	// NewSecrets are the ids of clients of which the document says that they have a secret, and not which: they have a new one.
	NewSecrets []string
}

// ImportPool makes the user pool that the document describes, as [Service.ExportPool] and [PoolDocument] write it, with the
// ids that it has there. Without signing keys in the document the pool gets new ones, and what else it does not say is as in
// a new pool. It is held to the rules of the API. The error is always an [APIError], and names the part that is wrong.
func (s *Service) ImportPool(ctx context.Context, document []byte, o ImportOptions) (ImportResult, error) {
	file, err := readPoolFile(document)
	if err != nil {
		return ImportResult{}, err
	}
	if err := file.check(); err != nil {
		return ImportResult{}, err
	}
	var fresh []keyBody
	if len(file.SigningKeys) == 0 {
		if fresh, err = generateKeys(s.config.newKeyOf(file.UserPool.Name, file.UserPool.ID)); err != nil {
			return ImportResult{}, internalError(err)
		}
	}
	return write(ctx, s, func(d *draft) (ImportResult, error) {
		d.operation = "ImportPool"
		return d.importPool(file, fresh, o)
	})
}

func (d *draft) importPool(f *poolFile, fresh []keyBody, o ImportOptions) (ImportResult, error) {
	id := f.UserPool.ID
	old := d.view.pools[id]
	switch {
	case old != nil && !o.Replace:
		return ImportResult{}, apiError(CodeInvalidParameter, "User pool %s exists already.", id)
	case old == nil && len(d.view.pools) >= maxPools:
		return ImportResult{}, apiError(CodeLimitExceeded, "The maximum number of user pools of the account was reached.")
	}
	if err := d.checkTaken(f); err != nil {
		return ImportResult{}, err
	}
	out := ImportResult{PoolID: id}
	keys := f.SigningKeys
	if len(keys) == 0 && old == nil {
		keys = fresh
	}
	for _, k := range keys {
		d.put(KindKey, id, k.ID, k)
	}
	d.put(KindPool, id, id, f.pool(d.now))
	for _, domain := range f.Domains {
		d.put(KindDomain, id, domain.Domain, d.complete(domain))
	}
	for _, rs := range f.ResourceServers {
		d.put(KindResourceServer, id, rs.Identifier, rs)
	}
	for _, c := range f.Clients {
		b, renewed := c.body(d.view.clients.get(c.ClientID), d.now)
		if renewed {
			out.NewSecrets = append(out.NewSecrets, c.ClientID)
		}
		d.put(KindClient, id, c.ClientID, b)
	}
	if old != nil {
		d.removeOthers(old, len(f.SigningKeys) > 0)
	}
	return out, nil
}

// pool is the pool as it is stored. What follows from its parts and its place is left to those.
func (f *poolFile) pool(now Time) poolBody {
	p := poolBody{UserPool: f.UserPool, MFA: withoutNulls(f.MfaSettings)}
	p.PoolCreateSettings = withoutNulls(p.PoolCreateSettings)
	p.ARN, p.Domain, p.CustomDomain, p.EstimatedNumberOfUsers = "", "", "", 0
	p.CreationDate = dated(p.CreationDate, now)
	p.LastModifiedDate = dated(p.LastModifiedDate, p.CreationDate)
	p.setDefaults()
	if len(p.SchemaAttributes) == 0 {
		p.PoolCreateSettings = p.withStandardAttributes()
	}
	p.Schema = nil
	return p
}

// dated is the date, or another one where the document has none: a person who writes one by hand has better things to do.
func dated(date, otherwise Time) Time {
	if date.IsZero() {
		return otherwise
	}
	return date
}

// complete gives a domain what the document does not say of it. Without a Status, for one, Terraform takes it for missing.
func (d *draft) complete(domain DomainDescription) DomainDescription {
	made := d.newDomain(CreateUserPoolDomainInput{Domain: domain.Domain, UserPoolID: domain.UserPoolID})
	domain.AWSAccountID = cmp.Or(domain.AWSAccountID, made.AWSAccountID)
	domain.CloudFrontDistribution = cmp.Or(domain.CloudFrontDistribution, made.CloudFrontDistribution)
	domain.Version = cmp.Or(domain.Version, made.Version)
	domain.Status = cmp.Or(domain.Status, made.Status)
	return domain
}

// checkTaken: the ids of clients and the names of domains are unique over all pools.
func (d *draft) checkTaken(f *poolFile) error {
	for _, c := range f.Clients {
		if other := d.view.clients.get(c.ClientID); other != nil && other.UserPoolID != f.UserPool.ID {
			return apiError(CodeInvalidParameter, "App client %s exists already, in user pool %s.", c.ClientID, other.UserPoolID)
		}
	}
	for _, domain := range f.Domains {
		if other := d.view.domains[domain.Domain]; other != nil && other.UserPoolID != f.UserPool.ID {
			return apiError(CodeInvalidParameter, "Domain %s: Domain already associated with another user pool.", domain.Domain)
		}
	}
	return nil
}

// removeOthers removes what belongs to the pool and is not put, its keys only if asked to.
func (d *draft) removeOthers(p *pool, keys bool) {
	put := make(map[identity]bool, len(d.changes))
	for _, r := range d.changes {
		put[identity{r.Kind, r.PoolID, r.ID}] = true
	}
	remove := func(kind Kind, id string) {
		if !put[identity{kind, p.ID, id}] {
			d.remove(kind, p.ID, id)
		}
	}
	for _, c := range p.clients {
		remove(KindClient, c.ClientID)
	}
	for _, id := range slices.Sorted(maps.Keys(p.servers)) {
		remove(KindResourceServer, id)
	}
	for _, name := range slices.Sorted(maps.Keys(p.domains)) {
		remove(KindDomain, name)
	}
	for _, k := range p.keys {
		if keys {
			remove(KindKey, k.id)
		}
	}
}

// body is the client as it is stored. A secret whose value the document does not have keeps the one that it had, or gets one.
func (c *clientFile) body(old *client, now Time) (b clientBody, renewed bool) {
	b.UserPoolClient = c.UserPoolClient
	b.ClientSecret = ""
	b.CreationDate = dated(b.CreationDate, now)
	b.LastModifiedDate = dated(b.LastModifiedDate, b.CreationDate)
	b.setDefaults()
	for _, s := range c.Secrets {
		if s.Value == "" && old != nil {
			s.Value = old.valueOf(s.ID)
		}
		if s.Value == "" {
			s.Value, renewed = newClientSecret().Reveal(), true
		}
		s.Created = dated(s.Created, b.CreationDate)
		b.Secrets = append(b.Secrets, secretBody(s))
	}
	return b, renewed
}

func (c *client) valueOf(id string) string {
	for _, s := range c.Secrets {
		if s.ID == id {
			return s.Value
		}
	}
	return ""
}
