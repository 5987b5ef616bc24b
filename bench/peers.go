package bench

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"time"

	auth0two "github.com/auth0/go-jwt-middleware/v2"
	auth0twokeys "github.com/auth0/go-jwt-middleware/v2/jwks"
	auth0twovalidator "github.com/auth0/go-jwt-middleware/v2/validator"
	auth0three "github.com/auth0/go-jwt-middleware/v3"
	auth0threekeys "github.com/auth0/go-jwt-middleware/v3/jwks"
	auth0threevalidator "github.com/auth0/go-jwt-middleware/v3/validator"

	"github.com/MicahParks/keyfunc/v3"
	"github.com/coreos/go-oidc/v3/oidc"
	cristal "github.com/cristalhq/jwt/v5"
	"github.com/go-jose/go-jose/v4"
	josejwt "github.com/go-jose/go-jose/v4/jwt"
	"github.com/golang-jwt/jwt/v5"
	"github.com/lestrrat-go/httprc/v3"
	"github.com/lestrrat-go/jwx/v3/jwk"
	jwxjwt "github.com/lestrrat-go/jwx/v3/jwt"
)

// leeway is the guard's own.
const leeway = time.Minute

func golangJWT(ctx context.Context, f *Fixture, next http.Handler) (http.Handler, error) {
	keys, err := keyfunc.NewDefaultCtx(ctx, []string{f.KeysURL})
	if err != nil {
		return nil, err
	}
	parser := jwt.NewParser(jwt.WithValidMethods([]string{"RS256"}), jwt.WithIssuer(f.Issuer), jwt.WithExpirationRequired(), jwt.WithLeeway(leeway))
	type claims struct {
		jwt.RegisteredClaims
		accessClaims
	}
	return behind(func(_ context.Context, token string) (*accessClaims, error) {
		var c claims
		_, err := parser.ParseWithClaims(token, &c, keys.Keyfunc)
		return &c.accessClaims, err
	}, next), nil
}

func jwx(ctx context.Context, f *Fixture, next http.Handler) (http.Handler, error) {
	cache, err := jwk.NewCache(ctx, httprc.NewClient())
	if err != nil {
		return nil, err
	}
	if err := cache.Register(ctx, f.KeysURL); err != nil {
		return nil, err
	}
	keys, err := cache.CachedSet(f.KeysURL)
	if err != nil {
		return nil, err
	}
	return behind(func(_ context.Context, token string) (*accessClaims, error) {
		t, err := jwxjwt.ParseString(token, jwxjwt.WithKeySet(keys), jwxjwt.WithIssuer(f.Issuer), jwxjwt.WithRequiredClaim("exp"), jwxjwt.WithAcceptableSkew(leeway))
		if err != nil {
			return nil, err
		}
		var c accessClaims
		return &c, errors.Join(t.Get("client_id", &c.ClientID), t.Get("token_use", &c.TokenUse), t.Get("scope", &c.Scope))
	}, next), nil
}

func goOIDC(ctx context.Context, f *Fixture, next http.Handler) (http.Handler, error) {
	verifier := oidc.NewVerifier(f.Issuer, oidc.NewRemoteKeySet(ctx, f.KeysURL), &oidc.Config{SkipClientIDCheck: true, SupportedSigningAlgs: []string{oidc.RS256}})
	return behind(func(ctx context.Context, token string) (*accessClaims, error) {
		t, err := verifier.Verify(ctx, token)
		if err != nil {
			return nil, err
		}
		var c accessClaims
		return &c, t.Claims(&c)
	}, next), nil
}

// Validate makes accessClaims what auth0's validators want.
func (c *accessClaims) Validate(context.Context) error { return c.check() }

func auth0v2(_ context.Context, f *Fixture, next http.Handler) (http.Handler, error) {
	issuer, err := url.Parse(f.Issuer)
	if err != nil {
		return nil, err
	}
	validator, err := auth0twovalidator.New(auth0twokeys.NewCachingProvider(issuer, time.Hour).KeyFunc, auth0twovalidator.RS256, f.Issuer, []string{resource},
		auth0twovalidator.WithAllowedClockSkew(leeway),
		auth0twovalidator.WithCustomClaims(func() auth0twovalidator.CustomClaims { return new(accessClaims) }))
	if err != nil {
		return nil, err
	}
	return auth0two.New(validator.ValidateToken).CheckJWT(next), nil
}

func auth0v3(_ context.Context, f *Fixture, next http.Handler) (http.Handler, error) {
	issuer, err := url.Parse(f.Issuer)
	if err != nil {
		return nil, err
	}
	provider, err := auth0threekeys.NewCachingProvider(auth0threekeys.WithIssuerURL(issuer), auth0threekeys.WithCacheTTL(time.Hour))
	if err != nil {
		return nil, err
	}
	validator, err := auth0threevalidator.New(auth0threevalidator.WithKeyFunc(provider.KeyFunc), auth0threevalidator.WithAlgorithm(auth0threevalidator.RS256),
		auth0threevalidator.WithIssuer(f.Issuer), auth0threevalidator.WithAudience(resource), auth0threevalidator.WithAllowedClockSkew(leeway),
		auth0threevalidator.WithCustomClaims(func() *accessClaims { return new(accessClaims) }))
	if err != nil {
		return nil, err
	}
	middleware, err := auth0three.New(auth0three.WithValidator(validator))
	if err != nil {
		return nil, err
	}
	return middleware.CheckJWT(next), nil
}

// cristalhq has no key sets: it verifies with the one key that signs, and never looks at a kid.
func cristalhq(_ context.Context, f *Fixture, next http.Handler) (http.Handler, error) {
	verifier, err := cristal.NewVerifierRS(cristal.RS256, &f.key.PublicKey)
	if err != nil {
		return nil, err
	}
	type claims struct {
		cristal.RegisteredClaims
		accessClaims
	}
	return behind(func(_ context.Context, token string) (*accessClaims, error) {
		var c claims
		if err := cristal.ParseClaims([]byte(token), verifier, &c); err != nil {
			return nil, err
		}
		if now := time.Now(); !c.IsIssuer(f.Issuer) || !c.IsValidExpiresAt(now.Add(-leeway)) || !c.IsValidNotBefore(now.Add(leeway)) {
			return nil, errNotAllowed
		}
		return &c.accessClaims, nil
	}, next), nil
}

// goJose has no client for key sets: it is given the set.
func goJose(_ context.Context, f *Fixture, next http.Handler) (http.Handler, error) {
	var keys jose.JSONWebKeySet
	if err := json.Unmarshal([]byte(f.KeySet()), &keys); err != nil {
		return nil, err
	}
	return behind(func(_ context.Context, token string) (*accessClaims, error) {
		t, err := josejwt.ParseSigned(token, []jose.SignatureAlgorithm{jose.RS256})
		if err != nil {
			return nil, err
		}
		var registered josejwt.Claims
		var c accessClaims
		if err := t.Claims(&keys, &registered, &c); err != nil {
			return nil, err
		}
		if registered.Expiry == nil {
			return nil, errNotAllowed
		}
		return &c, registered.ValidateWithLeeway(josejwt.Expected{Issuer: f.Issuer, Time: time.Now()}, leeway)
	}, next), nil
}
