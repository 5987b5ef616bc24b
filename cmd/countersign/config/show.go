package config

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"

	"github.com/countersign-dev/countersign/cmd/countersign/document"
)

// YAML is the effective file: the environment laid over it, and every default filled in. [Load] reads it as the same Config.
func (c *Config) YAML() ([]byte, error) {
	var out bytes.Buffer
	w := yaml.NewEncoder(&out)
	w.SetIndent(2)
	if err := w.Encode(c.effective().yaml()); err != nil {
		return nil, fmt.Errorf("config: %w", err)
	}
	return out.Bytes(), w.Close()
}

// JSON is the effective file as JSON, with the members of countersign.yaml.
func (c *Config) JSON() ([]byte, error) {
	out, err := json.MarshalIndent(c.effective(), "", "  ")
	if err != nil {
		return nil, fmt.Errorf("config: %w", err)
	}
	return append(out, '\n'), nil
}

// Problem is a mistake of the member at the path, as "clients[0].secret", for what only the reader of the file can judge. A
// member that is not written has the place of what it would stand in.
func (c *Config) Problem(path, format string, args ...any) *Problem {
	r := reader{values: c.values}
	if r.failMember(path, format, args...); len(r.problems) == 0 { // a Config that no file was read for
		return &Problem{Place: document.Place{File: c.Path}, Path: path, Text: fmt.Sprintf(format, args...)}
	}
	return r.problems[0]
}

func (c *Config) effective() ordered {
	return effective(root(), reflect.ValueOf(c).Elem())
}

// effective has the members that have a value.
func effective(s *shape, from reflect.Value) ordered {
	var out ordered
	for _, m := range s.members {
		if value := effectiveMember(m, from.Field(m.field)); value != nil {
			out = append(out, pair{m.key, value})
		}
	}
	return out
}

func effectiveMember(s *shape, from reflect.Value) any {
	if from.Kind() == reflect.Pointer {
		if from.IsNil() {
			return nil
		}
		return from.Elem().Bool()
	}
	switch {
	case s.kind == kindObject:
		if inner := effective(s, from); inner != nil {
			return inner
		}
		return nil
	case from.IsZero():
		return nil
	case s.kind == kindDuration:
		return durationWords(time.Duration(from.Int()))
	case s.kind == kindTable:
		return effectiveTable(from.Interface().(map[string]string))
	case s.kind == kindList && s.element.kind == kindObject:
		all := []ordered{}
		for i := range from.Len() {
			all = append(all, effective(s.element, from.Index(i)))
		}
		return all
	}
	return from.Interface()
}

func effectiveTable(from map[string]string) ordered {
	out := ordered{}
	for _, name := range slices.Sorted(maps.Keys(from)) {
		out = append(out, pair{name, from[name]})
	}
	return out
}

// durationWords is 1h where Go says 1h0m0s.
func durationWords(d time.Duration) string {
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

// yaml makes nodes, because a map of Go has no order. Short lists stand on one line.
func (o ordered) yaml() *yaml.Node {
	n := &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}
	for _, p := range o {
		n.Content = append(n.Content, textNode(p.key), yamlNode(p.value))
	}
	return n
}

func yamlNode(value any) *yaml.Node {
	switch value := value.(type) {
	case ordered:
		return value.yaml()
	case []ordered:
		n := &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq"}
		for _, item := range value {
			n.Content = append(n.Content, item.yaml())
		}
		return n
	case []string:
		n := &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq", Style: yaml.FlowStyle}
		for _, item := range value {
			n.Content = append(n.Content, textNode(item))
		}
		return n
	case bool:
		return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!bool", Value: strconv.FormatBool(value)}
	case int:
		return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!int", Value: strconv.Itoa(value)}
	}
	return textNode(fmt.Sprint(value))
}

// textNode is in quotes where the text would be another value without them.
func textNode(text string) *yaml.Node {
	n := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: text}
	var plain any
	if err := yaml.Unmarshal([]byte(text), &plain); err != nil || plain != any(text) || strings.ContainsAny(text, ",[]{}#:\n") && !strings.Contains(text, "://") {
		n.Style = yaml.DoubleQuotedStyle
	}
	return n
}
