package serve

import (
	"errors"
	"path/filepath"
	"time"

	"github.com/countersign-dev/countersign/cmd/countersign/document"
	"github.com/countersign-dev/countersign/cognito"
)

// Config is the issuer's configuration file.
//
// The tag yaml is the key in the file, doc what it means and default what its absence means, as docs/issuer.md has them.
type Config struct {
	Listen            string       `yaml:"listen" doc:"host:port that serves tokens, keys and the cognito-idp JSON API" default:"localhost:8081"`
	Connections       int          `yaml:"connections" doc:"how many connections listen has open at once; for one more, the one is closed that has kept it waiting the longest" default:"16384, and never more than the process may have files open, less 256"`
	BaseURL           string       `yaml:"baseURL" doc:"URL that callers reach the issuer at; a pool's issuer is baseURL/poolId" default:"the address of listen, where that is this machine's own"`
	Region            string       `yaml:"region" doc:"AWS region in the ids of pools" default:"us-east-1"`
	AccountID         string       `yaml:"accountId" doc:"twelve digits, in ARNs; in quotes" default:"000000000000"`
	Store             StoreConfig  `yaml:"store" doc:"where everything is kept: exactly one of sqlite and postgres"`
	SealKey           SealKey      `yaml:"sealKey" doc:"key that seals client secrets and signing keys in the store: the name of its file, which is made where there is none, with mode 0600; or, under AWS KMS, a mapping"`
	Credentials       string       `yaml:"credentials" doc:"file of the access keys that may call the JSON API; nobody else may read it"`
	TLS               TLSConfig    `yaml:"tls" doc:"certificate of listen"`
	InsecureAllowHTTP bool         `yaml:"insecureAllowHTTP" doc:"serve without tls on an address that others reach: for a proxy in front that ends TLS" default:"false"`
	Admin             AdminConfig  `yaml:"admin" doc:"a second address, for the orchestrator and for metrics"`
	Log               LogConfig    `yaml:"log" doc:"the log, on standard error"`
	Audit             AuditConfig  `yaml:"audit" doc:"the record of every change and refusal"`
	Traces            TracesConfig `yaml:"traces" doc:"traces of requests, for OpenTelemetry"`
	Quotas            string       `yaml:"quotas" doc:"how fast callers may come" default:"none" enum:"none,aws"`
	IgnoreScopes      bool         `yaml:"ignoreDisallowedScopes" doc:"leave a requested scope that the app client does not have out of the token, as one of AWS' pages says, and not refuse the request" default:"false"`
	Triggers          Texts        `yaml:"triggers" doc:"URLs of pre token generation triggers, by the ARN that a pool's LambdaConfig names; https, or http to this machine"`
	Usage             string       `yaml:"usage" doc:"directory to count tokens in, for countersign cost; nothing is counted where it is empty"`
	Keys              KeysConfig   `yaml:"keys" doc:"the signing keys of the pools"`
	Drain             DrainConfig  `yaml:"drain" doc:"how the end goes"`

	Path string // the file, as it was named

	places map[string]document.Place
	hooks  map[string]cognito.PreTokenHook // by ARN
}

// StoreConfig says where the records are.
type StoreConfig struct {
	SQLite   string         `yaml:"sqlite" doc:"database file, for one process; made where there is none"`
	Postgres PostgresConfig `yaml:"postgres" doc:"a PostgreSQL database, which replicas share"`
}

// PostgresConfig says where the connection string is. It holds a password, so that it is never in this file.
type PostgresConfig struct {
	DSNFile string `yaml:"dsnFile" doc:"file with the connection string, such as postgres://user:password@host/database?sslmode=verify-full; user and password are read again for each new connection"`
	DSNEnv  string `yaml:"dsnEnv" doc:"environment variable with the connection string"`
}

// SealKey says where the key is that seals the store. A file's name alone is File.
type SealKey struct {
	File   string `yaml:"file" doc:"file of the key; with kms, of the key as KMS has encrypted it, which countersign issuer key-file makes"`
	KMS    string `yaml:"kms" doc:"AWS KMS key that decrypts the file at the start: ARN, id, or alias/NAME; none where it is empty"`
	Issuer string `yaml:"issuer" doc:"what the encryption context names" default:"baseURL"`
}

// TLSConfig names PEM files. They are read again when they change.
type TLSConfig struct {
	Certificate string `yaml:"certificate" doc:"PEM file of the certificate and its chain; read again when it changes"`
	Key         string `yaml:"key" doc:"PEM file of the certificate's private key"`
}

// AdminConfig is the second listener.
type AdminConfig struct {
	Listen string `yaml:"listen" doc:"host:port that serves /healthz, /readyz and /metrics, without TLS; none where it is empty"`
}

// LogConfig is the log.
type LogConfig struct {
	Format string `yaml:"format" doc:"how a line is written" default:"json" enum:"json,text"`
	Level  string `yaml:"level" doc:"the least that is logged; a request is info" default:"info" enum:"debug,info,warn,error"`
}

// AuditConfig is the audit trail.
type AuditConfig struct {
	File string `yaml:"file" doc:"file that the trail is appended to, in JSON lines, with mode 0600; - is standard output; none where it is empty"`
}

// KeysConfig is about signing keys.
type KeysConfig struct {
	RotateEvery time.Duration `yaml:"rotateEvery" doc:"how long each key signs, such as 2160h for ninety days; 24h or more; 0s means that keys are rotated by command only" default:"0s"`
	Algorithms  Texts         `yaml:"algorithms" doc:"an extension that Cognito has not: what a pool's new keys sign with, by its name or id: RS256, ES256 or EdDSA" default:"RS256 for every pool"`
}

// Texts are keys and values that the file's author names.
type Texts map[string]string

// DrainConfig bounds the end.
type DrainConfig struct {
	Wait    time.Duration `yaml:"wait" doc:"how long requests are still taken after SIGTERM, while /readyz says no, so that load balancers notice" default:"5s"`
	Timeout time.Duration `yaml:"timeout" doc:"how long after that the requests under way may take" default:"20s"`
}

// Load reads the file at path, fills in what it leaves out, and makes its paths relative to the file's directory absolute.
// It reports every problem at once, each with its line and column.
func Load(path string) (*Config, error) {
	c := &Config{Path: path}
	problems, err := c.read(path)
	if err != nil {
		return nil, err
	}
	if err := errors.Join(problems, c.check()); err != nil {
		return nil, err
	}
	dir, err := filepath.Abs(filepath.Dir(path))
	if err != nil {
		return nil, err
	}
	for _, file := range []*string{&c.Store.SQLite, &c.Store.Postgres.DSNFile, &c.SealKey.File, &c.Credentials, &c.Audit.File, &c.Usage, &c.TLS.Certificate, &c.TLS.Key} {
		if *file != "" && *file != "-" && !filepath.IsAbs(*file) {
			*file = filepath.Join(dir, *file)
		}
	}
	return c, nil
}
