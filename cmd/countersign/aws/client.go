package aws

import (
	"io"
	"net/http"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
)

// client is the SDK's own, but for how a request's body is read.
//
// The SDK closes the body as soon as an answer begins. When net/http's writer, in a goroutine of its own, looks a moment later
// whether there is more of it, the body's WriteTo says EOF as an error, and the writer cuts the connection from which the
// answer is still being read. It takes a fast service and a busy machine, and a call that has worked is reported as lost.
// Read says EOF as it should.
type client struct{ sdk.HTTPClient }

func (c client) Do(req *http.Request) (*http.Response, error) {
	if req.Body != nil && req.Body != http.NoBody {
		own := *req
		own.Body = withoutWriteTo{req.Body}
		req = &own
	}
	return c.HTTPClient.Do(req)
}

type withoutWriteTo struct{ io.ReadCloser }
