package api

import (
	"net/http"
	"slices"
	"strings"
)

// address is where a request goes: its URL has neither prefix nor a slash at
// its end.
type address struct {
	*http.Request
	face   *face
	test   bool // the path or the host chose the sandbox
	chosen bool // a prefix chose the dialect or the sandbox
	api    bool // the path is one of a dialect
}

// address takes prefixes off the path and finds the dialect: path, host, the
// first one.
func (s *server) address(r *http.Request) address {
	a := address{Request: r}
	p := r.URL.Path
	if rest, ok := cutPrefix(p, "/sandbox"); ok {
		a.test, a.chosen, p = true, true, rest
	}
	for _, f := range s.faces {
		if rest, ok := cutPrefix(p, f.Prefix); ok {
			a.face, a.chosen, p = f, true, rest
			break
		}
	}
	if len(p) > 1 {
		p = strings.TrimSuffix(p, "/")
	}
	u := *r.URL
	u.Path, u.RawPath = p, ""
	a.URL = &u // r is this server's own copy
	if a.face == nil {
		a.face = s.unprefixed(&a)
	}
	a.api = slices.ContainsFunc(a.face.Roots, func(root string) bool { return inside(p, root) })
	return a
}

// unprefixed finds the dialect of a path that no prefix names one for: the one
// that owns the path, else the host's, else the only one that has it.
func (s *server) unprefixed(a *address) *face {
	p := a.URL.Path
	host, named := s.hosts[hostname(a.Host)]
	a.test = a.test || named && host.test
	for _, f := range s.faces {
		if slices.ContainsFunc(f.Own, func(own string) bool { return inside(p, own) }) {
			return f
		}
	}
	usual := s.faces[0]
	if named {
		usual = host.face
	}
	if usual.has(a.Request) {
		return usual
	}
	var only *face
	for _, f := range s.faces {
		if !f.has(a.Request) {
			continue
		}
		if only != nil {
			return usual
		}
		only = f
	}
	if only != nil {
		return only
	}
	return usual
}

// has reports whether the dialect has a route at a request's path, whatever the
// method.
func (f *face) has(r *http.Request) bool {
	_, allow, found := f.Router.Match(r)
	return found || allow != ""
}

// hostname is the Host of a request without its port, in lower case.
func hostname(host string) string {
	host = strings.ToLower(host)
	if i := strings.LastIndexByte(host, ':'); i > 0 && !strings.HasSuffix(host, "]") {
		host = host[:i]
	}
	return strings.TrimSuffix(host, ".")
}

// cutPrefix takes the path prefix off p when p is it or goes on below it.
func cutPrefix(p, prefix string) (string, bool) {
	if prefix == "" || !inside(p, prefix) {
		return p, false
	}
	rest := p[len(prefix):]
	if rest == "" {
		rest = "/"
	}
	return rest, true
}

func inside(p, dir string) bool {
	return strings.HasPrefix(p, dir) && (len(p) == len(dir) || p[len(dir)] == '/')
}
