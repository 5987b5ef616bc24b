package awssecrets_test

import (
	"context"
	"fmt"

	"github.com/countersign-dev/countersign/awssecrets"
)

func ExampleNew() {
	// In a program: secretsmanager.NewFromConfig(cfg), with cfg of config.LoadDefaultConfig.
	api := &stages{values: map[string]string{"AWSCURRENT": `{"client_id": "reader", "client_secret": "s3cret"}`}}
	secret, err := awssecrets.New(awssecrets.Config{API: api, SecretID: "orders/reader"})
	if err != nil {
		fmt.Println(err)
		return
	}
	list, err := secret.Load(context.Background()) // as clientcredentials.Config.Credentials, it is called for you
	fmt.Println(list, err)
	// Output: [reader:<redacted>] <nil>
}
