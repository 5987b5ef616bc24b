package image_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"

	"github.com/countersign-dev/countersign/cmd/countersign/image"
)

const ecrRepository = "123456789012.dkr.ecr.ap-southeast-1.amazonaws.com/shop/orders"

// fakeECR is the API of Amazon ECR, and a registry that takes its token alone.
type fakeECR struct {
	api, data    *httptest.Server
	repositories map[string]map[string]any
	denied       map[string]bool // actions
	calls        []string
}

func newFakeECR(t *testing.T) *fakeECR {
	f := &fakeECR{repositories: map[string]map[string]any{}, denied: map[string]bool{}}
	f.api = httptest.NewServer(http.HandlerFunc(f.serveAPI))
	inner := newRegistry(t)
	f.data = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, password, _ := r.BasicAuth(); password != "tok:en" {
			w.Header().Set("WWW-Authenticate", `Basic realm="ecr"`)
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		inner.Config.Handler.ServeHTTP(w, r)
	}))
	t.Cleanup(f.api.Close)
	t.Cleanup(f.data.Close)
	return f
}

func (f *fakeECR) serveAPI(w http.ResponseWriter, r *http.Request) {
	_, action, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	f.calls = append(f.calls, action)
	var in map[string]any
	json.NewDecoder(r.Body).Decode(&in)
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	fail := func(code string) {
		w.Header().Set("X-Amzn-Errortype", code)
		w.WriteHeader(http.StatusBadRequest)
		json.NewEncoder(w).Encode(map[string]string{"__type": code, "message": "refused"})
	}
	name, _ := in["repositoryName"].(string)
	switch {
	case f.denied[action]:
		fail("AccessDeniedException")
	case action == "GetAuthorizationToken":
		// The token of moto is said to have ended in 2015; it is taken all the same.
		token := base64.StdEncoding.EncodeToString([]byte("AWS:tok:en"))
		json.NewEncoder(w).Encode(map[string]any{"authorizationData": []any{map[string]any{"authorizationToken": token, "expiresAt": 1420070400}}})
	case action == "DescribeRepositories":
		names, _ := in["repositoryNames"].([]any)
		if found, there := f.repositories[names[0].(string)]; there {
			json.NewEncoder(w).Encode(map[string]any{"repositories": []any{found}})
			return
		}
		fail("RepositoryNotFoundException")
	case action == "CreateRepository":
		f.repositories[name] = in
		json.NewEncoder(w).Encode(map[string]any{"repository": map[string]any{"repositoryName": name}})
	case action == "DeleteRepository":
		if _, there := f.repositories[name]; !there {
			fail("RepositoryNotFoundException")
			return
		}
		delete(f.repositories, name)
		json.NewEncoder(w).Encode(map[string]any{"repository": map[string]any{"repositoryName": name}})
	default:
		fail("InvalidAction")
	}
}

func (f *fakeECR) registry() image.Registry {
	return image.Registry{
		Transport: elsewhere{strings.TrimPrefix(f.data.URL, "http://"), "http"}, InsecureHTTP: true,
		ECR: func(_ context.Context, region string) (*ecr.Client, error) {
			return ecr.New(ecr.Options{Region: region, BaseEndpoint: &f.api.URL, Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
				return aws.Credentials{AccessKeyID: "AKIA", SecretAccessKey: "secret"}, nil
			})}), nil
		},
	}
}

func TestECRMakesTheRepository(t *testing.T) {
	built := orders(t)
	f := newFakeECR(t)
	pushed, err := built.Push(t.Context(), f.registry(), ecrRepository, "v1")
	if err != nil || !pushed.RepositoryMade || pushed.Reference != ecrRepository+"@"+built.Digest {
		t.Fatalf("%+v, %v", pushed, err)
	}
	made := f.repositories["shop/orders"]
	scan, _ := made["imageScanningConfiguration"].(map[string]any)
	if tags, _ := json.Marshal(made["tags"]); !strings.Contains(string(tags), `{"Key":"countersign:service","Value":"`+built.Name+`"}`) {
		t.Errorf("the tags are %s", tags)
	}
	if made["imageTagMutability"] != "IMMUTABLE" || scan["scanOnPush"] != true || made["registryId"] != "123456789012" {
		t.Errorf("%v", made)
	}
	again, err := built.Push(t.Context(), f.registry(), ecrRepository, "v1")
	if err != nil || again.RepositoryMade || !again.AlreadyThere {
		t.Errorf("%+v, %v", again, err)
	}
}

func TestECRRefuses(t *testing.T) {
	built := orders(t)
	for _, test := range []struct {
		denied string
		want   []string
	}{
		{"GetAuthorizationToken", []string{"amazon ecr of account 123456789012 in ap-southeast-1: cannot log in", "ecr:GetAuthorizationToken"}},
		{"CreateRepository", []string{"cannot make the repository shop/orders", "ecr:CreateRepository"}},
	} {
		f := newFakeECR(t)
		f.denied[test.denied] = true
		_, err := built.Push(t.Context(), f.registry(), ecrRepository, "v1")
		wantError(t, err, test.want...)
		if err != nil && strings.Contains(err.Error(), "tok:en") {
			t.Errorf("the token is in the error: %v", err)
		}
	}
	// Who may push, and not look, pushes.
	f := newFakeECR(t)
	f.denied["DescribeRepositories"] = true
	if _, err := built.Push(t.Context(), f.registry(), ecrRepository, "v1"); err != nil {
		t.Error(err)
	}
}
