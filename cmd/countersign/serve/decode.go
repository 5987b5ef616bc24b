package serve

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/countersign-dev/countersign/cmd/countersign/document"
)

// maxConfig bounds the read of the file, which has some 40 lines.
const maxConfig = 1 << 20

// read decodes the file into c, strictly: a key that nothing reads would be a setting that somebody believes in. What is wrong
// with single keys does not keep the others from being read.
func (c *Config) read(path string) (problems, err error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("configuration: %w; name the file with --config; docs/issuer.md has a complete one", err)
	}
	if err != nil {
		return nil, fmt.Errorf("configuration: %w", err)
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxConfig+1))
	if err != nil {
		return nil, fmt.Errorf("configuration: %w", err)
	}
	if len(text) > maxConfig {
		return nil, fmt.Errorf("configuration: %s is larger than %d KiB", path, maxConfig>>10)
	}
	root, err := document.Parse(path, text)
	if err != nil {
		return nil, err
	}
	d := decoder{places: map[string]document.Place{"": root.Place}}
	d.structure("", root, reflect.ValueOf(c).Elem())
	c.places = d.places
	return errors.Join(d.problems...), nil
}

// A decoder lays a document over a structure whose fields have the tag yaml, and remembers where each key stood.
type decoder struct {
	places   map[string]document.Place
	problems []error
}

func (d *decoder) fail(p document.Place, format string, args ...any) {
	d.problems = append(d.problems, p.Errorf(format, args...))
}

func (d *decoder) structure(path string, n *document.Node, into reflect.Value) {
	if n.Kind == document.Null { // "tls:" with nothing below it
		return
	}
	if n.Kind != document.Object {
		d.fail(n.Place, "%s is %s, want a mapping of keys to values", name(path), n.Kind)
		return
	}
	fields := fieldsOf(into.Type())
	for _, m := range n.Members {
		i := slices.IndexFunc(fields, func(f reflect.StructField) bool { return f.Tag.Get("yaml") == m.Name })
		if i < 0 {
			d.fail(m.Place, "the key %s is unknown%s; known here: %s", document.Quote(m.Name), in(path), keys(fields))
			continue
		}
		key := join(path, m.Name)
		d.places[key] = m.Value.Place
		d.value(key, m.Value, into.FieldByIndex(fields[i].Index), fields[i].Tag.Get("enum"))
	}
}

func (d *decoder) value(key string, n *document.Node, into reflect.Value, enum string) {
	switch target := into.Addr().Interface().(type) {
	case *string:
		if d.want(key, n, document.String, document.Number) {
			*target = n.Text
		}
		if enum != "" && !slices.Contains(strings.Split(enum, ","), n.Text) {
			d.fail(n.Place, "%s is %s, want one of %s", key, document.Quote(n.Text), strings.ReplaceAll(enum, ",", ", "))
		}
	case *bool:
		if d.want(key, n, document.Bool) {
			*target = n.Text == "true"
		}
	case *int:
		value, err := strconv.Atoi(n.Text)
		if n.Kind != document.Number || err != nil || value < 1 {
			d.fail(n.Place, "%s is %s, want a whole number above 0", key, document.Quote(n.Text))
			return
		}
		*target = value
	case *float64:
		if d.want(key, n, document.Number) {
			*target, _ = strconv.ParseFloat(n.Text, 64) // what is too large is infinite, and refused as that
		}
	case *time.Duration:
		d.duration(key, n, target)
	case *Texts:
		d.texts(key, n, target)
	case *SealKey:
		if n.Kind == document.String || n.Kind == document.Number {
			target.File = n.Text
			return
		}
		d.structure(key, n, into)
	default:
		d.structure(key, n, into)
	}
}

func (d *decoder) want(key string, n *document.Node, kinds ...document.Kind) bool {
	if slices.Contains(kinds, n.Kind) {
		return true
	}
	d.fail(n.Place, "%s is %s, want %s", key, n.Kind, kinds[0])
	return false
}

func (d *decoder) duration(key string, n *document.Node, into *time.Duration) {
	value, err := time.ParseDuration(n.Text)
	if n.Kind != document.String || err != nil || value < 0 {
		d.fail(n.Place, "%s is %s, want a duration, such as 20s or 1h30m", key, document.Quote(n.Text))
		return
	}
	*into = value
}

func (d *decoder) texts(key string, n *document.Node, into *Texts) {
	if !d.want(key, n, document.Object) {
		return
	}
	*into = make(Texts, len(n.Members))
	for _, m := range n.Members {
		d.places[join(key, m.Name)] = m.Value.Place
		if d.want(join(key, m.Name), m.Value, document.String) {
			(*into)[m.Name] = m.Value.Text
		}
	}
}

// Key is one key of the configuration file.
type Key struct{ Name, Doc, Default string }

// Keys lists the keys of the configuration file, for docs/issuer.md, which a test compares with it.
func Keys() []Key { return keysOf("", reflect.TypeFor[Config]()) }

func keysOf(path string, t reflect.Type) []Key {
	var all []Key
	for _, f := range fieldsOf(t) {
		key := join(path, f.Tag.Get("yaml"))
		doc := f.Tag.Get("doc")
		if enum := f.Tag.Get("enum"); enum != "" {
			doc += ": " + strings.ReplaceAll(enum, ",", ", ")
		}
		all = append(all, Key{key, doc, f.Tag.Get("default")})
		if f.Type.Kind() == reflect.Struct {
			all = append(all, keysOf(key, f.Type)...)
		}
	}
	return all
}

func fieldsOf(t reflect.Type) []reflect.StructField {
	return slices.DeleteFunc(reflect.VisibleFields(t), func(f reflect.StructField) bool { return f.Tag.Get("yaml") == "" })
}

func keys(fields []reflect.StructField) string {
	names := make([]string, len(fields))
	for i, f := range fields {
		names[i] = f.Tag.Get("yaml")
	}
	return strings.Join(names, ", ")
}

func join(path, key string) string { return strings.TrimPrefix(path+"."+key, ".") }

func name(path string) string {
	if path == "" {
		return "the file"
	}
	return path
}

func in(path string) string {
	if path == "" {
		return ""
	}
	return " in " + strconv.Quote(path)
}
