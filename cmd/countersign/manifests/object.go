package manifests

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"

	"go.yaml.in/yaml/v4"
)

// Object is one Kubernetes object.
type Object struct {
	APIVersion string // as apps/v1
	Kind       string
	Namespace  string // "" for a Namespace
	Name       string

	// YAML is the object as one document with a line end after it, and without the --- that separates documents.
	YAML []byte
}

// newObject encodes value, whose fields are those of the object.
func newObject(apiVersion, kind string, meta metadata, value any) (Object, error) {
	var b bytes.Buffer
	head := struct {
		APIVersion string   `yaml:"apiVersion"`
		Kind       string   `yaml:"kind"`
		Metadata   metadata `yaml:"metadata"`
	}{apiVersion, kind, meta}
	parts := []any{head}
	if value != nil {
		parts = append(parts, value)
	}
	for _, part := range parts {
		text, err := dump(part)
		if err != nil {
			return Object{}, fmt.Errorf("manifests: %s %s: %w", kind, meta.Name, err)
		}
		b.Write(text)
	}
	return Object{apiVersion, kind, meta.Namespace, meta.Name, b.Bytes()}, nil
}

// dump encodes a value as people write YAML by hand. A long annotation stays one line, which can be searched for.
func dump(value any) ([]byte, error) {
	return yaml.Dump(value, yaml.WithIndent(2), yaml.WithCompactSeqIndent(true), yaml.WithLineWidth(-1))
}

// JSON returns the object as JSON, its members in the order of their names.
func (o Object) JSON() (json.RawMessage, error) {
	var value any
	if err := yaml.Load(o.YAML, &value); err != nil {
		return nil, fmt.Errorf("manifests: %s %s: %w", o.Kind, o.Name, err)
	}
	return marshal(value)
}

// Encode writes the objects as one stream of YAML documents, as kubectl apply -f reads it.
func Encode(w io.Writer, objects []Object) error {
	var b bytes.Buffer
	for i, o := range objects {
		if i > 0 {
			b.WriteString("---\n")
		}
		b.Write(o.YAML)
	}
	_, err := w.Write(b.Bytes())
	return err
}

// EncodeJSON writes the objects as one v1 List, which kubectl apply -f reads as well.
func EncodeJSON(w io.Writer, objects []Object) error {
	list := struct {
		APIVersion string            `json:"apiVersion"`
		Kind       string            `json:"kind"`
		Items      []json.RawMessage `json:"items"`
	}{"v1", "List", make([]json.RawMessage, 0, len(objects))}
	for _, o := range objects {
		item, err := o.JSON()
		if err != nil {
			return err
		}
		list.Items = append(list.Items, item)
	}
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(list)
}

// marshal is json.Marshal without the escapes that are for HTML: an annotation is read by people too.
func marshal(value any) ([]byte, error) {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}
