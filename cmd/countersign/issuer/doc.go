// Package issuer makes the Cognito half of package cognito durable: its records in SQLite or PostgreSQL, its secrets sealed,
// its JSON API behind AWS Signature Version 4, its state directory held by one process at a time.
//
// It holds no rule of Cognito and serves no HTTP of its own. Start at [OpenState], which opens a state directory whole;
// [OpenSQLite], [NewSigV4] and [LockDir] are its parts. [OpenPostgres] opens the store of several replicas.
package issuer
