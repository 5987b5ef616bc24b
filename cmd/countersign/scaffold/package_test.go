package scaffold

import "testing"

func TestPackageName(t *testing.T) {
	for path, want := range map[string]string{
		"example.com/you/order-service":    "orderservice",
		"example.com/you/order-service/v2": "orderservice",
		"example.com/you/Orders.git":       "orders",
		"example.com":                      "example",
		"orders":                           "orders",
		"example.com/main":                 "service",
		"example.com/func":                 "service",
		"example.com/7":                    "service",
		"example.com/7up":                  "up",
		"v2":                               "service",
	} {
		if got := packageName(path); got != want {
			t.Errorf("%s: package %s, want %s", path, got, want)
		}
	}
}
