package cognito_test

import (
	"testing"

	"github.com/countersign-dev/countersign/cognito"
	"github.com/countersign-dev/countersign/cognito/storetest"
)

func TestMemoryStore(t *testing.T) {
	storetest.Run(t, func(*testing.T) cognito.Store { return cognito.NewMemoryStore() }, nil)
}
