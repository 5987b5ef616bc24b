package cognito_test

import (
	"context"
	"crypto"
	"errors"
	"fmt"
	"net/http/httptest"
	"slices"
	"testing"

	"github.com/countersign-dev/countersign/cognito"
)

// TestTrace: the parts of a token request are told in their order, with the context of the request, and with what went wrong.
func TestTrace(t *testing.T) {
	broken := errors.New("the module is away")
	for _, tt := range []struct {
		name   string
		signer error
		want   []string
	}{
		{"a token", nil, []string{"+signature wait", "-signature wait <nil>", "+signature", "-signature <nil>"}},
		{"a key that does not sign", broken, []string{"+signature wait", "-signature wait <nil>", "+signature", "-signature the module is away"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			type mark struct{}
			var parts []string
			s := newService(t, cognito.Config{
				Accelerate: func(key crypto.Signer) (crypto.Signer, error) { return key, tt.signer },
				Trace: func(ctx context.Context, part string) func(error) {
					if ctx.Value(mark{}) == nil {
						t.Error("not the context of the request")
					}
					parts = append(parts, "+"+part)
					return func(err error) { parts = append(parts, fmt.Sprintf("-%s %v", part, err)) }
				},
			})
			pool, client := seedPool(t, s)
			r := tokenRequest(pool, client, "grant_type=client_credentials")
			cognito.Handler(s, cognito.HandlerConfig{}).ServeHTTP(httptest.NewRecorder(), r.WithContext(context.WithValue(t.Context(), mark{}, true)))
			if !slices.Equal(parts, tt.want) {
				t.Errorf("got %q", parts)
			}
		})
	}
}
