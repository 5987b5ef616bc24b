package console_test

import (
	"context"
	"fmt"
	"net/http/httptest"

	"github.com/countersign-dev/countersign"
	"github.com/countersign-dev/countersign/cmd/countersign/console"
	"github.com/countersign-dev/countersign/cognito"
)

func ExampleNew() {
	service, err := cognito.New(context.Background(), cognito.Config{BaseURL: "http://localhost:8081"})
	if err != nil {
		panic(err)
	}
	pool, err := service.CreateUserPool(context.Background(), cognito.CreateUserPoolInput{PoolName: "demo"})
	if err != nil {
		panic(err)
	}
	policy := countersign.Policy{Resource: "https://api.example.com"} // of a running service: guard.Policy()
	page, err := console.New(console.Config{View: func(ctx context.Context) (console.View, error) {
		source, err := console.ReadPool(ctx, service, pool.UserPool.ID)
		source.Policy = policy
		return console.Describe(source), err
	}})
	if err != nil {
		panic(err)
	}
	for _, host := range []string{"localhost:8081", "evil.example"} {
		w := httptest.NewRecorder()
		page.ServeHTTP(w, httptest.NewRequest("GET", "http://"+host+"/", nil))
		fmt.Println(host, w.Code)
	}
	// Output:
	// localhost:8081 200
	// evil.example 421
}
