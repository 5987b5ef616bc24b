package seen

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
)

// maxHAR bounds a HAR, in bytes: it has the bodies of all answers in it.
const maxHAR = 512 << 20

// entry is what is wanted of an entry of a HAR (HTTP Archive 1.2, "entries").
type entry struct {
	Request struct {
		Method string `json:"method"`
		URL    string `json:"url"`
	} `json:"request"`
	Response struct {
		Status int `json:"status"`
	} `json:"response"`
}

// readHAR reads entry by entry, so that the whole archive is never in memory.
func (l *Log) readHAR(in io.Reader, ours func(host string) bool) error {
	limited := &io.LimitedReader{R: in, N: maxHAR}
	d := json.NewDecoder(limited)
	err := members(d, func(name string) error {
		if name != "log" {
			return skip(d)
		}
		return members(d, func(name string) error {
			if name != "entries" {
				return skip(d)
			}
			return elements(d, func() error {
				var e entry
				if err := d.Decode(&e); err != nil {
					return err
				}
				l.addEntry(e, ours)
				return nil
			})
		})
	})
	switch {
	case err != nil && limited.N <= 0:
		return fmt.Errorf("the HAR is larger than %d MiB", maxHAR>>20)
	case err != nil:
		// The decoder's own words may repeat what is in the file.
		return errors.New("the file begins as a HAR and is none; save it again with the browser's \"Save all as HAR\"")
	}
	return nil
}

func (l *Log) addEntry(e entry, ours func(host string) bool) {
	u, err := url.Parse(e.Request.URL)
	switch {
	case err != nil || u.Host == "":
		l.Unreadable++
	case !ours(u.Host):
		l.Elsewhere++
	case e.Response.Status == 0: // the browser gave up, or answered itself
	case !l.add(e.Request.Method, e.Request.URL, e.Response.Status):
		l.Unreadable++
	}
}

var errShape = errors.New("another shape")

// members calls each with the name of every member of an object; each reads the value.
func members(d *json.Decoder, each func(name string) error) error {
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return errors.Join(err, errShape)
	}
	for d.More() {
		t, err := d.Token()
		if err != nil {
			return err
		}
		name, ok := t.(string)
		if !ok {
			return errShape
		}
		if err := each(name); err != nil {
			return err
		}
	}
	_, err := d.Token()
	return err
}

func elements(d *json.Decoder, each func() error) error {
	if t, err := d.Token(); err != nil || t != json.Delim('[') {
		return errors.Join(err, errShape)
	}
	for d.More() {
		if err := each(); err != nil {
			return err
		}
	}
	_, err := d.Token()
	return err
}

func skip(d *json.Decoder) error {
	var value json.RawMessage
	return d.Decode(&value)
}
