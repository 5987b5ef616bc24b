package child

import (
	"math/rand/v2"
	"net"
	"strconv"
)

// The ports of FreeAddr. What systems give to programs that ask for any port is above them: from 32768 on Linux, from 49152 elsewhere
// (RFC 6335, Section 6).
const (
	firstPort = 20000
	lastPort  = 32767
)

// FreeAddr returns an address of the host at which nobody listens, for a service that listens there itself in a moment. The port is none
// that another program may be given by the system meanwhile.
func FreeAddr(host string) (string, error) {
	for tries := 0; ; tries++ {
		addr := net.JoinHostPort(host, strconv.Itoa(firstPort+rand.IntN(lastPort-firstPort+1)))
		l, err := net.Listen("tcp", addr)
		if err == nil {
			return addr, l.Close()
		}
		if tries == 100 {
			return "", err
		}
	}
}
