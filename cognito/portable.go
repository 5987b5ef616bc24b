package cognito

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// poolFile is a user pool with all that belongs to it, in the words of the API: what [Service.ExportPool] writes and
// [Service.ImportPool] reads.
type poolFile struct {
	UserPool        UserPool
	MfaSettings     MfaSettings         `json:",omitzero"`
	Domains         []DomainDescription `json:",omitempty"`
	ResourceServers []ResourceServer    `json:",omitempty"`
	Clients         []clientFile        `json:",omitempty"`
	SigningKeys     []keyBody           `json:",omitempty"`
}

// clientFile is an app client in a file. ClientSecret, which hides the one that prints as redacted, is what Cognito's own
// description has; Secrets are what this package writes.
type clientFile struct {
	UserPoolClient
	ClientSecret string       `json:",omitempty"`
	Secrets      []secretFile `json:",omitempty"`
}

// secretFile is a client secret in a file. Without a Value it says only that there is one.
type secretFile struct {
	ID      string
	Value   string `json:",omitempty"`
	Created Time
}

// ExportOptions say which secrets an exported pool has. The zero value has none.
type ExportOptions struct {
	Secrets bool // the values of client secrets
	Keys    bool // the private signing keys
}

// ExportPool returns a pool with all that belongs to it as a JSON document, ids and dates included, for [Service.ImportPool].
// Exporting what was imported gives the same document. The error is an [APIError] when there is no such pool.
func (s *Service) ExportPool(poolID string, o ExportOptions) ([]byte, error) {
	now := s.current.Load()
	p, err := now.pool(poolID)
	if err != nil {
		return nil, err
	}
	file := poolFile{UserPool: p.UserPool, MfaSettings: p.MFA}
	// Derived from what stands below, and from where the pool is.
	file.UserPool.ARN, file.UserPool.Domain, file.UserPool.CustomDomain = "", "", ""
	for _, name := range slices.Sorted(maps.Keys(p.domains)) {
		file.Domains = append(file.Domains, *p.domains[name])
	}
	for _, id := range slices.Sorted(maps.Keys(p.servers)) {
		file.ResourceServers = append(file.ResourceServers, *p.servers[id])
	}
	for _, c := range p.clients {
		file.Clients = append(file.Clients, c.export(o.Secrets))
	}
	if o.Keys {
		for _, k := range p.keys {
			file.SigningKeys = append(file.SigningKeys, k.body())
		}
	}
	return json.Marshal(file)
}

func (c *client) export(values bool) clientFile {
	out := clientFile{UserPoolClient: c.UserPoolClient}
	out.UserPoolClient.ClientSecret = ""
	for _, s := range c.Secrets {
		secret := secretFile{ID: s.ID, Created: s.Created}
		if values {
			secret.Value = s.Value
		}
		out.Secrets = append(out.Secrets, secret)
	}
	return out
}

// readPoolFile decodes a document. A member that it does not know is an error: it would be a setting that is lost unseen.
func readPoolFile(document []byte) (*poolFile, error) {
	decoder := json.NewDecoder(bytes.NewReader(document))
	decoder.DisallowUnknownFields()
	file := new(poolFile)
	if err := decoder.Decode(file); err != nil {
		return nil, apiError(CodeInvalidParameter, "The pool cannot be read: %s.", describeDecode(err))
	}
	if _, err := decoder.Token(); err != io.EOF {
		return nil, apiError(CodeInvalidParameter, "The pool cannot be read: there is more than one.")
	}
	return file, nil
}

// describeDecode says what is wrong without the values, one of which may be a secret.
func describeDecode(err error) string {
	var kind *json.UnmarshalTypeError
	switch {
	case errors.As(err, &kind):
		return fmt.Sprintf("%s: want %s, got JSON %s", strings.ReplaceAll(kind.Field, "UserPoolClient.", ""), jsonKind(kind.Type), kind.Value)
	case strings.HasPrefix(err.Error(), "json: unknown field "):
		return strings.TrimPrefix(err.Error(), "json: ")
	case strings.HasPrefix(err.Error(), "cognito: "): // of Time, the one type here that reads itself
		return "a date is not a number of seconds since 1970"
	}
	return "it is not the JSON of a pool"
}

// jsonKind is what JSON calls the values of a Go type.
func jsonKind(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Struct, reflect.Map, reflect.Pointer:
		return "object"
	case reflect.Slice:
		return "array"
	case reflect.Int:
		return "number"
	case reflect.Bool:
		return "boolean"
	}
	return t.Kind().String()
}

// PoolDocument makes the document that [Service.ImportPool] reads out of Cognito's own answers, each the JSON that
// DescribeUserPool, GetUserPoolMfaConfig, DescribeUserPoolDomain, ListResourceServers and DescribeUserPoolClient have under
// the member of that name. What this package has no use for is left out.
func PoolDocument(pool, mfa json.RawMessage, domains, servers, clients []json.RawMessage) ([]byte, error) {
	var file poolFile
	var problems []error
	read := func(operation string, raw json.RawMessage, into any) {
		if err := json.Unmarshal(raw, into); err != nil {
			problems = append(problems, fmt.Errorf("cognito: the answer to %s cannot be read: %s", operation, describeDecode(err)))
		}
	}
	read("DescribeUserPool", pool, &file.UserPool)
	read("GetUserPoolMfaConfig", mfa, &file.MfaSettings)
	file.UserPool.ARN, file.UserPool.Domain, file.UserPool.CustomDomain, file.UserPool.EstimatedNumberOfUsers = "", "", "", 0
	for _, raw := range domains {
		var d DomainDescription
		read("DescribeUserPoolDomain", raw, &d)
		if d.CustomDomainConfig != nil && d.CustomDomainConfig.CertificateARN == "" {
			d.CustomDomainConfig = nil // Cognito: a prefix domain may have an empty one
		}
		file.Domains = append(file.Domains, d)
	}
	for _, raw := range servers {
		var rs ResourceServer
		read("ListResourceServers", raw, &rs)
		file.ResourceServers = append(file.ResourceServers, rs)
	}
	for _, raw := range clients {
		var c clientFile
		read("DescribeUserPoolClient", raw, &c)
		c.adopt()
		file.Clients = append(file.Clients, c)
	}
	if err := errors.Join(problems...); err != nil {
		return nil, err
	}
	file.sort()
	return json.Marshal(file)
}

// sort puts everything into the order in which ExportPool has it.
func (f *poolFile) sort() {
	slices.SortFunc(f.Domains, func(a, b DomainDescription) int { return cmp.Compare(a.Domain, b.Domain) })
	slices.SortFunc(f.ResourceServers, func(a, b ResourceServer) int { return cmp.Compare(a.Identifier, b.Identifier) })
	slices.SortFunc(f.Clients, func(a, b clientFile) int { return cmp.Compare(a.ClientID, b.ClientID) })
}

// adopt makes one of Secrets out of the ClientSecret of Cognito's description, which says neither its id nor its date, and
// leaves out the type, which every description shows and nobody sets.
func (c *clientFile) adopt() {
	if c.ClientSecret != "" && len(c.Secrets) == 0 {
		id := c.ClientID + "--" + strconv.FormatInt(c.CreationDate.UnixMilli(), 10)
		c.Secrets = []secretFile{{ID: id, Value: c.ClientSecret, Created: c.CreationDate}}
	}
	c.ClientSecret, c.ClientType = "", ""
}
