package api_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/callwright/callwright/internal/api/wire"
	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/service/access"
)

// intruders are keys that must not get at the objects of another.
type intruders struct {
	bad       map[string]string // keys that are none, by what is wrong with them
	elsewhere string            // a good key, from another address
	stranger  string            // of another workspace
	tester    string            // of the other mode
}

func (a *app) intruders() intruders {
	a.Helper()
	revoked, revokedSecret, err := a.service.CreateKey(a.Context(), access.NewKey{Workspace: a.first.Workspace.ID, Name: "revoked"})
	a.ok(err)
	a.want(a.send("GET", "/api/v1", revokedSecret, ""), http.StatusOK, "")
	_, err = a.service.RevokeKey(a.Context(), a.first.Workspace.ID, revoked.ID)
	a.ok(err)
	expired := a.newKey(access.NewKey{Name: "expired", ExpiresAt: a.clock.now().Add(time.Minute)})
	a.want(a.send("GET", "/api/v1", expired, ""), http.StatusOK, "")
	a.clock.add(2 * time.Minute)
	return intruders{
		bad: map[string]string{
			"malformed": "nonsense", "mistyped": a.key[:len(a.key)-1] + "!", "unknown": knownGood, "revoked": revokedSecret, "expired": expired,
		},
		elsewhere: a.newKey(access.NewKey{Name: "elsewhere", Allow: []string{"203.0.113.0/24", "2001:db8::/32"}}),
		stranger:  a.newKey(access.NewKey{Name: "stranger", Workspace: a.otherWorkspace()}),
		tester:    a.newKey(access.NewKey{Name: "tester", Mode: domain.Test}),
	}
}

// TestAccess sends every route of every dialect, aliases included, with every
// kind of key that must not get through, and for every object of another
// workspace or mode: the dialect's documented error, and nothing of the object.
func TestAccess(t *testing.T) {
	a := start(t, domain.Enterprise)
	objects, who := a.objects(a.key), a.intruders()
	for _, d := range faces(t) {
		routes, lacking := d.Router.Routes(), make(map[string]string) // keys, by the scope that they lack
		for _, r := range routes {
			t.Run(d.Name+"/"+r.ID, func(t *testing.T) {
				a := *a
				a.T = t
				a.clock.add(61 * time.Second) // a new minute for rate limits
				m := matrix{app: &a, shape: d.Router.ShapeOf(r), route: r, objects: objects, who: who, path: d.Prefix + a.address(r, objects)}
				m.badKeys()
				if r.Scope != wire.AnyScope {
					if lacking[r.Scope] == "" {
						lacking[r.Scope] = a.newKey(access.NewKey{Name: "lacking", Scopes: allBut(routes, r.Scope)})
					}
					m.wrongScope(lacking[r.Scope])
				}
				m.others()
			})
		}
	}
}

// matrix is one route and all that it must refuse.
type matrix struct {
	*app
	shape   wire.ErrorShape
	route   wire.Route
	path    string
	headers []string // that choose the dialect, where the path does not
	objects map[string]string
	who     intruders
}

// ask sends the route's request with key.
func (m *matrix) ask(path, key string) reply {
	m.Helper()
	r := m.send(m.route.Method, path, key, bodyOf(m.route), m.headers...)
	if m.route.Method == http.MethodHead {
		m.Error("HEAD routes are part of GET")
	}
	return r
}

func (m *matrix) badKeys() {
	m.Helper()
	m.wantFault(m.ask(m.path, ""), m.shape, asError(wire.KeyMissing()))
	for what, key := range m.who.bad {
		r := m.ask(m.path, key)
		m.wantFault(r, m.shape, domain.Errorf(domain.CodeUnauthorized, "x"))
		m.leaks(r, m.objects, m.path)
		if strings.Contains(r.body, key) || r.header.Get("WWW-Authenticate") == "" {
			m.Errorf("a key that is %s is answered %v %s", what, r.header, r.body)
		}
	}
	r := m.ask(m.path, m.who.elsewhere)
	m.wantFault(r, m.shape, domain.Errorf(domain.CodeForbidden, "x"))
	m.leaks(r, m.objects, m.path)
}

func (m *matrix) wrongScope(key string) {
	m.Helper()
	r := m.ask(m.path, key)
	m.wantFault(r, m.shape, domain.Errorf(domain.CodeForbidden, "x"))
	if !strings.Contains(r.body, m.route.Scope) && !strings.Contains(r.body, "can_") {
		m.Errorf("the error does not name the scope %s: %s", m.route.Scope, r.body)
	}
	m.leaks(r, m.objects, m.path)
}

// others asks for what belongs to another workspace or to the other mode.
func (m *matrix) others() {
	m.Helper()
	if !strings.Contains(m.route.Path, "{") {
		if m.route.Method == http.MethodGet {
			for _, key := range []string{m.who.stranger, m.who.tester} {
				r := m.ask(m.path, key)
				if r.status != http.StatusOK {
					m.Errorf("got %d %s", r.status, r.body)
				}
				m.leaks(r, m.objects, m.path)
			}
		}
		return
	}
	ways := map[string]string{m.path: m.who.stranger, slashed(m.path): m.who.tester, "/sandbox" + m.path: m.key}
	if segment := aParameter.FindStringSubmatch(m.route.Path)[1]; slices.Contains(shared, segment) {
		ways = map[string]string{m.path: m.who.stranger}
	}
	for path, key := range ways {
		r := m.ask(path, key)
		if r.status == http.StatusBadRequest || r.status == http.StatusUnprocessableEntity {
			m.Errorf("the body %s does not pass the route's checks, so nothing is known of the object: give %q a good one in bodies of objects_test.go; %s",
				bodyOf(m.route), m.route.ID, r.body)
			return
		}
		m.wantFault(r, m.shape, notFound(r))
		m.leaks(r, m.objects, m.path)
	}
}

// hidden fails unless the object of path is not there for key.
func (m *matrix) hidden(path, key string) {
	m.Helper()
	r := m.ask(path, key)
	m.wantFault(r, m.shape, notFound(r))
	m.leaks(r, m.objects, path)
}

// slashed is a path with a slash at its end, which is the same path.
func slashed(path string) string {
	path, query, asked := strings.Cut(path, "?")
	if asked {
		return path + "/?" + query
	}
	return path + "/"
}

// TestAccessByHost asks for every route that needs no prefix, by the vendors'
// host names and by paths that only one dialect has.
func TestAccessByHost(t *testing.T) {
	a := start(t, domain.Enterprise)
	objects, who := a.objects(a.key), a.intruders()
	for _, d := range faces(t) {
		for _, r := range d.Router.Routes() {
			a.clock.add(61 * time.Second)
			path := a.address(r, objects)
			m := matrix{app: a, shape: d.Router.ShapeOf(r), route: r, objects: objects, who: who, path: path}
			own := slices.ContainsFunc(d.Own, func(own string) bool {
				return path == own || strings.HasPrefix(path, own+"/") || strings.HasPrefix(path, own+"?")
			})
			var ways [][]string
			if own {
				ways = append(ways, nil, []string{"Host: nobody.example.com:8080"})
			}
			for _, host := range d.Hosts {
				ways = append(ways, []string{"Host: " + host}, []string{"Host: " + strings.ToUpper(host) + ":443"})
			}
			for _, headers := range ways {
				m.headers = headers
				m.wantFault(m.ask(path, ""), m.shape, asError(wire.KeyMissing()))
				m.wantFault(m.ask(path, who.bad["unknown"]), m.shape, domain.Errorf(domain.CodeUnauthorized, "x"))
				if strings.Contains(r.Path, "{") {
					m.hidden(path, who.stranger)
					m.hidden("/sandbox"+path, a.key)
				}
			}
			for _, host := range d.Hosts {
				if sandbox := strings.Replace(host, "api.", "api-sandbox.", 1); strings.Contains(r.Path, "{") {
					m.headers = []string{"Host: " + sandbox}
					m.hidden(path, a.key)
				}
			}
			if t.Failed() {
				t.Fatalf("%s: %s %s", d.Name, r.Method, path)
			}
		}
	}
}

// TestAccessByReference: what a request names must be in the same scope as well.
func TestAccessByReference(t *testing.T) {
	a := start(t, domain.Enterprise)
	objects, who := a.objects(a.key), a.intruders()
	for _, c := range []struct{ path, body string }{
		{"/api/v1/agents", `{"name":"A","flowId":"{flows}"}`},
		{"/api/v1/phone-numbers", `{"number":"+14155550199","trunkId":"{trunks}"}`},
		{"/api/v1/calls", `{"agentId":"{agents}","to":"+14155550171"}`},
		{"/api/v1/appointments", `{"title":"T","startTime":"2025-02-15","endTime":"2025-02-16","agentId":"{agents}"}`},
		{"/api/v1/appointments", `{"title":"T","startTime":"2025-02-15","endTime":"2025-02-16","contactId":"{contacts}"}`},
	} {
		body := fill(c.body, objects)
		if !a.takesPost(c.path) || strings.Contains(body, ":\"{") {
			continue
		}
		for path, key := range map[string]string{c.path: who.stranger, c.path + "/": who.tester, "/sandbox" + c.path: a.key} {
			a.want(a.send("POST", path, key, body), http.StatusNotFound, "NOT_FOUND")
		}
	}
}

// asError is err as the one that a client may see.
func asError(err error) *domain.Error { return wire.Public(err) }

// allBut is every scope of the routes except one.
func allBut(routes []wire.Route, scope string) []string {
	all := []string{"dialing:write"} // a key without scopes would have all
	for _, r := range routes {
		if r.Scope != scope && r.Scope != wire.AnyScope && !slices.Contains(all, r.Scope) {
			all = append(all, r.Scope)
		}
	}
	return all
}
