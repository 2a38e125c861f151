package archtest

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// side tells apart the two halves of floor 3, which never import each other.
type side int

const (
	ground  side = iota // floors 0 to 2
	west                // adapters
	east                // rules
	worker              // floor 4
	face                // floor 5, transport
	wirings             // floor 6
)

// room is one package's place in the house.
type room struct {
	floor int
	side  side
	also  []string // packages beside those of its floor's rule that it may import
}

// house is the table of all packages, by path below the module, without
// "internal/". To add a package, decide its floor and add it here.
var house = map[string]room{
	"domain": {floor: 0}, "audio": {floor: 0}, "phone": {floor: 0}, "spoken": {floor: 0}, "web": {floor: 0}, "failpoint": {floor: 0},

	"rtp": {floor: 1}, "sdp": {floor: 1}, "speech": {floor: 1}, "flow": {floor: 1},
	"queue": {floor: 1}, "compliance": {floor: 1}, "redial": {floor: 1}, "sheet": {floor: 1},
	"sip":           {floor: 1, also: []string{"sip/transport", "sip/message", "sip/guard"}},
	"sip/transport": {floor: 1, also: []string{"sip/message"}}, "sip/message": {floor: 1}, "sip/guard": {floor: 1}, "sip/upkeep": {floor: 1, also: []string{"sip"}},

	"trunk": {floor: 2}, "conversation": {floor: 2}, "callee": {floor: 2},

	"store":           {floor: 3, side: west, also: []string{"store/directory", "store/calling", "store/outbox", "store/row", "store/lift"}},
	"store/directory": {floor: 3, side: west, also: []string{"store/row"}},
	"store/calling":   {floor: 3, side: west, also: []string{"store/row"}},
	"store/outbox":    {floor: 3, side: west, also: []string{"store/row"}},
	"store/row":       {floor: 3, side: west},
	"store/lift":      {floor: 3, side: west},
	"provider":        {floor: 3, side: west}, "carrier": {floor: 3, side: west}, "blob": {floor: 3, side: west},

	"service":           {floor: 3, side: east, also: []string{"service/access", "service/messaging", "service/outreach", "service/people", "service/uptime", "service/rule"}},
	"service/access":    {floor: 3, side: east, also: []string{"service/rule"}},
	"service/people":    {floor: 3, side: east, also: []string{"service/rule"}},
	"service/uptime":    {floor: 3, side: east, also: []string{"service/rule"}},
	"service/rule":      {floor: 3, side: east},
	"service/outreach":  {floor: 3, side: east, also: []string{"service/people", "service/rule"}},
	"service/messaging": {floor: 3, side: east, also: []string{"service/people", "service/rule"}},

	"engine": {floor: 4, side: worker}, "dialer": {floor: 4, side: worker},
	"analysis": {floor: 4, side: worker}, "webhook": {floor: 4, side: worker}, "courier": {floor: 4, side: worker},

	"api":      {floor: 5, side: face, also: []string{"api/wire", "api/native", "api/trillet", "api/klen", "api/reference"}},
	"api/wire": {floor: 5, side: face}, "dashboard": {floor: 5, side: face, also: []string{"web"}}, "ops": {floor: 5, side: face},
	"api/reference": {floor: 5, side: face},
	"api/native":    {floor: 5, side: face, also: []string{"api/wire"}},
	"api/trillet":   {floor: 5, side: face, also: []string{"api/wire"}},
	"api/klen":      {floor: 5, side: face, also: []string{"api/wire"}},

	// The client is for other programs: it stands beside the house (TestClientStandsAlone).
	"client": {floor: 1}, "client/internal/generate": {floor: 6, side: wirings},

	"config": {floor: 6, side: wirings}, "doctor": {floor: 6, side: wirings}, "app": {floor: 6, side: wirings}, "cmd/callwright": {floor: 6, side: wirings},
}

// configReaders are the only packages that may import config; everything else
// is handed what it needs.
var configReaders = []string{"app", "cmd/callwright"}

// place finds the room of a package. A test kit lives where the package does
// that it exercises; programs that measure live on the top floor.
func place(path string) (room, bool) {
	if r, ok := house[path]; ok {
		return r, true
	}
	if path == "archtest" || path == "bench" || strings.HasPrefix(path, "bench/") {
		return room{floor: 6, side: wirings}, true
	}
	if parent, ok := kitOf(path); ok {
		r, known := house[parent]
		r.also = append(slices.Clone(r.also), parent)
		return r, known
	}
	return room{}, false
}

// kitOf returns the package that the test kit path ("store/storetest",
// "speech/ttstest") is for.
func kitOf(path string) (string, bool) {
	parent, name, _ := cutLast(path)
	_, known := house[parent]
	return parent, known && name != "test" && strings.HasSuffix(name, "test")
}

func cutLast(path string) (before, last string, found bool) {
	i := strings.LastIndexByte(path, '/')
	if i < 0 {
		return "", path, false
	}
	return path[:i], path[i+1:], true
}

// mayImport says whether the package from may import the package to, and if
// not, why.
func mayImport(from, to string) error {
	a, ok := place(from)
	if !ok {
		return fmt.Errorf("%s is not in the table of archtest: decide its floor and add it to house in floor_test.go", from)
	}
	b, ok := place(to)
	if !ok {
		return nil // reported once, as a package of its own
	}
	if kit, isKit := kitOf(to); isKit {
		if _, fromKit := kitOf(from); !fromKit && !strings.HasPrefix(from, "bench/") {
			return fmt.Errorf("%s imports the test kit of %s: only tests, other kits and programs that measure may, or the kit ends up in the binary", from, kit)
		}
	}
	if to == "config" && !slices.Contains(configReaders, from) {
		return fmt.Errorf("%s imports config: take what it needs as Options, and let app fill them", from)
	}
	if slices.Contains(a.also, to) || a.floor == 6 {
		return nil
	}
	if b.floor < a.floor && (b.floor <= 2 || b.side == east && a.floor >= 4) {
		return nil
	}
	return fmt.Errorf("%s (floor %d) imports %s (floor %d): %s", from, a.floor, to, b.floor, advice(a, b))
}

// advice says how two rooms that must not know each other can meet.
func advice(a, b room) string {
	switch {
	case a.floor == 3 && b.floor == 3 && a.side != b.side:
		return "adapters and rules never import each other; put a contract into domain and join them in app"
	case a.side == worker && b.side == worker:
		return "workers never import each other; let them meet through rows, or through a contract of domain"
	case a.floor >= 4 && b.side == west:
		return "adapters are reached through contracts of domain, speech and trunk; app hands them in"
	case a.side == face && b.side == face:
		return "dialects do not know each other; what they have in common belongs into api/wire or service"
	case a.floor == b.floor:
		return "packages of one floor do not import each other; move what both need one floor down"
	}
	return "imports go down only; put a contract below and let app hand in what fulfils it"
}

// TestEveryPackageHasAFloor and what it imports is below it.
func TestEveryPackageHasAFloor(t *testing.T) {
	for _, p := range load(t) {
		if _, ok := place(p.path); !ok {
			t.Error(mayImport(p.path, p.path))
			continue
		}
		for _, imported := range p.own {
			if err := mayImport(p.path, imported); err != nil {
				t.Error(err)
			}
		}
	}
}

// outside are the parts of the standard library that reach out of the process.
var outside = []string{"net", "net/http", "net/http/httptrace", "net/rpc", "net/smtp", "os/exec", "database/sql", "database/sql/driver", "plugin"}

// openRooms are the packages below floor 3 that talk over the network: that is
// what they are for.
var openRooms = []string{"rtp", "sip", "sip/transport", "callee", "client"}

func TestLowFloorsDoNotReachOut(t *testing.T) {
	for _, p := range load(t) {
		if r, ok := place(p.path); !ok || r.floor >= 3 {
			continue
		}
		for _, std := range p.imports {
			open := slices.Contains(openRooms, p.path) && (std == "net" || std == "net/http")
			if _, kit := kitOf(p.path); slices.Contains(outside, std) && !open && !kit {
				t.Errorf("%s imports %s: below floor 3 only %s may; move the I/O into an adapter", p.path, std, strings.Join(openRooms, ", "))
			}
		}
	}
}

// TestClientStandsAlone: who uses the client gets nothing else of ours, nor of
// others.
func TestClientStandsAlone(t *testing.T) {
	for _, p := range load(t) {
		for _, imported := range p.imports {
			if host, _, _ := strings.Cut(imported, "/"); strings.HasPrefix(p.path, "client") && strings.Contains(host, ".") {
				t.Errorf("%s imports %s: it uses the standard library only", p.path, imported)
			}
		}
	}
}

func TestGroundStaysPlain(t *testing.T) {
	for _, p := range load(t) {
		if r, ok := place(p.path); !ok || r.floor != 0 {
			continue
		}
		for _, imported := range p.imports {
			host, _, _ := strings.Cut(imported, "/")
			foreign := strings.Contains(host, ".") && !strings.HasPrefix(imported, module)
			if foreign && (p.path != "phone" || imported != "github.com/nyaruka/phonenumbers") {
				t.Errorf("%s imports %s: floor 0 uses the standard library only", p.path, imported)
			}
		}
	}
}

func TestMayImport(t *testing.T) {
	for _, c := range []struct {
		from, to string
		ok       bool
	}{
		{"domain", "audio", false}, {"speech", "audio", true}, {"sip", "sdp", false}, {"conversation", "flow", true},
		{"conversation", "store", false}, {"store", "store/outbox", true}, {"store/outbox", "store", false}, {"store", "service", false},
		{"service", "store", false}, {"service", "domain", true}, {"provider", "carrier", false}, {"webhook", "service", true},
		{"webhook", "queue", true}, {"webhook", "engine", false}, {"webhook", "api/native", false}, {"engine", "store", false},
		{"api", "api/native", true}, {"api/native", "api/wire", true}, {"api/native", "api/klen", false}, {"api/native", "store", false},
		{"api/native", "service", true}, {"api/wire", "api/native", false}, {"dashboard", "api", false}, {"dashboard", "web", true},
		{"app", "store", true}, {"app", "config", true}, {"cmd/callwright", "app", true}, {"bench/calls", "app", true}, {"bench/calls", "config", false},
		{"service", "config", false}, {"service", "app", false}, {"store/storetest", "store", true}, {"store/storetest", "queue", true},
		{"store/storetest", "service", false}, {"store", "store/storetest", false}, {"queue/queuetest", "queue", true}, {"app", "store/storetest", false},
		{"newcomer", "domain", false}, {"domain/domainutil", "domain", false},
	} {
		if err := mayImport(c.from, c.to); (err == nil) != c.ok {
			t.Errorf("%s imports %s: %v", c.from, c.to, err)
		}
	}
}
