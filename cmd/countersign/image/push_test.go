package image_test

import (
	"bytes"
	"encoding/json"
	"io"
	"testing"

	cdx "github.com/CycloneDX/cyclonedx-go"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/validate"

	"github.com/countersign-dev/countersign/cmd/countersign/image"
)

// TestPush pushes to a registry that lists referrers, and to an older one, where a tag lists them.
func TestPush(t *testing.T) {
	built := orders(t)
	for _, referrers := range []bool{true, false} {
		s := newRegistry(t, registry.WithReferrersSupport(referrers))
		repository := s.host() + "/shop/orders"
		pushed, err := built.Push(t.Context(), image.Registry{}, repository, "v1.2.3")
		if err != nil {
			t.Fatal(err)
		}
		if want := repository + "@" + built.Digest; pushed.Reference != want || pushed.AlreadyThere || pushed.RepositoryMade {
			t.Errorf("%+v, want %s", pushed, want)
		}
		checkPulled(t, built, pushed.Reference)
		tagged, err := remote.Head(mustTag(t, repository+":v1.2.3"))
		if err != nil || tagged.Digest.String() != built.Digest {
			t.Errorf("%+v, %v", tagged, err)
		}
		before := s.count()
		if again, err := built.Push(t.Context(), image.Registry{}, repository, "v1.2.3"); err != nil || !again.AlreadyThere || s.count() != before {
			t.Errorf("the second push: %+v, %v, %d uploads", again, err, s.count()-before)
		}
		if other, err := built.Push(t.Context(), image.Registry{}, repository, "v1.2.4"); err != nil || other.AlreadyThere {
			t.Errorf("under another tag: %+v, %v", other, err)
		}
	}
}

// TestPushMovesNoTag: a tag that names another image stays, unless somebody says otherwise.
func TestPushMovesNoTag(t *testing.T) {
	built := orders(t)
	s := newRegistry(t)
	repository := s.host() + "/shop/orders"
	latest := nameAnother(t, built, repository, "latest")
	_, err := built.Push(t.Context(), image.Registry{}, repository, "latest")
	wantError(t, err, "tag latest of "+repository+" names another image already, "+built.Platforms[0].Digest, "leave --tag out", "--force-tag")
	if now, err := remote.Head(latest); err != nil || now.Digest.String() != built.Platforms[0].Digest {
		t.Errorf("the tag was moved: %+v, %v", now, err)
	}
	if _, err := built.Push(t.Context(), image.Registry{ForceTag: true}, repository, "latest"); err != nil {
		t.Error(err)
	}
	if now, err := remote.Head(latest); err != nil || now.Digest.String() != built.Digest {
		t.Errorf("the tag was not moved: %+v, %v", now, err)
	}
}

// TestPushSaysWhyTheVersionIsTaken: nobody named a tag, so that leaving it out is no advice.
func TestPushSaysWhyTheVersionIsTaken(t *testing.T) {
	built := orders(t)
	s := newRegistry(t)
	repository := s.host() + "/shop/orders"
	nameAnother(t, built, repository, built.Tag())
	_, err := built.Push(t.Context(), image.Registry{}, repository, built.Tag())
	wantError(t, err, "the same source was built otherwise before", "name a tag with --tag")
}

// nameAnother lets the tag name what another build would be: one of the images of this one.
func nameAnother(t *testing.T, built *image.Image, repository, tag string) name.Tag {
	t.Helper()
	if _, err := built.Push(t.Context(), image.Registry{}, repository, "v1"); err != nil {
		t.Fatal(err)
	}
	other, err := remote.Get(mustTag(t, repository+":v1").Context().Digest(built.Platforms[0].Digest))
	if err != nil {
		t.Fatal(err)
	}
	named := mustTag(t, repository+":"+tag)
	if err := remote.Tag(named, other); err != nil {
		t.Fatal(err)
	}
	return named
}

// checkPulled pulls by digest, as a node of a cluster does, and reads the bill of materials of each platform.
func checkPulled(t *testing.T, built *image.Image, reference string) {
	t.Helper()
	ref, err := name.NewDigest(reference)
	if err != nil {
		t.Fatal(err)
	}
	index, err := remote.Index(ref)
	if err != nil {
		t.Fatal(err)
	}
	if err := validate.Index(index); err != nil {
		t.Error(err)
	}
	manifest, err := index.IndexManifest()
	if err != nil {
		t.Fatal(err)
	}
	if len(manifest.Manifests) != 2 {
		t.Fatalf("%+v", manifest.Manifests)
	}
	for i, child := range manifest.Manifests {
		if child.Platform.String() != built.Platforms[i].Platform || child.Digest.String() != built.Platforms[i].Digest {
			t.Errorf("%+v, want %+v", child, built.Platforms[i])
		}
		checkBill(t, ref.Context().Digest(child.Digest.String()), built.Platforms[i])
	}
}

func checkBill(t *testing.T, subject name.Digest, platform image.Platform) {
	t.Helper()
	referrers, err := remote.Referrers(subject)
	if err != nil {
		t.Fatal(err)
	}
	list, err := referrers.IndexManifest()
	if err != nil {
		t.Fatal(err)
	}
	if len(list.Manifests) != 1 || list.Manifests[0].Digest.String() != platform.SBOM {
		t.Fatalf("%s: referrers %+v, want %s", platform.Platform, list.Manifests, platform.SBOM)
	}
	text := artifactOf(t, subject.Context().Digest(platform.SBOM))
	var bill cdx.BOM
	if err := cdx.NewBOMDecoder(bytes.NewReader(text), cdx.BOMFileFormatJSON).Decode(&bill); err != nil {
		t.Fatal(err)
	}
	if top := bill.Metadata.Component; top.Name != "example.com/orders" || bill.SpecVersion != cdx.SpecVersion1_6 || len(*bill.Components) != platform.Modules {
		t.Errorf("%s", text)
	}
	if std := (*bill.Components)[0]; std.Name != "std" || std.Version == "" {
		t.Errorf("the standard library is %+v", std)
	}
}

// artifactOf reads the one blob of an artifact.
func artifactOf(t *testing.T, ref name.Digest) []byte {
	t.Helper()
	found, err := remote.Get(ref)
	if err != nil {
		t.Fatal(err)
	}
	var manifest v1.Manifest
	if err := json.Unmarshal(found.Manifest, &manifest); err != nil {
		t.Fatal(err)
	}
	layer, err := remote.Layer(ref.Context().Digest(manifest.Layers[0].Digest.String()))
	if err != nil {
		t.Fatal(err)
	}
	body, err := layer.Compressed()
	if err != nil {
		t.Fatal(err)
	}
	defer body.Close()
	text, err := io.ReadAll(body)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func mustTag(t *testing.T, text string) name.Tag {
	t.Helper()
	tag, err := name.NewTag(text)
	if err != nil {
		t.Fatal(err)
	}
	return tag
}
