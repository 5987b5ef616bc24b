// Package child runs a user's own service beside the local system: it builds the service where the command is go run, starts it with an
// environment, says when it answers, starts it again when it ends by itself, and takes its whole process group down.
//
// It knows nothing of issuers and policies. Start with [Start]; [Watch] tells when its sources changed.
package child
