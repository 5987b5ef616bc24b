package peers

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/countersign-dev/countersign/internal/jose"
)

// vectorFile is one file of C2SP's Wycheproof: groups of signed messages with the key, and whether a verifier that holds
// to the RFCs accepts them.
type vectorFile struct {
	NumberOfTests int `json:"numberOfTests"`
	TestGroups    []struct {
		Comment string          `json:"comment"`
		Public  json.RawMessage `json:"public"`
		Private json.RawMessage `json:"private"` // of the symmetric ones, which have no public part
		Tests   []vector        `json:"tests"`
	} `json:"testGroups"`
}

type vector struct {
	ID      int      `json:"tcId"`
	Comment string   `json:"comment"`
	JWS     string   `json:"jws"`
	Result  string   `json:"result"`
	Flags   []string `json:"flags"`
}

// wycheproof reads a file from the module that testdata/vectors pins. It is read and never imported: that embeds 109 MB.
func wycheproof(t *testing.T, name string) vectorFile {
	t.Helper()
	download := exec.Command("go", "mod", "download", "-json", "github.com/c2sp/wycheproof")
	download.Dir = filepath.Join("..", "testdata", "vectors")
	download.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS=-mod=mod")
	out, err := download.Output()
	if err != nil {
		t.Fatalf("the module with the vectors cannot be had: %v\n%s", err, out)
	}
	var module struct{ Dir string }
	if err := json.Unmarshal(out, &module); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(filepath.Join(module.Dir, "testvectors_v1", name))
	if err != nil {
		t.Fatal(err)
	}
	var file vectorFile
	if err := json.Unmarshal(data, &file); err != nil {
		t.Fatal(err)
	}
	return file
}

// errNoJWS is for what has no signature of the form that is accepted.
var errNoJWS = errors.New("no exact compact JWS")

// verifyJWS is what the guard does with a token's signature, without its claims: a vector's payload is no access token.
func verifyJWS(set []byte, compact string) (jose.Algorithm, error) {
	keys, err := jose.ParseKeySet(set)
	if err != nil {
		return "", err
	}
	h, signature, err := read(compact)
	if err != nil {
		return "", err
	}
	key := keys.Lookup(h.KeyID, h.Algorithm)
	if key == nil {
		return h.Algorithm, errors.New("no key for kid and alg")
	}
	return h.Algorithm, key.Verify(h.Algorithm, []byte(compact[:strings.LastIndexByte(compact, '.')]), signature)
}

func read(compact string) (h jose.Header, signature []byte, err error) {
	parts, ok := jose.Split(compact)
	if !ok {
		return h, nil, errNoJWS
	}
	header, okHeader := jose.AppendDecode(nil, []byte(parts.Header))
	_, okPayload := jose.AppendDecode(nil, []byte(parts.Payload))
	signature, okSignature := jose.AppendDecode(nil, []byte(parts.Signature))
	if !okHeader || !okPayload || !okSignature {
		return h, nil, errNoJWS
	}
	h, err = jose.ParseHeader(string(header))
	return h, signature, err
}

// asSet is a JWK as a set of one, and a set as it is.
func asSet(key json.RawMessage) []byte {
	var set struct{ Keys []json.RawMessage }
	if json.Unmarshal(key, &set) == nil && set.Keys != nil {
		return key
	}
	return slices.Concat([]byte(`{"keys":[`), key, []byte(`]}`))
}

// notOurs are the algorithms of valid vectors that this library does not have. It refuses them.
var notOurs = map[jose.Algorithm]string{
	"HS256": "a verifier that can check an HMAC can also forge it", "HS384": "as HS256", "HS512": "as HS256",
	"RS384": "no issuer that is known signs access tokens with it", "RS512": "as RS384", "PS384": "as RS384", "PS512": "as RS384",
	"ES384": "as RS384", "ES512": "as RS384", "ES256K": "as RS384",
}

// errata are vectors that are marked valid and must be refused.
var errata = map[int]string{
	346: "the JWK is bound to PS256 and the token says PS384: RFC 8725, Section 3.1",
	347: "the JWK says ES521, which is no algorithm, and the token ES512: RFC 7518, Section 3.1",
	350: "as 346",
	351: "as 347",
	372: "a question mark is none of base64url's characters: RFC 7515, Section 2",
	373: "as 372",
}

// paddingLost are marked invalid for a padding that is not there: they are 357, which is valid, to the byte.
var paddingLost = []int{367, 370}

// emptyPayload are valid vectors that sign nothing. An access token has claims.
var emptyPayload = []int{259, 264, 268, 272, 320, 325}

func TestWycheproofSignatures(t *testing.T) {
	file := wycheproof(t, "json_web_signature_test.json")
	checkVectors(t, file, vectorCount{all: 401, accepted: 14})
	// The vectors of broken base64 are HMACs, which are refused in any case. What is tested with them is the encoding.
	for _, group := range file.TestGroups {
		if group.Comment != "base64" {
			continue
		}
		for _, v := range group.Tests {
			_, _, err := read(v.JWS)
			want := v.Result == "valid" && errata[v.ID] == "" || slices.Contains(paddingLost, v.ID)
			if want != (err == nil) {
				t.Errorf("tcId %d, %s, is marked %s; reading it gives %v", v.ID, v.Comment, v.Result, err)
			}
		}
	}
}

func TestWycheproofKeys(t *testing.T) {
	checkVectors(t, wycheproof(t, "json_web_key_test.json"), vectorCount{all: 26, accepted: 1})
}

type vectorCount struct{ all, accepted int }

// checkVectors holds the library to every vector: what is marked invalid is refused, and what is marked valid is accepted unless a
// table says why not. The counts are exact, so that a file that was cut or a reader that accepts nothing is found.
func checkVectors(t *testing.T, file vectorFile, want vectorCount) {
	t.Helper()
	var got vectorCount
	for _, group := range file.TestGroups {
		key := group.Public
		if key == nil {
			key = group.Private
		}
		for _, v := range group.Tests {
			got.all++
			alg, err := verifyJWS(asSet(key), v.JWS)
			if err == nil {
				got.accepted++
			}
			accept := v.Result == "valid" && errata[v.ID] == "" && !slices.Contains(emptyPayload, v.ID) && notOurs[algorithmOf(v.JWS)] == ""
			if accept != (err == nil) {
				t.Errorf("%s, tcId %d, %s (alg %q), is marked %s; we say %v", group.Comment, v.ID, v.Comment, alg, v.Result, err)
			}
		}
	}
	if got != want || got.all != file.NumberOfTests {
		t.Errorf("%d vectors of %d, %d of them accepted; want %+v", got.all, file.NumberOfTests, got.accepted, want)
	}
}

// algorithmOf reads the alg of a valid vector by other means than the library's.
func algorithmOf(compact string) jose.Algorithm {
	first, _, _ := strings.Cut(compact, ".")
	data, err := base64.RawURLEncoding.DecodeString(first)
	if err != nil {
		return ""
	}
	var header struct{ Alg jose.Algorithm }
	if json.Unmarshal(data, &header) != nil {
		return ""
	}
	return header.Alg
}
