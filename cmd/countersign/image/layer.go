package image

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"io"
	"io/fs"
	"path"
	"slices"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// file is one entry of a layer. A name that ends in a slash is a directory.
type file struct {
	name  string // without a leading slash
	mode  fs.FileMode
	owner int // user and group
	data  []byte
}

// layerOf packs the files, and the directories above them, as root's unless they say otherwise. Nothing of this machine gets into
// the bytes: no time, no names of users, no order of a directory.
func layerOf(files []file) (v1.Layer, error) {
	all := map[string]file{}
	for _, f := range files {
		all[f.name] = f
		for dir := path.Dir(path.Clean(f.name)); dir != "."; dir = path.Dir(dir) {
			if _, stated := all[dir+"/"]; !stated {
				all[dir+"/"] = file{name: dir + "/", mode: 0o755}
			}
		}
	}
	for _, f := range files { // what is stated wins over what is made for the files beneath it
		all[f.name] = f
	}
	names := make([]string, 0, len(all))
	for name := range all {
		names = append(names, name)
	}
	slices.Sort(names)
	var buf bytes.Buffer
	w := tar.NewWriter(&buf)
	for _, name := range names {
		if err := all[name].write(w); err != nil {
			return nil, err
		}
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(buf.Bytes())), nil },
		tarball.WithMediaType(types.OCILayer), tarball.WithCompressedCaching, tarball.WithCompressionLevel(gzip.BestCompression))
}

func (f file) write(w *tar.Writer) error {
	header := &tar.Header{
		Typeflag: tar.TypeReg, Name: f.name, Size: int64(len(f.data)), Mode: int64(f.mode),
		Uid: f.owner, Gid: f.owner, ModTime: time.Unix(0, 0), Format: tar.FormatUSTAR,
	}
	if f.name[len(f.name)-1] == '/' {
		header.Typeflag = tar.TypeDir
	}
	if err := w.WriteHeader(header); err != nil {
		return err
	}
	_, err := w.Write(f.data)
	return err
}
