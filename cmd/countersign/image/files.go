package image

import (
	"archive/zip"
	"bytes"
	"encoding/pem"
	"fmt"
	"io"
	"strings"

	"golang.org/x/crypto/x509roots/fallback/bundle"
)

// user is who the program runs as: numeric, because Kubernetes cannot tell from a name that it is not root.
const user = 65532

// userNames are for programs that look their own name up. Nobody can log in.
const (
	passwd = "root:x:0:0:root:/root:/sbin/nologin\nnobody:x:65534:65534:nobody:/nonexistent:/sbin/nologin\nnonroot:x:65532:65532:nonroot:/home/nonroot:/sbin/nologin\n"
	group  = "root:x:0:\nnobody:x:65534:\nnonroot:x:65532:\n"
)

// baseFiles is what the image holds beside the program where there is no base image: what Go's standard library reads.
func baseFiles(zones []byte) ([]file, error) {
	files := []file{
		{name: "etc/group", mode: 0o444, data: []byte(group)},
		{name: "etc/passwd", mode: 0o444, data: []byte(passwd)},
		{name: "etc/ssl/certs/ca-certificates.crt", mode: 0o444, data: certificates()},
		{name: "home/nonroot/", mode: 0o700, owner: user},
		{name: "tmp/", mode: 0o1777},
	}
	more, err := zoneFiles(zones)
	return append(files, more...), err
}

// certificates is Mozilla's list, as the Go project keeps it. A root that Mozilla trusts only for certificates issued before some day is
// left out: PEM has no words for the day, and a list without it would trust what that root signs tomorrow.
func certificates() []byte {
	var buf bytes.Buffer
	for root := range bundle.Roots() {
		if root.Constraint == nil {
			pem.Encode(&buf, &pem.Block{Type: "CERTIFICATE", Bytes: root.Certificate}) // a bytes.Buffer takes all
		}
	}
	return buf.Bytes()
}

// zoneFiles unpacks Go's archive of time zones to where Go and everything else looks for them.
func zoneFiles(archive []byte) ([]file, error) {
	if archive == nil {
		return nil, nil
	}
	r, err := zip.NewReader(bytes.NewReader(archive), int64(len(archive)))
	if err != nil {
		return nil, fmt.Errorf("the time zones of this Go: %w", err)
	}
	var files []file
	for _, entry := range r.File {
		if strings.HasSuffix(entry.Name, "/") {
			continue
		}
		f, err := entry.Open()
		if err != nil {
			return nil, fmt.Errorf("the time zones of this Go: %w", err)
		}
		data, err := io.ReadAll(io.LimitReader(f, 1<<20))
		f.Close()
		if err != nil {
			return nil, fmt.Errorf("the time zones of this Go: %s: %w", entry.Name, err)
		}
		files = append(files, file{name: "usr/share/zoneinfo/" + entry.Name, mode: 0o444, data: data})
	}
	return files, nil
}
