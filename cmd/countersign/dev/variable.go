package dev

import (
	"strings"
	"unicode"
)

// ClientVariable is the variable in which `countersign env` has what stands behind "Authorization: Basic " for a client:
// CLIENT_CREDENTIALS_READ for readClient, and CLIENT_CREDENTIALS_ORDER_READER for order-reader.
func ClientVariable(client string) string {
	var out strings.Builder
	before := ' '
	for _, r := range client {
		switch {
		case 'A' <= r && r <= 'Z' && 'a' <= before && before <= 'z':
			out.WriteByte('_')
			out.WriteRune(r)
		case 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9':
			out.WriteRune(unicode.ToUpper(r))
		default:
			out.WriteByte('_')
		}
		before = r
	}
	name := out.String()
	if short := strings.TrimSuffix(name, "_CLIENT"); short != "" {
		name = short
	}
	return "CLIENT_CREDENTIALS_" + name
}
