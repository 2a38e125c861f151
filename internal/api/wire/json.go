package wire

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/callwright/callwright/internal/domain"
)

// MaxDepth is how deep arrays and objects of a request may be nested.
const MaxDepth = 64

// CheckJSON refuses what decoders disagree about: text that is not UTF-8,
// objects that name a member twice (RFC 8259 section 4), nesting deeper than
// MaxDepth, NUL characters, and more than one value. Its errors never repeat a
// value of the request.
func CheckJSON(raw []byte) error {
	if !utf8.Valid(raw) {
		return notJSON("the request body is not valid UTF-8")
	}
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	c := checker{dec: dec}
	if err := c.value(0); err != nil {
		return err
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return notJSON("the request body holds more than one JSON value")
	}
	return nil
}

// checker walks one JSON value token by token.
type checker struct {
	dec  *json.Decoder
	path []string
}

func (c *checker) value(depth int) error {
	token, err := c.token()
	if err != nil {
		return err
	}
	switch t := token.(type) {
	case json.Delim:
		if depth >= MaxDepth {
			return domain.Invalid("", "the request body is nested deeper than %d levels", MaxDepth)
		}
		if t == '{' {
			return c.object(depth)
		}
		return c.array(depth)
	case string:
		return c.text(t)
	}
	return nil
}

func (c *checker) object(depth int) error {
	seen := make(map[string]struct{})
	for c.dec.More() {
		token, err := c.token()
		if err != nil {
			return err
		}
		name, _ := token.(string) // the decoder lets only strings stand here
		if _, twice := seen[name]; twice {
			return c.invalid(name, "is there twice")
		}
		seen[name] = struct{}{}
		if strings.ContainsRune(name, 0) {
			return domain.Invalid("", "the request body has a member whose name contains a NUL character")
		}
		c.path = append(c.path, name)
		if err := c.value(depth + 1); err != nil {
			return err
		}
		c.path = c.path[:len(c.path)-1]
	}
	_, err := c.token()
	return err
}

func (c *checker) array(depth int) error {
	for c.dec.More() {
		if err := c.value(depth + 1); err != nil {
			return err
		}
	}
	_, err := c.token()
	return err
}

func (c *checker) text(s string) error {
	if strings.ContainsRune(s, 0) {
		if len(c.path) == 0 {
			return domain.Invalid("", "the request body contains a NUL character")
		}
		return c.invalid("", "contains a NUL character")
	}
	return nil
}

func (c *checker) token() (json.Token, error) {
	token, err := c.dec.Token()
	if err != nil {
		return nil, notJSON("the request body is not valid JSON (near byte %d)", c.dec.InputOffset())
	}
	return token, nil
}

// invalid names the member at the present path, or name below it.
func (c *checker) invalid(name, what string) error {
	path := c.path
	if name != "" {
		path = append(path[:len(path):len(path)], name)
	}
	field := clip(strings.Join(path, "."), 200)
	return domain.Invalid(field, "%s %s", field, what)
}

// notJSON is the error of a body that is not one JSON value.
func notJSON(format string, args ...any) error {
	return domain.Invalid("", format, args...).For(domain.ReasonInvalidJSON, "")
}

// clip shortens what a client sent to at most n bytes, at a whole character.
func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n] + "…"
}
