package image

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"runtime/debug"
	"strings"

	cdx "github.com/CycloneDX/cyclonedx-go"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/partial"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// sbomType is the media type of CycloneDX in JSON, as IANA has it.
const sbomType = "application/vnd.cyclonedx+json"

// attachment is the bill of materials of one platform's image as an OCI artifact that refers to it (OCI distribution specification 1.1,
// "Listing Referrers"), and how many modules it lists.
func attachment(built *Image, subject v1.Image, program binary) (v1.Image, int, error) {
	bill := billOf(built, program)
	var text bytes.Buffer
	if err := cdx.NewBOMEncoder(&text, cdx.BOMFileFormatJSON).SetPretty(true).EncodeVersion(bill, cdx.SpecVersion1_6); err != nil {
		return nil, 0, fmt.Errorf("bill of materials: %w", err)
	}
	layer := static.NewLayer(text.Bytes(), sbomType)
	about, err := partial.Descriptor(subject)
	if err != nil {
		return nil, 0, err
	}
	contents, err := partial.Descriptor(layer)
	if err != nil {
		return nil, 0, err
	}
	// OCI image specification 1.1, "Guidelines for Artifact Usage": an artifact without a configuration has the empty JSON object.
	config := []byte("{}")
	hash, size, err := v1.SHA256(bytes.NewReader(config))
	if err != nil {
		return nil, 0, err
	}
	manifest, err := json.Marshal(v1.Manifest{
		SchemaVersion: 2, MediaType: types.OCIManifestSchema1, ArtifactType: sbomType,
		Config:  v1.Descriptor{MediaType: types.OCIEmptyJSON, Size: size, Digest: hash, Data: config},
		Layers:  []v1.Descriptor{{MediaType: sbomType, Size: contents.Size, Digest: contents.Digest}},
		Subject: &v1.Descriptor{MediaType: about.MediaType, Size: about.Size, Digest: about.Digest},
	})
	if err != nil {
		return nil, 0, err
	}
	image, err := partial.CompressedToImage(artifact{config, manifest, layer})
	return image, len(*bill.Components), err
}

// artifact is an OCI artifact of one layer.
type artifact struct {
	config, manifest []byte
	layer            v1.Layer
}

func (a artifact) RawConfigFile() ([]byte, error)      { return a.config, nil }
func (a artifact) RawManifest() ([]byte, error)        { return a.manifest, nil }
func (a artifact) MediaType() (types.MediaType, error) { return types.OCIManifestSchema1, nil }
func (a artifact) LayerByDigest(hash v1.Hash) (partial.CompressedLayer, error) {
	if digest, err := a.layer.Digest(); err != nil || digest != hash {
		return blob(a.config), err
	}
	return a.layer, nil
}

// blob is bytes as a layer.
type blob []byte

func (b blob) Digest() (v1.Hash, error) {
	hash, _, err := v1.SHA256(bytes.NewReader(b))
	return hash, err
}
func (b blob) Compressed() (io.ReadCloser, error)  { return io.NopCloser(bytes.NewReader(b)), nil }
func (b blob) Size() (int64, error)                { return int64(len(b)), nil }
func (b blob) MediaType() (types.MediaType, error) { return types.OCIEmptyJSON, nil }

// billOf lists what the go command says that the binary is made of. It has no time and no serial number: those of the same
// program are the same.
func billOf(built *Image, program binary) *cdx.BOM {
	info := program.info
	top := component(&info.Main)
	top.Type, top.Name = cdx.ComponentTypeApplication, info.Path
	top.Version = built.Version
	top.BOMRef = "program"
	goVersion := strings.TrimPrefix(info.GoVersion, "go")
	goVersion, _, _ = strings.Cut(goVersion, " ") // "1.26.0 X:experiment"
	components := []cdx.Component{{
		BOMRef: "pkg:golang/std@" + goVersion, Type: cdx.ComponentTypeLibrary, Name: "std", Version: goVersion,
		PackageURL: "pkg:golang/std@" + goVersion,
	}}
	for _, module := range info.Deps {
		if module.Replace != nil {
			module = module.Replace
		}
		components = append(components, component(module))
	}
	var refs []string
	for _, c := range components {
		refs = append(refs, c.BOMRef)
	}
	bill := cdx.NewBOM()
	bill.Metadata = &cdx.Metadata{Component: &top, Properties: properties(program)}
	bill.Components = &components
	bill.Dependencies = &[]cdx.Dependency{{Ref: top.BOMRef, Dependencies: &refs}}
	return bill
}

// component describes one module. The hash is go.sum's, of the module's files.
func component(module *debug.Module) cdx.Component {
	url := "pkg:golang/" + module.Path
	if module.Version != "" && module.Version != "(devel)" {
		url += "@" + strings.ReplaceAll(module.Version, "+", "%2B")
	}
	c := cdx.Component{BOMRef: url, Type: cdx.ComponentTypeLibrary, Name: module.Path, Version: module.Version, PackageURL: url}
	if sum, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(module.Sum, "h1:")); err == nil && len(sum) == 32 {
		c.Hashes = &[]cdx.Hash{{Algorithm: cdx.HashAlgoSHA256, Value: hex.EncodeToString(sum)}}
	}
	return c
}

// properties are the settings of the build.
func properties(program binary) *[]cdx.Property {
	all := []cdx.Property{{Name: "countersign:platform", Value: program.platform.String()}}
	for _, setting := range program.info.Settings {
		all = append(all, cdx.Property{Name: "countersign:go:" + setting.Key, Value: setting.Value})
	}
	return &all
}
