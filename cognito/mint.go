package cognito

import (
	"context"
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"github.com/countersign-dev/countersign/internal/jose"
)

// issue signs an access token for the client, once the pool's trigger has had its say.
func (s *Service) issue(ctx context.Context, p *pool, c *client, scopes []string, metadata map[string]string) (string, error) {
	scopes, further, err := s.preToken(ctx, p, c, scopes, metadata)
	if err != nil {
		return "", err
	}
	now := s.config.Now()
	key := p.access.signer(now)
	claims := appendClaims(make([]byte, 0, 768), p, c, scopes, now, newUUID(), further)
	end := s.part(ctx, "signature wait")
	leave, err := s.gate.enter(ctx)
	end(err)
	if err != nil {
		return "", err
	}
	defer leave()
	end = s.part(ctx, "signature")
	token, err := s.sign(key, claims)
	end(err)
	return token, err
}

func (s *Service) sign(key *signingKey, claims []byte) (string, error) {
	signer, err := key.by(s.config.Accelerate)
	if err != nil {
		return "", err
	}
	return jose.Sign(signer, key.alg, key.header, claims)
}

// part begins a part of a request, for traces. Without them it costs a comparison.
func (s *Service) part(ctx context.Context, name string) (end func(error)) {
	if s.config.Trace == nil {
		return untraced
	}
	return s.config.Trace(ctx, name)
}

func untraced(error) {}

// tokenHeader: Cognito: kid first, then alg, and no typ; the slashes of the kid are escaped, as a real header has them.
func tokenHeader(kid string, alg jose.Algorithm) []byte {
	return []byte(`{"kid":"` + strings.ReplaceAll(kid, "/", `\/`) + `","alg":"` + string(alg) + `"}`)
}

// appendClaims writes the claims of a machine's access token, in the order in which Cognito's samples have them. There
// is no username, no aud and no nbf. Scopes, ids and the issuer hold no character that JSON would escape but those that
// were escaped when the pool was read.
func appendClaims(b []byte, p *pool, c *client, scopes []string, now time.Time, jti string, further []byte) []byte {
	id := appendJSONString(nil, c.ClientID)
	iat := now.Unix()
	b = append(append(b, `{"sub":`...), id...)
	b = append(b, `,"token_use":"access"`...)
	if len(scopes) > 0 {
		b = appendJSONString(append(b, `,"scope":`...), strings.Join(scopes, " "))
	}
	b = strconv.AppendInt(append(b, `,"auth_time":`...), iat, 10)
	b = append(append(b, `,"iss":`...), p.issuerJSON...)
	b = strconv.AppendInt(append(b, `,"exp":`...), iat+int64(c.lifetime/time.Second), 10)
	b = strconv.AppendInt(append(b, `,"iat":`...), iat, 10)
	b = append(append(append(b, `,"version":2,"jti":"`...), jti...), `","client_id":`...)
	return append(append(append(b, id...), further...), '}')
}

func appendJSONString(b []byte, s string) []byte {
	quoted, _ := json.Marshal(s) // a string always marshals
	return append(b, quoted...)
}
