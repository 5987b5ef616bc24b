package portable_test

import (
	"strings"
	"testing"

	"github.com/countersign-dev/countersign/cmd/countersign/portable"
)

// TestWhatIsEncodedIsDecoded: every kind of value, and strings that YAML would take for something else.
func TestWhatIsEncodedIsDecoded(t *testing.T) {
	const text = `{"UserPool":{"Id":"us-east-1_AAAAAAAAA","Name":"0123","Date":1767225600.000,"Empty":{},"None":[],"Nothing":null,` +
		`"Words":["true","null","~","1e3","0x10","2026-01-01","a: b","- c","# d"," e ","f\ng\n","","ü😀","\u0000","'\"","<<","=","yes"],"Flags":[true,false],"Numbers":[0,-1,1.5,1e3]}}`
	yaml, err := portable.Encode([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	for name, in := range map[string][]byte{"pool.yaml": yaml, "pool.json": []byte(text)} {
		got, err := portable.Decode(name, in)
		if err != nil || strings.ReplaceAll(string(got), `\u003c`, "<") != text {
			t.Errorf("%s: %v, got\n%s\nwant\n%s\nof\n%s", name, err, got, text, in)
		}
	}
}

func TestDecodeRefuses(t *testing.T) {
	for _, tt := range []struct{ name, text, want string }{
		{"nothing", "", "pool.yaml: the file is empty"},
		{"a list", "- a\n", "pool.yaml:1:1: this is no user pool"},
		{"another file", "listen: localhost:80\n", "pool.yaml:1:1: this is no user pool"},
		{"a member twice", "UserPool: {}\nUserPool: {}\n", `pool.yaml:2:1: the member "UserPool" is there twice`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := portable.Decode("pool.yaml", []byte(tt.text)); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %s", err, tt.want)
			}
		})
	}
}
