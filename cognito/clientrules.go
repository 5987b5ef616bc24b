package cognito

import (
	"slices"
	"time"
)

// maxClients: Cognito: 1,000 app clients in a pool, unless the account has asked for more.
const maxClients = 1000

// clientTokenAuth is the flow of GetClientToken.
const clientTokenAuth = "ALLOW_CLIENT_TOKEN_AUTH"

func (d *draft) createUserPoolClient(in CreateUserPoolClientInput) (CreateUserPoolClientOutput, error) {
	p, err := d.view.pool(in.UserPoolID)
	if err != nil {
		return CreateUserPoolClientOutput{}, err
	}
	if len(p.clients) >= maxClients {
		return CreateUserPoolClientOutput{}, apiError(CodeLimitExceeded, "The maximum number of app clients of the user pool was reached.")
	}
	if in.GenerateSecret && in.ClientSecret != "" {
		return CreateUserPoolClientOutput{}, apiError(CodeInvalidParameter, "GenerateSecret and ClientSecret cannot be given together.")
	}
	secret := in.ClientSecret
	if in.GenerateSecret {
		secret = newClientSecret()
	}
	if err := p.checkSettings(in.ClientSettings, secret != ""); err != nil {
		return CreateUserPoolClientOutput{}, err
	}
	b := clientBody{UserPoolClient: UserPoolClient{
		UserPoolID: p.ID, ClientName: in.ClientName, ClientID: newClientID(),
		CreationDate: d.now, LastModifiedDate: d.now, ClientSettings: in.ClientSettings,
	}}
	for d.view.clients.get(b.ClientID) != nil {
		b.ClientID = newClientID()
	}
	b.setDefaults()
	if secret != "" {
		b.addSecret(secret, d.now)
	}
	d.put(KindClient, p.ID, b.ClientID, b)
	return CreateUserPoolClientOutput{b.describe()}, nil
}

// updateUserPoolClient replaces all settings.
//
// Cognito: "If you don't provide a value for an attribute, Amazon Cognito sets it to its default value." The secrets
// and the creation date are no settings and stay.
func (d *draft) updateUserPoolClient(in UpdateUserPoolClientInput) (UpdateUserPoolClientOutput, error) {
	p, old, err := d.view.client(in.UserPoolID, in.ClientID)
	if err != nil {
		return UpdateUserPoolClientOutput{}, err
	}
	if err := p.checkSettings(in.ClientSettings, len(old.Secrets) > 0); err != nil {
		return UpdateUserPoolClientOutput{}, err
	}
	b := clientBody{UserPoolClient: UserPoolClient{
		UserPoolID: p.ID, ClientName: in.ClientName, ClientID: old.ClientID,
		CreationDate: old.CreationDate, LastModifiedDate: d.now, ClientSettings: in.ClientSettings,
	}, Secrets: old.Secrets}
	if b.ClientName == "" {
		b.ClientName = old.ClientName
	}
	b.setDefaults()
	d.noteReset(old.UserPoolClient, in, b.UserPoolClient)
	d.put(KindClient, p.ID, b.ClientID, b)
	return UpdateUserPoolClientOutput{b.describe()}, nil
}

func (d *draft) deleteUserPoolClient(in DeleteUserPoolClientInput) (EmptyOutput, error) {
	_, c, err := d.view.client(in.UserPoolID, in.ClientID)
	if err != nil {
		return EmptyOutput{}, err
	}
	d.remove(KindClient, c.UserPoolID, c.ClientID)
	return EmptyOutput{}, nil
}

// setDefaults gives what was omitted the value that Cognito's answers show for it.
func (b *clientBody) setDefaults() {
	if b.RefreshTokenValidity == 0 {
		b.RefreshTokenValidity = 30
		if u := b.TokenValidityUnits; u != nil && u.RefreshToken != "" {
			units := *u
			units.RefreshToken = "days"
			b.TokenValidityUnits = &units
		}
	}
	if b.EnableTokenRevocation == nil {
		yes := true
		b.EnableTokenRevocation = &yes
	}
	if b.AuthSessionValidity == 0 {
		b.AuthSessionValidity = 3
	}
	if b.TokenValidityUnits == nil {
		b.TokenValidityUnits = &TokenValidityUnits{}
	}
}

// checkSettings holds the rules that concern several settings at once; each setting alone was checked before.
func (p *pool) checkSettings(s ClientSettings, hasSecret bool) error {
	for _, rule := range []error{
		checkValidity(s),
		checkExplicitAuthFlows(s.ExplicitAuthFlows),
		p.checkIdentityProviders(s.SupportedIdentityProviders),
		checkOAuthFlows(s, hasSecret),
		p.checkScopes(s.AllowedOAuthScopes),
	} {
		if rule != nil {
			return rule
		}
	}
	return nil
}

// checkOAuthFlows: the texts are field observations, and so is that AllowedOAuthFlows without
// AllowedOAuthFlowsUserPoolClient is accepted: it is the token endpoint that refuses such a client.
func checkOAuthFlows(s ClientSettings, hasSecret bool) error {
	if slices.Contains(s.AllowedOAuthFlows, "client_credentials") {
		if slices.Contains(s.AllowedOAuthFlows, "code") || slices.Contains(s.AllowedOAuthFlows, "implicit") {
			return apiError(CodeInvalidOAuthFlow, "client_credentials flow can not be selected along with code flow or implicit flow.")
		}
		if !hasSecret {
			return apiError(CodeInvalidOAuthFlow, "client_credentials flow can not be selected if client does not have a client secret.")
		}
		for _, scope := range s.AllowedOAuthScopes {
			// Cognito: hashicorp/terraform-provider-aws#4984.
			if userScope(scope) {
				return apiError(CodeInvalidOAuthFlow, "%s is not supported with client_credentials flow", scope)
			}
		}
	}
	if s.AllowedOAuthFlowsUserPoolClient && (len(s.AllowedOAuthFlows) == 0 || len(s.AllowedOAuthScopes) == 0) {
		return apiError(CodeInvalidParameter, "AllowedOAuthFlows and AllowedOAuthScopes are required if user pool client is allowed to use OAuth flows.")
	}
	return nil
}

func checkExplicitAuthFlows(flows []string) error {
	legacy, allow := 0, 0
	for _, flow := range flows {
		switch flow {
		case "ADMIN_NO_SRP_AUTH", "CUSTOM_AUTH_FLOW_ONLY", "USER_PASSWORD_AUTH":
			legacy++
		default:
			allow++
		}
	}
	if legacy > 0 && allow > 0 {
		return apiError(CodeInvalidParameter, "Explicit auth flows without the ALLOW_ prefix cannot be given along with those that have it.")
	}
	if slices.Contains(flows, clientTokenAuth) && len(flows) > 1 {
		return apiError(CodeInvalidParameter, "%s cannot be given along with other explicit auth flows.", clientTokenAuth)
	}
	return nil
}

// checkIdentityProviders: this issuer knows no provider but the pool itself.
func (p *pool) checkIdentityProviders(names []string) error {
	for _, name := range names {
		if name != "COGNITO" {
			return apiError(CodeInvalidParameter, "The provider %s does not exist for User Pool %s.", name, p.ID)
		}
	}
	return nil
}

// checkValidity: Cognito: access and id tokens live from 5 minutes to a day, refresh tokens from an hour to ten years.
func checkValidity(s ClientSettings) error {
	units := TokenValidityUnits{}
	if s.TokenValidityUnits != nil {
		units = *s.TokenValidityUnits
	}
	const day = 24 * time.Hour
	for _, v := range []struct {
		value             int
		unit, fallback    string
		shortest, longest time.Duration
	}{
		{s.AccessTokenValidity, units.AccessToken, "hours", 5 * time.Minute, day},
		{s.IDTokenValidity, units.IDToken, "hours", 5 * time.Minute, day},
		{s.RefreshTokenValidity, units.RefreshToken, "days", time.Hour, 3650 * day},
	} {
		if v.value == 0 {
			continue
		}
		if d, ok := validity(v.value, v.unit, v.fallback); !ok || d < v.shortest || d > v.longest {
			return apiError(CodeInvalidParameter, "Invalid range for token validity.")
		}
	}
	return nil
}

// validity multiplies a value by its unit, and says whether the product is one.
func validity(value int, unit, fallback string) (time.Duration, bool) {
	if unit == "" {
		unit = fallback
	}
	size := map[string]time.Duration{"seconds": time.Second, "minutes": time.Minute, "hours": time.Hour, "days": 24 * time.Hour}[unit]
	// The model's largest value is 315,360,000, which in days would overflow a duration.
	if size == 0 || value > int(4000*24*time.Hour/size) {
		return 0, false
	}
	return time.Duration(value) * size, true
}
