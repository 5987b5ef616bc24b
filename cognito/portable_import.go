package cognito

import (
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
// ids that it has there. Without signing keys in the document the pool gets new ones. The error is always an [APIError].
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

// check holds every part to what the API would take for it.
func (f *poolFile) check() error {
	p := f.UserPool
	if err := check(createPoolShape, CreateUserPoolInput{
		PoolName: p.Name, DeletionProtection: p.DeletionProtection, MfaConfiguration: p.MfaConfiguration, UserPoolTier: p.UserPoolTier,
		IssuerConfiguration: p.IssuerConfiguration, UserPoolTags: p.UserPoolTags, PoolSettings: p.PoolSettings,
	}); err != nil {
		return err
	}
	if err := check(poolShape, DescribeUserPoolInput{p.ID}); err != nil {
		return err
	}
	for i := range f.Domains {
		if err := f.Domains[i].checkImport(p.ID); err != nil {
			return err
		}
	}
	for _, rs := range f.ResourceServers {
		if rs.UserPoolID != p.ID {
			return otherPool(rs.UserPoolID)
		}
		if err := check(putResourceServerShape, CreateResourceServerInput(rs)); err != nil {
			return err
		}
	}
	for i := range f.Clients {
		if err := f.Clients[i].checkImport(p.ID); err != nil {
			return err
		}
	}
	return f.checkKeys()
}

func otherPool(id string) error {
	return apiError(CodeInvalidParameter, "The document has a part of another user pool, %s.", clip(id))
}

func (d *DomainDescription) checkImport(poolID string) error {
	if d.UserPoolID != poolID {
		return otherPool(d.UserPoolID)
	}
	return checkDomainName(d.Domain, d.CustomDomainConfig != nil)
}

func (c *clientFile) checkImport(poolID string) error {
	c.adopt()
	if c.UserPoolID != poolID {
		return otherPool(c.UserPoolID)
	}
	if err := check(clientShape, DescribeUserPoolClientInput{poolID, c.ClientID}); err != nil {
		return err
	}
	if len(c.Secrets) > maxSecrets {
		return apiError(CodeLimitExceeded, "App client %s has more than %d secrets.", c.ClientID, maxSecrets)
	}
	for _, s := range c.Secrets {
		if s.ID == "" {
			return apiError(CodeInvalidParameter, "A secret of app client %s has no ID.", c.ClientID)
		}
		in := CreateUserPoolClientInput{UserPoolID: poolID, ClientName: c.ClientName, ClientSecret: Secret(s.Value)}
		if err := check(createClientShape, in); err != nil {
			return err
		}
	}
	return check(createClientShape, CreateUserPoolClientInput{UserPoolID: poolID, ClientName: c.ClientName, ClientSettings: c.ClientSettings})
}

func (f *poolFile) checkKeys() error {
	if len(f.SigningKeys) == 0 {
		return nil
	}
	if len(f.SigningKeys) > MaxKeys {
		return apiError(CodeLimitExceeded, "The document has more than %d signing keys.", MaxKeys)
	}
	access := false
	for _, b := range f.SigningKeys {
		k, err := b.signingKey()
		if err == nil {
			_, err = parseKey(b.PKCS8) // all of it, and not its public half only
		}
		if err != nil {
			return apiError(CodeInvalidParameter, "A signing key cannot be read.")
		}
		// The id is in every token's header; one that is not of this key would make two keys one.
		if id, err := keyID(k.signer.Public()); err != nil || id != b.ID {
			return apiError(CodeInvalidParameter, "The ID of a signing key is not that of the key.")
		}
		access = access || b.Use == accessKey
	}
	if !access {
		return apiError(CodeInvalidParameter, "The document has signing keys, and none of them is for access tokens.")
	}
	return nil
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
	if old != nil {
		d.clear(old, len(f.SigningKeys) > 0)
	}
	out := ImportResult{PoolID: id}
	keys := f.SigningKeys
	if len(keys) == 0 && old == nil {
		keys = fresh
	}
	for _, k := range keys {
		d.put(KindKey, id, k.ID, k)
	}
	pool := poolBody{UserPool: f.UserPool, MFA: f.MfaSettings}
	pool.setDefaults()
	d.put(KindPool, id, id, pool)
	for _, domain := range f.Domains {
		d.put(KindDomain, id, domain.Domain, domain)
	}
	for _, rs := range f.ResourceServers {
		d.put(KindResourceServer, id, rs.Identifier, rs)
	}
	for _, c := range f.Clients {
		b, renewed := c.body(d.view.clients.get(c.ClientID))
		if renewed {
			out.NewSecrets = append(out.NewSecrets, c.ClientID)
		}
		d.put(KindClient, id, c.ClientID, b)
	}
	return out, nil
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
			return apiError(CodeInvalidParameter, "Domain already associated with another user pool.")
		}
	}
	return nil
}

// clear removes what belongs to the pool.
func (d *draft) clear(p *pool, keys bool) {
	for _, c := range p.clients {
		d.remove(KindClient, p.ID, c.ClientID)
	}
	for _, id := range slices.Sorted(maps.Keys(p.servers)) {
		d.remove(KindResourceServer, p.ID, id)
	}
	for _, name := range slices.Sorted(maps.Keys(p.domains)) {
		d.remove(KindDomain, p.ID, name)
	}
	for _, k := range p.keys {
		if keys {
			d.remove(KindKey, p.ID, k.id)
		}
	}
}

// body is the client as it is stored. A secret whose value the document does not have keeps the one that it had, or gets one.
func (c *clientFile) body(old *client) (b clientBody, renewed bool) {
	b.UserPoolClient = c.UserPoolClient
	b.ClientSecret = ""
	for _, s := range c.Secrets {
		if s.Value == "" && old != nil {
			s.Value = old.valueOf(s.ID)
		}
		if s.Value == "" {
			s.Value, renewed = newClientSecret().Reveal(), true
		}
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
