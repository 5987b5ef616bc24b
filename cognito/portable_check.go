package cognito

import "slices"

// check holds every part of a document to what the API would take for it, and the parts to each other. The error says which
// part it is about.
//
// Two of the API's rules are left out, since pools of Amazon Cognito have reasons to break them: a client may name scopes that
// no resource server has any more, and an account may have been given more clients and resource servers than others.
func (f *poolFile) check() error {
	if err := at("UserPool", f.checkPool()); err != nil {
		return err
	}
	if err := f.checkDomains(); err != nil {
		return err
	}
	if err := f.checkResourceServers(); err != nil {
		return err
	}
	if err := f.checkClients(); err != nil {
		return err
	}
	return f.checkKeys()
}

// at says in an error which part of the document it is about.
func at(part string, err error) error {
	if err == nil {
		return nil
	}
	e := *asAPIError(err)
	e.Message = part + ": " + e.Message
	return &e
}

func twice(part string) error {
	return apiError(CodeInvalidParameter, "%s: The document has it more than once.", part)
}

func (f *poolFile) checkPool() error {
	p := f.UserPool
	atCreation := withoutNulls(p.PoolCreateSettings)
	if len(atCreation.SchemaAttributes) > 0 { // as answers have them; a request has Schema
		atCreation.Schema, atCreation.SchemaAttributes = nil, nil
	}
	for _, err := range []error{
		check(poolShape, DescribeUserPoolInput{p.ID}),
		check(createPoolShape, CreateUserPoolInput{
			PoolName: p.Name, DeletionProtection: p.DeletionProtection, MfaConfiguration: p.MfaConfiguration, UserPoolTier: p.UserPoolTier,
			IssuerConfiguration: p.IssuerConfiguration, UserPoolTags: p.UserPoolTags, PoolSettings: p.PoolSettings, PoolCreateSettings: atCreation,
		}),
		check(setMfaShape, SetUserPoolMfaConfigInput{UserPoolID: p.ID, MfaSettings: f.MfaSettings}),
		checkTags(p.UserPoolTags),
		p.checkTier(),
	} {
		if err != nil {
			return err
		}
	}
	return nil
}

func otherPool(id string) error {
	return apiError(CodeInvalidParameter, "It is a part of another user pool, %s.", clip(id))
}

// checkDomains: Cognito: a pool has one prefix domain and one custom domain at most.
func (f *poolFile) checkDomains() error {
	has := map[bool]bool{} // a domain, by whether it is a custom one
	for _, d := range f.Domains {
		if err := at("Domain "+clip(d.Domain), d.checkImport(f.UserPool.ID)); err != nil {
			return err
		}
		custom := d.CustomDomainConfig != nil
		if has[custom] {
			return apiError(CodeInvalidParameter, "Domain %s: User pool already has a domain configured.", d.Domain)
		}
		has[custom] = true
	}
	return nil
}

func (d *DomainDescription) checkImport(poolID string) error {
	if d.UserPoolID != poolID {
		return otherPool(d.UserPoolID)
	}
	if err := check(putDomainShape, CreateUserPoolDomainInput{
		Domain: d.Domain, UserPoolID: d.UserPoolID, ManagedLoginVersion: d.ManagedLoginVersion, CustomDomainConfig: d.CustomDomainConfig, Routing: d.Routing,
	}); err != nil {
		return err
	}
	return checkDomainName(d.Domain, d.CustomDomainConfig != nil)
}

func (f *poolFile) checkResourceServers() error {
	seen := map[string]bool{}
	for _, rs := range f.ResourceServers {
		part := "Resource server " + clip(rs.Identifier)
		switch {
		case rs.UserPoolID != f.UserPool.ID:
			return at(part, otherPool(rs.UserPoolID))
		case seen[rs.Identifier]:
			return twice(part)
		}
		seen[rs.Identifier] = true
		if err := check(putResourceServerShape, CreateResourceServerInput(rs)); err != nil {
			return at(part, err)
		}
		if err := checkScopeNames(rs.Scopes); err != nil {
			return at(part, err)
		}
	}
	return nil
}

func (f *poolFile) checkClients() error {
	seen := map[string]bool{}
	for i := range f.Clients {
		c := &f.Clients[i]
		part := "App client " + clip(c.ClientID)
		if seen[c.ClientID] {
			return twice(part)
		}
		seen[c.ClientID] = true
		if err := at(part, c.checkImport(f.UserPool.ID)); err != nil {
			return err
		}
	}
	return nil
}

func (c *clientFile) checkImport(poolID string) error {
	c.adopt()
	if c.UserPoolID != poolID {
		return otherPool(c.UserPoolID)
	}
	if err := check(clientShape, DescribeUserPoolClientInput{poolID, c.ClientID}); err != nil {
		return err
	}
	if err := check(createClientShape, CreateUserPoolClientInput{UserPoolID: poolID, ClientName: c.ClientName, ClientSettings: c.ClientSettings}); err != nil {
		return err
	}
	// Keys are retired when the longest token has ended: a longer one would not verify to its end.
	if err := checkValidity(c.ClientSettings); err != nil {
		return err
	}
	return c.checkSecrets()
}

func (c *clientFile) checkSecrets() error {
	if len(c.Secrets) > maxSecrets {
		return apiError(CodeLimitExceeded, "It has more than %d secrets.", maxSecrets)
	}
	for i, s := range c.Secrets {
		if s.ID == "" {
			return apiError(CodeInvalidParameter, "A secret has no ID.")
		}
		if slices.ContainsFunc(c.Secrets[:i], func(other secretFile) bool { return other.ID == s.ID }) {
			return apiError(CodeInvalidParameter, "Two secrets have one ID.")
		}
		if err := check(addSecretShape, AddUserPoolClientSecretInput{UserPoolID: c.UserPoolID, ClientID: c.ClientID, ClientSecret: Secret(s.Value)}); err != nil {
			return err
		}
	}
	return nil
}

func (f *poolFile) checkKeys() error {
	if len(f.SigningKeys) == 0 {
		return nil
	}
	if len(f.SigningKeys) > MaxKeys {
		return apiError(CodeLimitExceeded, "The document has more than %d signing keys.", MaxKeys)
	}
	seen, access := map[string]bool{}, false
	for _, b := range f.SigningKeys {
		part := "Signing key " + clip(b.ID)
		if seen[b.ID] {
			return twice(part)
		}
		seen[b.ID] = true
		if err := at(part, b.checkImport()); err != nil {
			return err
		}
		access = access || b.Use == accessKey
	}
	if !access {
		return apiError(CodeInvalidParameter, "The document has signing keys, and none of them is for access tokens.")
	}
	return nil
}

func (b keyBody) checkImport() error {
	k, err := b.signingKey()
	if err == nil {
		_, err = parseKey(b.PKCS8) // all of it, and not its public half only
	}
	if err != nil {
		return apiError(CodeInvalidParameter, "It cannot be read.")
	}
	// The id is in every token's header; one that is not of this key would make two keys one.
	if id, err := keyID(k.signer.Public()); err != nil || id != b.ID {
		return apiError(CodeInvalidParameter, "Its ID is not that of the key.")
	}
	if b.Use != accessKey && b.Use != idKey {
		return apiError(CodeInvalidParameter, "Its Use is neither %s nor %s.", accessKey, idKey)
	}
	return nil
}
