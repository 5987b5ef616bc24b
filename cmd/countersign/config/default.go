package config

import (
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/countersign-dev/countersign/cmd/countersign/document"
)

// Resolve returns the path of a member that is relative to the file, as the process can open it.
func (c *Config) Resolve(path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(c.Dir(), path)
}

// Dir is the directory of the file.
func (c *Config) Dir() string { return filepath.Dir(c.Path) }

// fillDefaults gives the members that are not written what their tag default says. A default is a value in YAML, or the
// path of another member, or one of the two sentences that are worked out here.
func (c *Config) fillDefaults() {
	c.computeDefaults()
	to := reflect.ValueOf(c).Elem()
	fillLiterals(root(), to)
	fillReferences(root(), to, c)
}

// computeDefaults works out what depends on more than one member.
func (c *Config) computeDefaults() {
	if c.Service.Main == "" {
		c.Service.Main = "."
		if dir := "./cmd/" + c.Service.Name; c.Service.Name != "" && isDir(c.Resolve(dir)) {
			c.Service.Main = dir
		}
	}
	if r := &c.Kubernetes.Replicas; r.Max == 0 {
		if r.Max = 6; r.Min != 0 {
			r.Max = r.Min
		}
	}
}

func isDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

func fillLiterals(s *shape, to reflect.Value) {
	for _, m := range s.members {
		field := to.Field(m.field)
		switch m.kind {
		case kindObject:
			fillLiterals(m, field)
		case kindList:
			if m.element.kind == kindObject {
				for i := range field.Len() {
					fillLiterals(m.element, field.Index(i))
				}
			} else if m.fallback != "" && field.IsNil() {
				field.Set(reflect.ValueOf(listDefault(m.fallback)))
			}
		default:
			if m.fallback != "" && field.IsZero() && !m.refers() && !m.computed() {
				setLiteral(m, field)
			}
		}
	}
}

func setLiteral(m *shape, field reflect.Value) {
	switch m.kind {
	case kindText:
		field.SetString(m.fallback)
	case kindNumber:
		n, _ := strconv.Atoi(m.fallback) // a test holds the tags
		field.SetInt(int64(n))
	case kindBool:
		value := m.fallback == "true"
		field.Set(reflect.ValueOf(&value))
	case kindDuration:
		d, _ := time.ParseDuration(m.fallback)
		field.SetInt(int64(d))
	}
}

// listDefault reads a list of texts in YAML's flow style.
func listDefault(text string) []string {
	node, err := document.Parse("default.yaml", []byte(text))
	if err != nil {
		panic("config: the default " + text + " is no list: " + err.Error()) // a test reads every tag
	}
	all := make([]string, 0, len(node.Items))
	for _, item := range node.Items {
		all = append(all, item.Text)
	}
	return all
}

// refers reports whether the default is what another member has.
func (s *shape) refers() bool { return s.kind == kindText && s.reference() != "" }

func (s *shape) reference() string {
	if s.fallback == "name" { // of the same item
		return "name"
	}
	if strings.Contains(s.fallback, ".") && root().find(s.fallback) != nil {
		return s.fallback
	}
	return ""
}

// computed reports whether the default is a sentence that computeDefaults works out.
func (s *shape) computed() bool { return strings.Contains(s.fallback, ", or ") }

func fillReferences(s *shape, to reflect.Value, c *Config) {
	for _, m := range s.members {
		field := to.Field(m.field)
		switch {
		case m.kind == kindObject:
			fillReferences(m, field, c)
		case m.kind == kindList && m.element.kind == kindObject:
			for i := range field.Len() {
				fillReferences(m.element, field.Index(i), c)
			}
		case m.refers() && field.String() == "" && m.reference() == "name":
			field.SetString(to.Field(s.member("name").field).String())
		case m.refers() && field.String() == "":
			field.SetString(c.text(m.reference()))
		}
	}
}

// text is the text at the path of a member that is in no list.
func (c *Config) text(path string) string {
	to, s := reflect.ValueOf(c).Elem(), root()
	for key := range strings.SplitSeq(path, ".") {
		s = s.member(key)
		to = to.Field(s.field)
	}
	return to.String()
}
