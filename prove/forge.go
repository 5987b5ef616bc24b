package prove

import (
	"bytes"
	"cmp"
	"crypto"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/countersign-dev/countersign/internal/jose"
)

// errOpaque is for issuers whose tokens are no JWTs: nothing can be made from them.
var errOpaque = errors.New("the issuer's tokens are no JWTs")

// forger makes bad tokens. It never verifies anything.
type forger struct {
	signer crypto.Signer // the issuer's key; nil where it is not held
	keys   *Keys         // the issuer's; nil where they are not known
	now    func() time.Time
}

// parts are a good token, taken apart.
type parts struct {
	header, claims, signature string // the first two decoded, the last as it came
	issuer, scope, client     string
}

func takeApart(token string) (parts, error) {
	segments := strings.Split(token, ".")
	if len(segments) != 3 {
		return parts{}, errOpaque
	}
	header, err := base64.RawURLEncoding.DecodeString(segments[0])
	if err != nil {
		return parts{}, errOpaque
	}
	claims, err := base64.RawURLEncoding.DecodeString(segments[1])
	if err != nil {
		return parts{}, errOpaque
	}
	var named struct {
		Issuer string `json:"iss"`
		Client string `json:"client_id"`
		Scope  any    `json:"scope"`
	}
	if json.Unmarshal(claims, &named) != nil {
		return parts{}, errOpaque
	}
	p := parts{header: string(header), claims: string(claims), signature: segments[2], issuer: named.Issuer, client: named.Client}
	p.scope, _ = named.Scope.(string)
	return p, nil
}

// make follows the recipe. good may be empty for recipes that need nothing.
func (f forger) make(r Recipe, good string, g gate) (string, error) {
	if !r.changes() {
		return good, nil
	}
	p, err := takeApart(good)
	if err != nil && good != "" {
		return "", err
	}
	header, claims, err := f.content(r, p, g)
	if err != nil {
		return "", err
	}
	signature := p.signature
	if good != "" {
		if signature, err = f.sign(r.Sign, p, header, claims); err != nil {
			return "", err
		}
	}
	encoding := base64.RawURLEncoding
	if r.Padded {
		encoding = base64.URLEncoding
		signature += strings.Repeat("=", (4-len(signature)%4)%4)
	}
	return strings.NewReplacer(
		"{header}", encoding.EncodeToString([]byte(header)),
		"{claims}", encoding.EncodeToString([]byte(claims)),
		"{signature}", signature,
		"{fill}", strings.Repeat(cmp.Or(r.Filler, "A"), r.Fill),
	).Replace(cmp.Or(r.Token, "{header}.{claims}.{signature}")), nil
}

// content is what the bad token says, before it is encoded.
func (f forger) content(r Recipe, p parts, g gate) (header, claims string, err error) {
	expand := strings.NewReplacer("{iss}", quoted(p.issuer), "{scope}", quoted(p.scope), "{claims}", p.claims,
		"{nest}", strings.Repeat("[", r.Nest)+strings.Repeat("]", r.Nest))
	if header, err = f.merge(p.header, r.Header, r.AddHeader, p, g, expand); err != nil {
		return "", "", err
	}
	if claims, err = f.merge(p.claims, r.Claims, r.AddClaims, p, g, expand); err != nil {
		return "", "", err
	}
	if r.RawClaims != "" {
		claims = expand.Replace(r.RawClaims)
	}
	if r.InvalidUTF8 {
		claims = strings.NewReplacer(`\ufffd`, "\xff", "\ufffd", "\xff").Replace(claims)
	}
	return header, claims, nil
}

// changes says whether the recipe changes the token at all, and not only how it is sent.
func (r Recipe) changes() bool {
	return r.Header != nil || r.Claims != nil || r.AddHeader != "" || r.AddClaims != "" || r.RawClaims != "" ||
		r.Sign != "" || r.Padded || r.Token != ""
}

// merge changes members of a JSON object and keeps the text as it is where there is nothing to change.
func (f forger) merge(object string, patch map[string]json.RawMessage, add string, p parts, g gate, expand *strings.Replacer) (string, error) {
	if len(patch) > 0 {
		members := map[string]json.RawMessage{}
		if err := json.Unmarshal([]byte(object), &members); err != nil {
			return "", errOpaque
		}
		raw := map[string]string{} // what encoding/json would refuse to write
		for name, value := range patch {
			text, err := f.value(value, p, g, expand)
			if err != nil {
				return "", err
			}
			delete(members, name)
			if text != "" {
				raw[name] = text
			}
		}
		for name, value := range members {
			raw[name] = string(value)
		}
		object = writeObject(raw)
	}
	if add != "" {
		object = strings.TrimSuffix(strings.TrimSpace(object), "}") + "," + expand.Replace(add) + "}"
	}
	return object, nil
}

func writeObject(members map[string]string) string {
	names := make([]string, 0, len(members))
	for name := range members {
		names = append(names, name)
	}
	slices.Sort(names)
	var b strings.Builder
	for i, name := range names {
		b.WriteString(strings.Repeat(",", min(i, 1)) + strconv.Quote(name) + ":" + members[name])
	}
	return "{" + b.String() + "}"
}

// value is the text of a member; empty removes it.
func (f forger) value(value json.RawMessage, p parts, g gate, expand *strings.Replacer) (string, error) {
	if bytes.Equal(value, []byte("null")) {
		return "", nil
	}
	var special struct {
		Now     *int64  `json:"$now"`
		JSON    *string `json:"$json"`
		Foreign *string `json:"$foreign"`
		Scope   *string `json:"$scope"`
	}
	if json.Unmarshal(value, &special) == nil {
		switch {
		case special.Now != nil:
			return strconv.FormatInt(f.now().Unix()+*special.Now, 10), nil
		case special.JSON != nil:
			return *special.JSON, nil
		case special.Foreign != nil:
			jwk, err := jose.AppendJWK(nil, &foreignKey().PublicKey, "attacker", jose.RS256)
			return string(jwk), err
		case special.Scope != nil:
			scope := changeScope(*special.Scope, p.scope, g.resource)
			return `"` + quoted(scope) + `"`, nil
		}
	}
	return expand.Replace(string(value)), nil
}

// changeScope makes a scope string that is nearly the right one.
func changeScope(how, scope, resource string) string {
	tokens := strings.Split(scope, " ")
	for i, full := range tokens {
		name := strings.TrimPrefix(full, resource)
		switch how {
		case "cut short":
			name = name[:max(len(name)-1, 0)]
		case "longer":
			name += "x"
		case "upper case":
			name = strings.ToUpper(name)
		case "bare":
			tokens[i] = name
			continue
		case "in front":
			tokens[i] = "x" + full
			continue
		case "other resource":
			tokens[i] = "https://attacker.invalid/" + name
			continue
		case "longer resource":
			tokens[i] = strings.TrimSuffix(resource, "/") + ".attacker.invalid/" + name
			continue
		case "comma":
			tokens[i] = full + "," + full
			continue
		}
		tokens[i] = strings.TrimSuffix(full, strings.TrimPrefix(full, resource)) + name
	}
	return strings.Join(tokens, " ")
}

// changedScopes are the scopes of a token for these scopes after the recipe: none, unless it changes them one by one.
func changedScopes(r Recipe, scopes []string, resource string) []string {
	var special struct {
		Scope string `json:"$scope"`
	}
	if json.Unmarshal(r.Claims["scope"], &special) != nil || special.Scope == "" {
		return nil
	}
	if len(scopes) == 0 {
		scopes = []string{resource + "any"} // whatever the issuer gives
	}
	return strings.Fields(changeScope(special.Scope, strings.Join(scopes, " "), resource))
}

// scopesOf are the scopes of a token that is a JWT, and whether it has the claim as a string.
func scopesOf(token string) (scopes []string, ok bool) {
	p, err := takeApart(token)
	if err != nil {
		return nil, false
	}
	return strings.Fields(p.scope), true
}

// quoted is s as it stands between the quotes of JSON.
func quoted(s string) string {
	b, err := json.Marshal(s)
	if err != nil {
		panic(fmt.Sprintf("prove: a string that is no JSON: %v", err)) // json.Marshal writes every string
	}
	return string(b[1 : len(b)-1])
}
