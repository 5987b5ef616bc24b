// Package callers holds the clients that a proof calls a service as, where no local issuer is at hand: their names, scopes and
// credentials, from the environment or from a file, and the tokens that an issuer gives them.
//
// A secret never comes from a command line, which every user of a machine can read, and is in no error. Start with [FromEnv] and
// [ReadFile]; [Issuer.Tokens] makes of callers what package prove mints with.
package callers
