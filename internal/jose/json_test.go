package jose_test

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/countersign-dev/countersign/internal/jose"
)

// read reads a document whole.
func read(document string) (map[string]jose.Value, bool) {
	values := map[string]jose.Value{}
	object := jose.ReadObject([]byte(document))
	for object.Next() {
		values[string(object.Name())] = object.Value()
	}
	return values, object.Err() == nil
}

func TestObject(t *testing.T) {
	deep := func(n int) string {
		return `{"a":` + strings.Repeat(`[`, n) + strings.Repeat(`]`, n) + `}`
	}
	objects := func(n int) string { return strings.Repeat(`{"a":`, n) + `1` + strings.Repeat(`}`, n) }
	for document, want := range map[string]bool{
		objects(16): true, objects(17): false,
		`{}`: true, ` {} `: true, "\t{\n}\r": true, `{"a":1}`: true, `{"a" : [ 1 , {"b":null} , true , false , "x" ] }`: true,
		`{"a":-0.5e+10,"b":0,"c":-0,"d":1E5}`: true, `{"":""}`: true, `{"a":{"a":{"a":1}}}`: true, `{"a":[{"x":1},{"x":2}]}`: true,
		`{"\u0000":1}`: true, `{"\ud83d\ude00":"😀"}`: true, deep(15): true,

		``: false, ` `: false, `null`: false, `[]`: false, `"a"`: false, `1`: false, `{`: false, `}`: false, `{"a"}`: false, `{"a":}`: false, `{"a":1,}`: false, `{,}`: false,
		`{"a":1 "b":2}`: false, `{a:1}`: false, `{'a':1}`: false, `{"a":1}{}`: false, `{"a":1} x`: false, "{}\x00": false, `{"a":[1,]}`: false, `{"a":[,1]}`: false, `{"a":[1}`: false,
		`{"a":01}`: false, `{"a":+1}`: false, `{"a":1.}`: false, `{"a":.5}`: false, `{"a":1e}`: false, `{"a":-}`: false, `{"a":NaN}`: false, `{"a":Infinity}`: false, `{"a":0x10}`: false,
		`{"a":tru}`: false, `{"a":True}`: false, `{"a":nul}`: false, "{\"a\":\"\n\"}": false, "{\"a\":\"\x00\"}": false, `{"a":"\x"}`: false, `{"a":"\u12"}`: false, `{"a":"\u12G4"}`: false, `{"a":"\`: false, `{"a":"\"}`: false,
		`{"a":"\ud83d"}`: false, `{"a":"\ude00\ud83d"}`: false, `{"a":"\ud83d\u0041"}`: false, "{\"a\":\"\xff\"}": false, "{\"a\":\"\xed\xa0\x80\"}": false, "\ufeff{}": false,
		`{"a":1,"a":1}`: false, `{"a":1,"\u0061":1}`: false, `{"a":1,"b":2,"a":3}`: false, `{"x":{"a":1,"a":1}}`: false, `{"x":[{"a":1,"a":1}]}`: false, `{"x":{"y":{},"y":{}}}`: false,
		`{"a":1,"A":1}`: true, `{"scope":1,"ſcope":1}`: true, `{"a":1,"x":{"a":1},"b":{"a":1}}`: true, deep(16): false, deep(100000): false,
		`{/**/}`: false, `{"a":1/**/}`: false,
	} {
		if _, ok := read(document); ok != want {
			t.Errorf("%.60q: %v, want %v", document, ok, want)
		}
	}
}

func TestObjectIsBoundedInMembers(t *testing.T) {
	members := func(n int) string {
		var b strings.Builder
		for i := range n {
			b.WriteString(`,"` + strings.Repeat("a", i+1) + `":1`)
		}
		return b.String()[1:]
	}
	if _, ok := read("{" + members(256) + "}"); !ok {
		t.Error("256 members are refused")
	}
	if _, ok := read("{" + members(257) + "}"); ok {
		t.Error("257 members are accepted")
	}
	if _, ok := read(`{"outer":{` + members(256) + `}}`); ok {
		t.Error("257 members at two levels are accepted")
	}
	if _, ok := read(`{"outer":[{` + members(200) + `},{` + members(200) + `}]}`); !ok {
		t.Error("members that are not open at one moment are counted together")
	}
}

func TestValues(t *testing.T) {
	values, ok := read(`{"s":"a\n\/\u0041\ud83d\ude00","n":null,"i":1700000000,"f":1700000000.9,"e":17e8,"z":0,"neg":-1,"big":253402300800,"last":253402300799,"long":` +
		strings.Repeat("1", 70) + `,"huge":1e400,"tiny":1e-400,"a":[ "x" , [1,"],"] ,{"k":"}"}, 2.5 ,null,[] ],"empty":[ ]}`)
	if !ok {
		t.Fatal("not read")
	}
	if s, ok := values["s"].Text(); !ok || string(s) != "a\n/A😀" {
		t.Errorf("text %q", s)
	}
	for name, want := range map[string]int64{
		"i": 1700000000, "f": 1700000000, "e": 1700000000, "z": 0, "last": 253402300799, "tiny": 0,
		"s": -1, "n": -1, "neg": -1, "big": -1, "long": -1, "huge": -1, "a": -1, "missing": -1,
	} {
		got, ok := values[name].Seconds()
		if !ok {
			got = -1
		}
		if got != want {
			t.Errorf("%s is %d, want %d", name, got, want)
		}
	}
	for _, name := range []string{"n", "i", "a", "missing"} {
		if s, ok := values[name].Text(); ok {
			t.Errorf("%s is the text %q", name, s)
		}
	}
	var elements []string
	list, ok := values["a"].Array()
	for ok && list.Next() {
		elements = append(elements, string(list.Value().Raw()))
	}
	if got, want := strings.Join(elements, "|"), `"x"|[1,"],"]|{"k":"}"}|2.5|null|[]`; got != want {
		t.Errorf("elements %s, want %s", got, want)
	}
	if list, ok := values["empty"].Array(); !ok || list.Next() {
		t.Error("the empty array is none or has elements")
	}
	if _, ok := values["s"].Array(); ok {
		t.Error("a string is an array")
	}
}

// Nothing is read wrongly that encoding/json reads at all, and the differences are those that are meant.
func FuzzObject(f *testing.F) {
	for _, s := range []string{
		`{}`, `{"a":1}`, `{"a":[1,"x",{"b":null}],"c":"\u0041\ud83d\ude00"}`, `{"a":1,"a":2}`, `{"a":"\ud83d"}`, `{"a":-0.5e+10}`, `{"a":[[[[]]]]}`, "{\"\xff\":1}", `{"a":01}`,
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, document string) {
		values, ok := read(document)
		var other map[string]json.RawMessage
		err := json.Unmarshal([]byte(document), &other)
		if !ok {
			return
		}
		if err != nil || other == nil || !utf8.ValidString(document) {
			t.Fatalf("accepted what encoding/json refuses: %v", err)
		}
		if len(values) != len(other) {
			t.Fatalf("%d members, encoding/json has %d", len(values), len(other))
		}
		for name, raw := range other {
			if string(values[name].Raw()) != string(raw) {
				t.Errorf("%q is %s, encoding/json has %s", name, values[name].Raw(), raw)
			}
			var s string
			if text, ok := values[name].Text(); ok && (json.Unmarshal(raw, &s) != nil || s != string(text)) {
				t.Errorf("%q is %q, encoding/json has %q", name, text, s)
			}
			var elements []json.RawMessage
			if list, ok := values[name].Array(); ok {
				if err := json.Unmarshal(raw, &elements); err != nil {
					t.Fatal(err)
				}
				for _, element := range elements {
					if !list.Next() || string(list.Value().Raw()) != string(element) {
						t.Fatalf("%q has the element %s, encoding/json has %s", name, list.Value().Raw(), element)
					}
				}
				if list.Next() {
					t.Errorf("%q has more elements than for encoding/json", name)
				}
			}
		}
	})
}
