package grpcguard

import (
	"context"
	"errors"
	"net/netip"
	"net/url"
	"strings"

	"github.com/countersign-dev/countersign/clientcredentials"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/status"
)

// Credentials puts the token of source on every call of a connection, for [google.golang.org/grpc.WithPerRPCCredentials], or of one call, for
// [google.golang.org/grpc.PerRPCCredentials]. They demand a connection with privacy and integrity: gRPC refuses to send them over another.
//
// A call that can get no token fails: with Unavailable when the issuer may give one later, with Unauthenticated when something has to be put
// right first.
func Credentials(source *clientcredentials.Source) credentials.PerRPCCredentials {
	return perRPC{source: source}
}

// InsecureLoopbackCredentials are [Credentials] that are also sent over a connection without encryption, if its authority is this machine:
// localhost or a loopback address. Who names another machine localhost, with WithAuthority, shows it the token.
func InsecureLoopbackCredentials(source *clientcredentials.Source) credentials.PerRPCCredentials {
	return perRPC{source: source, loopback: true}
}

type perRPC struct {
	source   *clientcredentials.Source
	loopback bool
}

// RequireTransportSecurity implements [credentials.PerRPCCredentials].
func (c perRPC) RequireTransportSecurity() bool { return !c.loopback }

// GetRequestMetadata implements [credentials.PerRPCCredentials]. It asks [clientcredentials.Source.Token], which nearly always has a token
// in memory.
func (c perRPC) GetRequestMetadata(ctx context.Context, audience ...string) (map[string]string, error) {
	// gRPC has asked RequireTransportSecurity already. It is asked here too, since a token on the wire cannot be called back.
	info, _ := credentials.RequestInfoFromContext(ctx)
	if credentials.CheckSecurityLevel(info.AuthInfo, credentials.PrivacyAndIntegrity) != nil && !(c.loopback && isLoopback(audience)) {
		return nil, status.Error(codes.Unauthenticated, "grpcguard: no token is sent over a connection without encryption; use TLS, or InsecureLoopbackCredentials to this machine")
	}
	token, err := c.source.Token(ctx)
	if err != nil {
		return nil, noToken(ctx, err)
	}
	// RFC 6750, Section 2.1, in the metadata that gRPC sends as header fields.
	return map[string]string{"authorization": "Bearer " + token.AccessToken}, nil
}

// noToken is why there is no token, as a status. The text of the source's errors holds neither token nor secret.
func noToken(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return status.FromContextError(ctx.Err()).Err()
	}
	var failed *clientcredentials.Error
	if errors.As(err, &failed) && failed.Temporary() {
		return status.Error(codes.Unavailable, "grpcguard: "+err.Error())
	}
	return status.Error(codes.Unauthenticated, "grpcguard: "+err.Error())
}

// isLoopback reports whether the audience, "https://authority/service" whatever the transport, is this machine.
func isLoopback(audience []string) bool {
	for _, uri := range audience {
		u, err := url.Parse(uri)
		if err != nil {
			return false
		}
		// RFC 6761, Section 6.3: localhost is a loopback address wherever it is looked up.
		if strings.EqualFold(u.Hostname(), "localhost") {
			continue
		}
		if addr, err := netip.ParseAddr(u.Hostname()); err != nil || !addr.IsLoopback() {
			return false
		}
	}
	return len(audience) > 0
}
