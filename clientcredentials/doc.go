// Package clientcredentials is the token client.
package clientcredentials
