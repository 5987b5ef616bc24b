package grpcguard

import (
	"context"
	"slices"
	"strings"

	"github.com/countersign-dev/countersign/clientcredentials"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

// Renew makes a unary call once more with another token when the server has refused the one of [Credentials]: the call ended with
// Unauthenticated and the trailer www-authenticate says invalid_token, as this package's servers and those behind an HTTP edge do. The issuer is asked at
// most once in five minutes for that reason, whatever the servers say. Calls that stream are not repeated: what was sent is gone.
func Renew(source *clientcredentials.Source) grpc.UnaryClientInterceptor {
	return func(ctx context.Context, method string, req, reply any, conn *grpc.ClientConn, invoke grpc.UnaryInvoker, options ...grpc.CallOption) error {
		// The token is in memory; this is the one that the call is about to be given.
		token, err := source.Token(ctx)
		if err != nil {
			return noToken(ctx, err)
		}
		var trailer metadata.MD
		err = invoke(ctx, method, req, reply, conn, append(slices.Clip(options), grpc.Trailer(&trailer))...)
		if status.Code(err) != codes.Unauthenticated || !refusesToken(trailer) {
			return err
		}
		if _, ok := source.Replace(ctx, token); !ok {
			return err
		}
		return invoke(ctx, method, req, reply, conn, options...)
	}
}

// refusesToken reads RFC 6750, Section 3.1, in the trailer: another token does not help a call that was refused for another reason.
func refusesToken(trailer metadata.MD) bool {
	return slices.ContainsFunc(trailer.Get("www-authenticate"), func(challenge string) bool {
		return strings.HasPrefix(challenge, "Bearer ") && strings.Contains(challenge, `error="invalid_token"`)
	})
}
