package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
)

// startPeer installs and starts node-oidc-provider, the fastest issuer that was found: it signs with OpenSSL. Its key is an RSA key.
func startPeer() (*contender, error) {
	_, here, _, _ := runtime.Caller(0)
	dir, err := os.MkdirTemp("", "countersign-issuance-")
	if err != nil {
		return nil, err
	}
	if err := os.CopyFS(dir, os.DirFS(filepath.Join(filepath.Dir(here), "oidcprovider"))); err != nil {
		return nil, err
	}
	install := exec.Command("npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts", "--prefer-offline")
	install.Dir = dir
	if out, err := install.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("npm: %w\n%s", err, out)
	}
	c := &contender{name: "oidc-provider RS256", alg: "RS256", peer: true, path: "/token", command: exec.Command("node", "server.mjs", client, secret)}
	c.command.Dir = dir
	out, err := c.command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := c.command.Start(); err != nil {
		return nil, err
	}
	_, err = fmt.Fscan(out, &c.address)
	return c, err
}
